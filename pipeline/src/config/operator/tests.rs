// SPDX-License-Identifier: GPL-2.0-or-later

use super::super::contract::parse;

const CONTRACT: &str = "\
name: tag
properties: { word: str, number: uint8, signed: int16, text: str, on-off: OnOffAuto }
settings:
  properties:
    word: { one-of: [a, b], default: a, help: a word }
    number: { range: { from: 1, to: 255 }, default: 1, help: a number }
    signed: { range: { from: 0, to: 32767 }, help: another }
    text: { pattern: '[a-z]{1,8}', help: a text }
  slot: { default: 0x1d, choices: [0x14] }
  max-per-vm: 2
";

/// What is said of the contract with one change.
fn refusal(from: &str, to: &str) -> String {
    assert!(CONTRACT.contains(from), "{from}");
    parse(&CONTRACT.replacen(from, to, 1), "c.yaml").unwrap_err().to_string()
}

#[test]
fn the_words_of_a_contract_become_what_a_host_admits() {
    let settings = parse(CONTRACT, "c.yaml").unwrap().settings.unwrap();
    assert_eq!(settings.slot.all().into_iter().collect::<Vec<_>>(), [0x14, 0x1d]);
    let admits = |name: &str, text: &str| {
        let found = settings.properties.iter().find(|(known, _)| known.as_str() == name).unwrap();
        found.1.admitted().unwrap().admits(text)
    };
    for (name, good, bad) in [
        ("word", vec!["a", "b"], vec!["", "c", "A", "ab"]),
        ("number", vec!["1", "255"], vec!["0", "256", "01", "+1", " 1", "", "0x1", "1e1"]),
        ("text", vec!["a", "abcdefgh"], vec!["", "abcdefghi", "A"]),
    ] {
        assert!(good.iter().all(|text| admits(name, text)), "{name}");
        assert!(!bad.iter().any(|text| admits(name, text)), "{name}");
    }
}

#[test]
fn nonsense_is_refused_where_it_stands() {
    let mut wrong = Vec::new();
    for (from, to, expected, place) in [
        ("word: { one", "other: { one", "`other` is none of the type's `properties`", "5:5"),
        (
            "{ one-of: [a, b], default: a,",
            "{",
            "just one of `one-of`, `range` and `pattern`",
            "5:5",
        ),
        (
            "default: a,",
            "range: { from: 0, to: 1 },",
            "just one of `one-of`, `range` and `pattern`",
            "5:5",
        ),
        ("[a, b]", "[a, a]", "`a` is given twice", "5:25"),
        ("[a, b]", "['a,b']", "`a,b` is not a word", "5:22"),
        ("[a, b]", "['']", "an empty text is not a word", "5:22"),
        ("default: a", "default: c", "the default `c` is not what it may be set to", "5:38"),
        ("from: 1, to: 255", "from: 2, to: 1", "2 is more than 1", "6:22"),
        ("to: 255", "to: 256", "256 is more than a `uint8` holds, 255", "6:37"),
        ("to: 32767", "to: 32768", "32768 is more than a `int16` holds, 32767", "7:37"),
        ("'[a-z]{1,8}'", "'[a-z]+'", "no `max-length` says how long", "8:22"),
        (
            "'[a-z]{1,8}'",
            "'a{200}a{200}'",
            "its shortest text has 400 characters, and 256 are",
            "8:22",
        ),
        ("'[a-z]{1,8}'", "'^[a-z]{1,8}$'", "`^` is no literal character", "8:22"),
        ("'[a-z]{1,8}'", "'[a, ]{1,8}'", "is not a pattern", "8:22"),
        ("text: {", "on-off: {", "a text is for a `str`", "8:24"),
        (
            "number: { range: { from: 1, to: 255 }, default: 1",
            "number: { one-of: ['1', '256'], default: '1'",
            "`number` is a `uint8`, and `256` is none",
            "6:29",
        ),
        (
            "signed: { range: { from: 0, to: 32767 }",
            "signed: { one-of: ['-32767', '128', a]",
            "`signed` is a `int16`, and `a` is none",
            "7:41",
        ),
        ("help: a word", "max-length: 3, help: a word", "this is for a `pattern`", "5:41"),
        ("max-per-vm: 2", "max-per-vm: 3", "would need as many slots, and it has 2", "10:15"),
        ("0x14", "0x13", "`0x13` is beyond what is possible", "9:36"),
        ("text: {", "tEXT: {", "`tEXT` is none of the type's", "8:5"),
        (", help: a text", "", "key `help` is missing", "8:5"),
    ] {
        let error = refusal(from, to);
        let good = error.contains(expected) && error.contains(&format!("--> c.yaml:{place}\n"));
        wrong.extend((!good).then(|| format!("{from} -> {to}, {place}: {error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let options = "properties: { json: str, a_b: str, a-b: str }\nsettings:\n  properties:\n";
    for name in ["driver", "id", "bus", "addr", "romfile", "failover_pair_id", "multifunction"] {
        let text = CONTRACT
            .replace("word: str", &format!("{name}: str"))
            .replace("    word: {", &format!("    {name}: {{"));
        let error = parse(&text, "c.yaml").unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{name}` means something to QEMU for every device")),
            "{error}"
        );
    }
    for (name, expected) in [("json", "`--json` cannot be an option"), ("a_b", "an option of two")]
    {
        let text = format!(
            "name: tag\n{options}    {name}: {{ one-of: [a], help: x }}\n    a-b: {{ one-of: [a], help: x }}\n"
        );
        let error = parse(&text, "c.yaml").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let long = "    text: { pattern: '[a-z]{1,250}', help: x }\n  max-per-vm: 5\n";
    let text = CONTRACT.split("    text").next().unwrap();
    let error = parse(&format!("{text}{long}"), "c.yaml").unwrap_err().to_string();
    assert!(error.contains("a setting might have"), "{error}");
}

#[test]
fn a_type_that_dom0_serves_can_be_a_platform_key() {
    let pipeline = include_str!("../../../workstation.yaml");
    let contract = include_str!("../../../../device/vgpu-stub.yaml");
    for (name, expected) in [
        ("vgpu-stub", None),
        ("vga", Some("`vga` is a key of XAPI's own")),
        ("viridian-x", Some("`viridian-x` is a key of XAPI's own")),
        ("my.device", Some("`my.device` is no name in XenStore: it has `.` in it")),
    ] {
        let text = pipeline.replace("type: vgpu-stub", &format!("type: {name}"));
        let text = text.replace("device: vgpu-stub", &format!("device: {name}"));
        let text = text.replace("only-adds: [vgpu-stub]", &format!("only-adds: [{name}]"));
        let contract = contract.replace("name: vgpu-stub", &format!("name: {name}"));
        let contract = parse(&contract, "c.yaml").unwrap_or_else(|error| panic!("{error}"));
        let found = super::super::parse(&text, "p.yaml").unwrap_or_else(|error| panic!("{error}"));
        let found = found.with_contracts(vec![contract], &text, "p.yaml");
        match expected {
            None => assert!(found.is_ok()),
            Some(expected) => {
                let error = found.unwrap_err().to_string();
                assert!(error.contains(expected) && error.contains("--> p.yaml:"), "{error}");
            }
        }
    }
    let without = contract.split("# What an operator may set").next().unwrap();
    let found = super::super::parse(pipeline, "p.yaml").unwrap();
    let error = found.with_contracts(vec![parse(without, "c.yaml").unwrap()], pipeline, "p.yaml");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("has no `settings`, so nobody could give it to a VM"), "{error}");
}
