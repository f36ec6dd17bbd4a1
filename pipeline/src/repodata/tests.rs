// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

mod odd;
mod tools;

const DIGEST: &str = "0f3a6ce61ef4bd4d2ea7cf5d2e1b1e4e1fbd4a1f5a2d3c4b5a69788796a5b4c3";

/// One package, with another location, and with more inside.
fn package(href: &str, more: &str) -> String {
    format!(
        "<package type=\"rpm\">\n  <name>gcc-c++</name><arch>x86_64</arch>\n\
         <version epoch=\"1\" ver=\"4.8.5\" rel=\"44.el7\"/>\n\
         <checksum type=\"sha256\" pkgid=\"YES\">{DIGEST}</checksum>\n\
         <summary>A &lt;compiler&gt; &#38; more</summary>\n\
         <size package=\"7507\" installed=\"1\" archive=\"2\"/>\n\
         <location href=\"{href}\"/>\n<format><rpm:license>GPL</rpm:license>\n\
         <file>/usr/bin/g++</file></format>{more}</package>\n"
    )
}

fn metadata(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by hand -->\n\
         <metadata xmlns=\"http://linux.duke.edu/metadata/common\" packages=\"1\">{inside}</metadata>\n"
    )
}

fn good() -> String {
    metadata(&package("Packages/g/gcc-c++-4.8.5-44.el7.x86_64.rpm", ""))
}

fn data(kind: &str, inside: &str) -> String {
    format!("<data type=\"{kind}\">{inside}</data>")
}

fn index(inside: &str) -> String {
    format!("<?xml version=\"1.0\"?><repomd><revision>1</revision>{inside}</repomd>")
}

const PRIMARY: &str = "<checksum type=\"sha256\">\
    0F3A6CE61EF4BD4D2EA7CF5D2E1B1E4E1FBD4A1F5A2D3C4B5A69788796A5B4C3</checksum>\
    <open-checksum type=\"sha256\">1</open-checksum><location href=\"repodata/p-primary.xml.gz\"/>";

fn refused<T>(result: Result<T>) -> String {
    crate::error::render(&result.err().expect("a refusal"))
}

/// The packages of a list that has no odd ones.
fn sound(primary: &[u8], href: &str) -> Vec<Listed> {
    let Packages { listed, odd } = packages(primary, href).unwrap();
    assert_eq!(odd, []);
    listed
}

/// The one entry of a list, which is odd.
fn odd(xml: &str) -> Odd {
    let Packages { listed, mut odd } = packages(xml.as_bytes(), "primary.xml").unwrap();
    assert_eq!((listed.len(), odd.len()), (0, 1), "{listed:?}");
    odd.remove(0)
}

fn refused_list(xml: &str) -> String {
    let message = refused(packages(xml.as_bytes(), "primary.xml"));
    message.strip_prefix("`primary.xml`: ").unwrap().to_owned()
}

fn refused_index(xml: &str) -> String {
    refused(repomd(xml.as_bytes())).strip_prefix("`repomd.xml`: ").unwrap().to_owned()
}

#[test]
fn a_list_is_read_field_by_field() {
    let listed = sound(good().as_bytes(), "primary.xml");
    let expected = Listed {
        nevra: Nevra::new("gcc-c++", 1, "4.8.5", "44.el7", "x86_64").unwrap(),
        sha256: Some(DIGEST.to_owned()),
        size: 7507,
        href: "Packages/g/gcc-c++-4.8.5-44.el7.x86_64.rpm".to_owned(),
    };
    assert_eq!(listed, [expected]);
    // Other checksums are there and are not ours to use; an epoch may be left out.
    let old = good().replace("\"sha256\"", "\"sha\"").replace("epoch=\"1\" ", "");
    let listed = sound(old.as_bytes(), "primary.xml");
    assert_eq!((&listed[0].sha256, listed[0].nevra.epoch), (&None, 0));
    assert_eq!(sound(metadata("").as_bytes(), "primary.xml"), []);
}

#[test]
fn an_index_names_its_list_of_packages() {
    let xml =
        index(&[data("filelists", "<location href=\"f\"/>"), data("primary", PRIMARY)].concat());
    let mut expected = Primary {
        href: "repodata/p-primary.xml.gz".to_owned(),
        sha256: DIGEST.to_owned(),
        size: None,
    };
    assert_eq!(repomd(xml.as_bytes()).unwrap(), expected);
    let sized = xml.replace("<open-checksum", "<size> 579 </size><open-checksum");
    expected.size = Some(579);
    assert_eq!(repomd(sized.as_bytes()).unwrap(), expected);
}

#[test]
fn an_index_that_names_none_or_two_is_refused() {
    assert_eq!(refused_index(&index("")), "it names no list of packages");
    assert_eq!(refused_index(&index(&data("primary_db", PRIMARY))), "it names no list of packages");
    let two = [data("primary", PRIMARY), data("primary", PRIMARY)].concat();
    assert!(refused_index(&index(&two)).starts_with("it gives a list of packages twice"));
    let old = index(&data("primary", &PRIMARY.replace("\"sha256\"", "\"sha\"")));
    assert_eq!(refused_index(&old), "its list of packages has no sha256");
    let nowhere = index(&data("primary", &PRIMARY.replace("location", "place")));
    assert_eq!(refused_index(&nowhere), "its list of packages has no location");
}

#[test]
fn a_location_outside_of_the_repository_is_odd() {
    let at = |href: &str| metadata(&package(href, ""));
    for good in
        ["a.rpm", "./a.rpm", "Packages/a..b~1^2+c.rpm", "a/..b/c..rpm", "a%2b.rpm", "a/b:1.rpm"]
    {
        assert_eq!(sound(at(good).as_bytes(), "primary.xml")[0].href, good);
    }
    let long = "a".repeat(LONGEST_HREF + 1);
    for bad in [
        "",
        "/a.rpm",
        "//host/a.rpm",
        "http://host/a.rpm",
        "file:///a.rpm",
        "mailto:a",
        "..",
        "../a.rpm",
        "a/../../b.rpm",
        "a/..",
        "%2e%2e/a.rpm",
        "a/.%2E/b.rpm",
        "a%2f..%2fb",
        "%2Fa.rpm",
        "..\\a.rpm",
        "a\\..\\b",
        "..%5ca",
        "a b.rpm",
        "a.rpm?b",
        "a.rpm#b",
        "a&#10;b",
        "a&#0;b",
        "ä.rpm",
        &long,
    ] {
        let message = odd(&at(bad)).why;
        let outside = message.contains("is not below the address") || bad.len() > LONGEST_REASON;
        assert!(outside || bad == "a&#0;b", "{bad}: {message}");
    }
    let based =
        |base: &str| good().replace("<location ", &format!("<location xml:base=\"{base}\" "));
    for base in ["http://host/", ".", " ", "../other"] {
        assert!(odd(&based(base)).why.contains("is not below the address of the repository"));
    }
    // An empty base is the repository itself.
    assert_eq!(sound(based("").as_bytes(), "primary.xml"), sound(good().as_bytes(), "primary.xml"));
    let index = index(&data("primary", &PRIMARY.replace("repodata/", "../")));
    assert!(refused_index(&index).starts_with("`../p-primary.xml.gz` is not below"));
}

#[test]
fn a_package_that_is_not_told_in_full_is_odd() {
    for (from, to, expected) in [
        ("<name>gcc-c++</name>", "", "a package in it has no name"),
        ("<arch>x86_64</arch>", "", "the package `gcc-c++` in it has no architecture"),
        ("version", "verse", "the package `gcc-c++` in it has no version"),
        ("<size", "<sighs", "the package `gcc-c++` in it has no size"),
        ("location", "place", "the package `gcc-c++` in it has no location"),
        ("gcc-c++</name>", "../gcc</name>", "`../gcc` is not the name of a package"),
        ("gcc-c++</name>", "a\n\u{1b}[2J</name>", "`a\\n\\u{1b}[2J` is not the name of a package"),
        ("epoch=\"1\"", "epoch=\"-1\"", "`-1` is no epoch"),
        ("epoch=\"1\"", "epoch=\"4294967296\"", "`4294967296` is no epoch"),
        ("rel=", "real=", "the element `version` lacks the attribute `rel`"),
        ("\"7507\"", "\"7507 bytes\"", "`7507 bytes` is no size"),
        (" package=\"7507\"", "", "the element `size` lacks the attribute `package`"),
        (DIGEST, "0f3a", "`0f3a` is no sha256"),
        ("<arch>", "<name>other</name><arch>", "it gives a name twice where there can be one"),
        (
            "<size",
            "<location href=\"b\"/><size",
            "it gives a location twice where there can be one",
        ),
        ("ver=\"", "rel=\"1\" ver=\"", "an element has the attribute `rel` twice"),
    ] {
        let odd = odd(&good().replace(from, to));
        assert!(odd.why.starts_with(expected), "{odd}");
        assert_eq!(odd.why.lines().count(), 1);
    }
}

#[test]
fn xml_that_is_not_sound_is_refused() {
    let entity = "<!DOCTYPE metadata [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    for (bad, expected) in [
        (String::new(), "it is cut short"),
        ("<metadata>".to_owned(), "it is cut short"),
        ("<html><body>Sign in</body></html>".to_owned(), "it is not a `metadata`"),
        ("Not found".to_owned(), "it has text outside of its elements"),
        (format!("{}<metadata/>", good()), "it is not a `metadata`"),
        (format!("{}a", good()), "it has text outside of its elements"),
        (format!("{entity}{}", metadata("&b;")), "it has a document type, as no"),
        (good().replace("&lt;", "&b;"), "it refers to `b`, which XML does not have"),
        (good().replace("&lt;", "&"), "it is not sound XML at byte "),
        (good().replace("<arch>", "<arch/b>"), "`arch/b` is no name of an element"),
        (good().replace("</format>", "</package>"), "it is not sound XML at byte "),
        (good().replace("\"7507\"", "\"7507"), "it is not sound XML at byte "),
    ] {
        let message = refused_list(&bad);
        assert!(message.starts_with(expected), "{message}");
    }
    let latin = good().replace("compiler", "\u{e4}").into_bytes();
    let latin: Vec<u8> = latin.into_iter().filter(|byte| *byte != 0xc3).collect();
    assert!(refused(packages(&latin, "primary.xml")).contains("it is not sound XML at byte "));
}

#[test]
fn what_is_too_much_is_refused() {
    let deep = metadata(&"<deeper>".repeat(1000));
    assert_eq!(refused_list(&deep), "its elements are too deep in one another");
    let attributes = "a=\"\" ".repeat(40);
    let many = good().replace("<size ", &format!("<size {attributes}"));
    assert_eq!(odd(&many).why, "an element has more than 32 attributes");
    for piece in ["a".repeat(2 << 20), format!("<a {}/>", "b ".repeat(1 << 20))] {
        let message = refused_list(&metadata(&piece));
        assert_eq!(message, "a piece of it is larger than 1048576 bytes");
    }
    let text = metadata(&"&amp;a".repeat(1 << 20));
    assert_eq!(refused_list(&text), "a text in it is larger than 1048576 bytes");
    let empty = metadata(&package("a", "").repeat(MOST_PACKAGES + 1));
    assert_eq!(refused_list(&empty), "it lists more than 250000 packages");
}

/// A few KiB of gzip that would fill memory and disks.
#[test]
fn what_unpacks_without_an_end_is_refused() {
    let comment = format!("<!--{}-->", "-a".repeat(100 << 10));
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(b"<metadata>").unwrap();
    for _ in 0..=(1 << 30) / comment.len() {
        bomb.write_all(comment.as_bytes()).unwrap();
    }
    let message = refused(packages(&bomb.finish().unwrap(), "primary.xml.gz"));
    assert_eq!(message, "`primary.xml.gz`: it unpacks to more than 1073741824 bytes");
}

#[test]
fn only_what_its_name_says_is_unpacked() {
    for href in ["primary.xml.bz2", "primary.sqlite", "primary", "gz", ""] {
        let message = refused(packages(good().as_bytes(), href));
        assert!(
            message.contains("compressed in a way that is not known here\nhelp: "),
            "{message}"
        );
    }
    for href in ["primary.xml.gz", "primary.xml.xz", "primary.xml.zst"] {
        let message = refused(packages(good().as_bytes(), href));
        assert!(message.starts_with(&format!("`{href}`: it ")), "{message}");
        refused(packages(b"", href));
    }
}

/// Whatever stands in a file, it is an error or a list, and never a panic.
#[test]
fn damage_is_only_an_error() {
    let good = good().into_bytes();
    for at in 0..good.len() - 1 {
        packages(&good[..at], "primary.xml").unwrap_err();
        for byte in *b"<>&\"/!\0\xff" {
            let mut bad = good.clone();
            bad[at] = byte;
            let _ = packages(&bad, "primary.xml");
        }
    }
}
