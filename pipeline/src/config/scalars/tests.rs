// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::config::formats;
use serde_json::Value;

#[test]
fn scalars_admit_what_their_use_needs_and_nothing_more() {
    fn takes<T: TryFrom<String>>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::try_from((*text).to_owned()).is_ok(), "{text}");
        }
        for text in bad {
            assert!(T::try_from((*text).to_owned()).is_err(), "{text}");
        }
    }
    takes::<TreePath>(&["hw/misc", "hw"], &["", "/hw", "hw/", "hw//misc", "a/../b", "a b", "$(x)"]);
    let long = "a".repeat(LONGEST_NAME);
    takes::<Name>(
        &["xcp-ng-8.3", "main2", "m", &long],
        &["", "main", ".a", "A", "a b", "a/b", &format!("{long}a")],
    );
    takes::<HostPath>(
        &["/", "/usr", "/usr/lib64/", "/usr/lib/.build-id", "/opt/a b"],
        &["", "usr/bin", "./usr", "/usr/../etc", "/usr/.", "//usr", "/usr//bin", "/a\nb", "/usr//"],
    );
    takes::<FileName>(
        &["a.tar.xz", "q_7.2+d~1.dsc"],
        &["", "a/b", "-a", ".a", "a b", "a;b", "a%b", "a:b"],
    );
    takes::<QomType>(&["vgpu-stub"], &["", "Vgpu", "a_b", "a\nb", "a'b", "1a"]);
    takes::<ConfigSymbol>(&["CONFIG_PCI"], &["CONFIG_", "PCI", "CONFIG_a"]);
    takes::<CMacro>(&["VGPU_STUB_CLASS", "_a"], &["", "1a", "a b", "a-b", "a(x)"]);
    takes::<CValue>(&["0x1af4", "1U", "NAME"], &["", "'a'", "a b", "\"a\"", "a\nb", "$(id)", "%a"]);
    takes::<ReleaseSuffix>(
        &[".vgpu1"],
        &["vgpu1", ".", ".a.b", ".A", ".a%{x}", &format!(".{long}")],
    );
    takes::<Memory>(&["8GiB", "512MiB"], &["8G", "0GiB", "GiB", "-1GiB", "8 GiB", "99999999GiB"]);
    takes::<Line>(&["a b"], &["", "  ", "a\nb", "a\0b"]);
    takes::<Url>(
        &["http://a/b", "file:///a", "file:///a:b@c", "http://a:8080/b@c"],
        &[
            "file://",
            "ftp://a",
            "http://a b",
            "http://a\nb",
            "http://me:pw@a/b",
            "http://tok@a/b",
            "http://a/b?token=x",
            "file:///a#b",
        ],
    );
    takes::<WebUrl>(
        &["https://a/b", "https://a:8080/b@c", "https://[::1]:80/b@c"],
        &[
            "https://me@a/b",
            "https://me:pw@a/b",
            "https://me:p/w@a/b",
            "ftp://a",
            "https://a\"b",
            "https://a/b?token=x",
            "https://a?b",
            "https://a/b#c",
        ],
    );
    takes::<GitUrl>(
        &["https://a/b.git", "ssh://git@a:22/b", "git@a:b/c", "file:///a"],
        &[
            "https://tok@a/b",
            "ssh://me:pw@a/b",
            "ssh://-oProxyCommand=x/a",
            "-a@b:c",
            "/a",
            "ext::x",
            "https://a/b?private_token=x",
            "git@a:b?c",
            "ssh://git@a/b#c",
        ],
    );
    takes::<Suite>(&["bookworm"], &["Bookworm", "book/worm", ""]);
    takes::<MacroName>(&["dist", "_topdir"], &["ab", "1ab", "a b", "a-b"]);
    takes::<DebianVersion>(&["1:7.2+dfsg-7"], &["", "v1", "1 2", "1;2"]);
}

/// Texts that come near to what scalars admit, each with every letter in turn left out or made another.
fn samples() -> Vec<String> {
    let (long, digest) = ("a".repeat(300), "0123456789abcdef".repeat(4));
    let seeds = [
        "",
        " ",
        "a",
        "main",
        "hw/misc",
        "a/../b",
        "a/./b",
        "a//b",
        "../a",
        "...",
        "a/...b",
        "/usr/lib64/",
        "/usr/../etc",
        "/",
        ".",
        "..",
        "-a",
        "a b.c",
        "device/x.c",
        "x/.c",
        "v4.2.1",
        "a.lock",
        "a..b",
        "CONFIG_PCI",
        "1:7.2+dfsg-7",
        "bookworm",
        "https://a.b:80/c/d.rpm",
        "https://me:pw@a/b",
        "https://[::1]:80/b@c",
        "https://a/..",
        "https://a/b?c",
        "http://a/b#c",
        "file:///a:b@c",
        "ssh://git@a:22/b",
        "git@a:b/c",
        "ssh://me:pw@a/b",
        "docker.io/library/centos:7.5.1804",
        "h/c:7",
        "h:5000/a__b/c-d:x",
        "gcc-c++",
        "/usr/bin/gcc",
        "_topdir",
        "0x1af4",
        "pool_id",
        "link<a-b>",
        "OnOffAuto",
        "string",
        "uint32",
        "uint32_t",
        ".vgpu1",
        "8GiB",
        "0GiB",
        "a\tb",
        "a\nb",
        "é",
        "\u{a0}",
        "\u{202e}a",
        "\u{2028}",
        "0x000",
        "007",
        &long,
        &digest,
        &digest[..40],
        &digest.repeat(2),
        &"é".repeat(64),
    ];
    let mut samples: Vec<String> = seeds.iter().map(|seed| (*seed).to_owned()).collect();
    samples.extend(seeds.iter().map(|seed| seed.to_uppercase()));
    samples.extend(seeds.iter().map(|seed| format!("sha256:{seed}")));
    for seed in seeds.iter().filter(|seed| seed.len() < 70) {
        for (at, letter) in seed.char_indices() {
            let (before, behind) = (&seed[..at], &seed[at + letter.len_utf8()..]);
            samples.push(format!("{before}{behind}"));
            samples.extend(
                ["/", ".", "-", "@", "?", "\u{7f}", "A", "9", "\u{2028}"]
                    .map(|other| format!("{before}{other}{behind}")),
            );
        }
    }
    samples
}

/// Judges texts as an editor does: by the schema alone, with patterns as ECMA-262 has them.
fn editor(schema: &Value) -> impl Fn(&str) -> bool {
    let compiled =
        |pattern: &Value| regress::Regex::with_flags(pattern.as_str().unwrap(), "u").unwrap();
    let longest = schema.get("maxLength").and_then(Value::as_u64);
    let pattern = compiled(&schema["pattern"]);
    let never = schema.pointer("/not/pattern").map(compiled);
    move |text| {
        longest.is_none_or(|most| text.chars().count() as u64 <= most)
            && pattern.find(text).is_some()
            && never.as_ref().is_none_or(|never| never.find(text).is_none())
    }
}

#[test]
fn the_schema_and_the_program_judge_alike() {
    let formats = [formats::pipeline(), formats::lock(), formats::settings()].map(|it| it.schema);
    let samples = samples();
    let mut declared = 0;
    for (name, scalar) in all() {
        let mut schema = Schema::default();
        scalar.declare(&mut schema);
        let schema = schema.to_value();
        for found in formats.iter().filter_map(|format| format["$defs"].get(name)) {
            for key in ["type", "pattern", "maxLength", "not"] {
                assert_eq!(found.get(key), schema.get(key), "{name}");
            }
        }
        declared += 1;
        let editor_admits = editor(&schema);
        let (good, bad): (Vec<&String>, Vec<&String>) =
            samples.iter().partition(|text| scalar.admits(text));
        assert!(!good.is_empty(), "{name} admits nothing");
        assert!(!bad.is_empty() || name == "AnyText", "{name} admits everything");
        for text in good {
            assert!(editor_admits(text), "{name}: the schema refuses {text:?}");
        }
        for text in bad {
            assert!(!editor_admits(text), "{name}: the schema admits {text:?}");
        }
    }
    assert!(declared >= 35, "{declared}");
}

#[test]
fn a_pattern_stands_nowhere_but_in_a_scalar() {
    fn patterns(schema: &Value, at: &str, found: &mut Vec<String>) {
        for (key, value) in schema.as_object().into_iter().flatten() {
            match key.as_str() {
                // A field may have that name, too.
                "pattern" if value.is_string() => found.push(at.to_owned()),
                "patternProperties" => found.push(at.to_owned()),
                "$defs" => {
                    for (name, value) in value.as_object().unwrap() {
                        if named(name).is_none() {
                            patterns(value, name, found);
                        }
                    }
                }
                _ => patterns(value, &format!("{at}/{key}"), found),
            }
        }
    }
    let mut found = Vec::new();
    let formats = [formats::pipeline(), formats::lock(), formats::settings(), formats::contract()];
    for schema in formats.map(|format| format.schema) {
        patterns(schema, "", &mut found);
    }
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn what_was_meant_is_something_that_is_admitted() {
    for (rule, text, meant) in [
        (PropertyKind::rule(), "string", "str"),
        (PropertyKind::rule(), "Boolean", "bool"),
        (PropertyKind::rule(), "uint32_t", "uint32"),
        (ReleaseSuffix::rule(), "vgpu1", ".vgpu1"),
        (TreePath::rule(), "/hw/misc/", "hw/misc"),
        (HostPath::rule(), "usr/bin", "/usr/bin"),
        (ConfigSymbol::rule(), "PCI", "CONFIG_PCI"),
        (ConfigSymbol::rule(), "config_pci", "CONFIG_PCI"),
        (MacroName::rule(), "%dist", "dist"),
        (WebUrl::rule(), "host/a", "https://host/a"),
        (Name::rule(), " Mine", "mine"),
    ] {
        assert_eq!(rule.meant_by(text).as_deref(), Some(meant), "{text}");
    }
    for secret in ["me:pw@host/a", "https:/me:pw@host/a", "//me:pw@host/a", "host/a?token=pw"] {
        for rule in [WebUrl::rule(), GitUrl::rule(), Url::rule(), FileUrl::rule()] {
            assert_eq!(rule.meant_by(secret), None, "{secret}");
        }
    }
}
