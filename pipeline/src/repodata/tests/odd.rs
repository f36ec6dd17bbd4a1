// SPDX-License-Identifier: GPL-2.0-or-later
//! Entries that cannot be read, among those that can.

use super::*;

/// What stands in the repositories of the field, or could.
#[test]
fn one_odd_package_leaves_the_others_as_they_are() {
    let name = |name: &str| package("odd.rpm", "").replace("gcc-c++", name);
    let odd = name("odd");
    for strange in [
        odd.replace("<location ", "<location xml:base=\"ftp://elsewhere/\" "),
        odd.replace("ver=\"4.8.5\"", "ver=\"4:8\""),
        odd.replace("ver=\"4.8.5\"", "ver=\"\""),
        odd.replace("rel=\"44.el7\"", "rel=\"44-el7\""),
        odd.replace("epoch=\"1\"", "epoch=\"0x1\""),
        odd.replace("x86_64", "(none)"),
        odd.replace("odd.rpm", "Packages/an odd name.rpm"),
        odd.replace("odd.rpm", "Packages/\u{fc}.rpm"),
        odd.replace(DIGEST, "none"),
        odd.replace("<checksum type=\"sha256\" ", "<checksum "),
        odd.replace("<size ", "<size package=\"1\"/><size "),
        odd.replace("7507", "much"),
        odd.replace("<name>", "<name/><name>"),
        odd.replace("<version ", "<version epoch=\"0\" ver=\"1\" rel=\"1\"/><version "),
        name(""),
        name("odd odd"),
        "<package/>".to_owned(),
        "<package><name>odd</name></package>".to_owned(),
    ] {
        for inside in [
            [strange.clone(), package("gcc.rpm", "")].concat(),
            [package("gcc.rpm", ""), strange.clone()].concat(),
        ] {
            let Packages { listed, odd } =
                packages(metadata(&inside).as_bytes(), "primary.xml").unwrap();
            assert_eq!((listed.len(), odd.len()), (1, 1), "{strange}");
            assert_eq!(listed[0].nevra.name, "gcc-c++");
            assert!(!odd[0].rivals("gcc-c++", "x86_64"), "{strange}");
        }
    }
    // A checksum of a kind that nobody knows, another architecture and the same twice are not even odd.
    for usual in [
        odd.replace("\"sha256\"", "\"blake3\""),
        odd.replace("x86_64", "e2k"),
        [odd.clone(), odd.clone()].concat(),
        format!("<package type=\"drpm\">{}", odd.split_once('>').unwrap().1),
    ] {
        sound(metadata(&usual).as_bytes(), "primary.xml");
    }
}

#[test]
fn an_odd_package_is_known_by_all_its_names() {
    let bad = good().replace("<location ", "<location xml:base=\"ftp://elsewhere/\" ");
    let one = odd(&bad);
    for (name, arch, expected) in [
        ("gcc-c++", "x86_64", true),
        ("gcc-c++", "noarch", true),
        ("gcc-c++", "i686", false),
        ("gcc", "x86_64", false),
        ("", "x86_64", false),
    ] {
        assert_eq!(one.rivals(name, arch), expected, "{name} {arch}");
    }
    assert!(odd(&bad.replace("x86_64", "noarch")).rivals("gcc-c++", "x86_64"));
    assert!(!odd(&bad.replace("x86_64", "src")).rivals("gcc-c++", "noarch"));
    // Hidden behind another name or architecture, before it or after it.
    for more in ["<name>other</name>", "<arch>i686</arch>", "<name></name>", "<arch>src</arch>"] {
        for place in ["<summary>", "<name>gcc"] {
            let hidden = odd(&good().replace(place, &format!("{more}{place}")));
            assert!(hidden.rivals("gcc-c++", "x86_64"), "{more} {place}");
        }
    }
    assert!(odd(&bad.replace("<arch>x86_64</arch>", "")).rivals("gcc-c++", "x86_64"));
    assert!(odd(&bad).to_string().starts_with("`gcc-c++`: `Packages/g/"));
    let long = bad.replace("gcc-c++<", &format!("{}<", "a".repeat(1 << 19)));
    assert_eq!(odd(&long).names.len(), 0);
    assert!(odd(&long).to_string().len() < 400);
}

#[test]
fn many_odd_packages_are_another_matter() {
    let bad = package("../a.rpm", "");
    let many = metadata(&bad.repeat(MOST_ODD));
    assert_eq!(packages(many.as_bytes(), "primary.xml").unwrap().odd.len(), MOST_ODD);
    let more = refused_list(&metadata(&bad.repeat(MOST_ODD + 1)));
    assert!(more.starts_with("more than 1000 entries of it cannot be read; `gcc-c++`: "), "{more}");
    let names =
        (0..20).fold(String::new(), |names, number| format!("{names}<name>{number}</name>"));
    let named = refused_list(&good().replace("<arch>", &format!("{names}<arch>")));
    assert_eq!(named, "a package in it has more than 8 names");
}
