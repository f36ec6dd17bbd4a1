// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;

/// What the file of our device says; layouts are the room `elf`'s own affair.
fn stub() -> QomType {
    let text = r#"{"name": "vgpu-stub", "parent": "pci-device", "abstract": false,
        "interfaces": ["conventional-pci-device"], "instance_size": 0, "class_size": 0, "class_init": true,
        "properties": [{"name": "pool_id", "kind": "str"}, {"name": "vm_id", "kind": "uint32"}]}"#;
    serde_json::from_str(text).unwrap()
}

const SAID: &str = r#"{"QMP": {"version": {}}}
{"return": {}, "id": 0}
{"timestamp": {}, "event": "RESUME"}
{"return": [{"name": "vgpu-stub", "parent": "pci-device"}, {"name": "made"}, {"name": "a::b"}], "id": 1}
{"return": [{"name": "vgpu-stub"}], "id": 2}
{"return": [{"name": "x"}, {"name": "vgpu-stub"}], "id": 3}
{"return": [{"name": "pool_id", "type": "str"}, {"name": "vm_id", "type": "uint32"}, {"name": "addr", "type": "int32"}], "id": 4}
{"return": [{"name": "type", "type": "string"}, {"name": "legacy-addr", "type": "legacy<int32>"}, {"name": "legacy-mode", "type": "str"}], "id": 5}
{"return": {}}
"#;

fn judged(found: QomType, said: &str) -> String {
    let types = [found];
    let census = ["vgpu-stub", "gone"].map(str::to_owned);
    let (script, questions) = script(&types);
    let compared =
        script.replies(said).and_then(|replies| compare(&types, &census, &questions, &replies));
    compared.map_or_else(|error| format!("{error:#}"), |check| check.why)
}

#[test]
fn a_file_and_its_program_agree() {
    let numbers = "2 run, 1 of them are in the file, 1 of the file's it does not know: gone";
    assert_eq!(judged(stub(), SAID), numbers);
}

#[test]
fn each_disagreement_is_named() {
    for (from, to, expected) in [
        (
            "\"vgpu-stub\", \"parent\"",
            "\"vgpu-stab\", \"parent\"",
            "it does not know type `vgpu-stub`",
        ),
        (
            "\"parent\": \"pci-device\"",
            "\"parent\": \"device\"",
            "derives from `device`, and by its file from `pci-device`",
        ),
        (
            "\"parent\": \"pci-device\"",
            "\"parent\": \"pci-device\", \"abstract\": true",
            "is abstract, and by its file it is not",
        ),
        (
            "[{\"name\": \"x\"}, {\"name\": \"vgpu-stub\"}]",
            "[]",
            "does not implement `conventional-pci-device`",
        ),
        ("\"pool_id\", ", "\"pool\", ", "has no property `pool_id`, and by its file it has"),
        (
            "\"type\": \"uint32\"",
            "\"type\": \"str\"",
            "`vm_id` of `vgpu-stub` is a `str`, and by its file a `uint32`",
        ),
        (
            "{\"return\": [{\"name\": \"vgpu-stub\"}], \"id\": 2}",
            "{\"return\": 7, \"id\": 2}",
            "qom-list-types: not a list: `7`",
        ),
    ] {
        assert!(SAID.contains(from), "{from}");
        let said = judged(stub(), &SAID.replacen(from, to, 1));
        assert!(said.contains(expected), "{to}: {said}");
    }
}

/// The stub with one more property.
fn with(name: &str, kind: &str, is_abstract: bool) -> QomType {
    let mut found = stub();
    let property = serde_json::json!({ "name": name, "kind": kind });
    found.properties.get_or_insert_default().push(serde_json::from_value(property).unwrap());
    found.is_abstract = is_abstract;
    found
}

const UNSEEN: &str = "by its file alone, since QMP does not list them: ";

#[test]
fn what_one_listing_leaves_out_is_looked_for_in_the_other() {
    let said = judged(with("legacy-mode", "str", false), SAID);
    assert!(said.ends_with("does not know: gone"), "{said}");
    let said = judged(with("legacy-mode", "uint32", false), SAID);
    assert!(said.contains("`legacy-mode` of `vgpu-stub` is a `str`, and by its file"), "{said}");
    for name in ["legacy-none", "x-none", "len-list"] {
        let said = judged(with(name, "int32", false), SAID);
        let expected = format!("has no property `{name}`, and by its file it has");
        assert!(said.contains(&expected), "{said}");
    }
    // Up to 5.x a property without a setter is in one listing alone.
    let said = SAID.replacen("{\"name\": \"vm_id\", \"type\": \"uint32\"}, ", "", 1);
    assert!(judged(stub(), &said).contains("has no property `vm_id`"));
    let said =
        said.replace("\"legacy-mode\", \"type\": \"str\"", "\"vm_id\", \"type\": \"uint32\"");
    assert!(judged(stub(), &said).ends_with("does not know: gone"));
}

#[test]
fn what_no_listing_has_is_said_to_be_unseen() {
    let no = |id: u32, said: &str| {
        let from = said.find(&format!("], \"id\": {id}}}")).unwrap();
        let begin = said[..from].rfind('\n').unwrap() + 1;
        let end = from + said[from..].find('\n').unwrap();
        format!(
            "{}{{\"error\": {{\"desc\": \"no\"}}, \"id\": {id}}}{}",
            &said[..begin],
            &said[end..]
        )
    };
    // Before 2.12 there is one listing.
    for name in ["legacy-mode", "legacy-", "hotplugged", "realized"] {
        let said = judged(with(name, "str", false), &no(5, SAID));
        assert!(said.ends_with(&format!("{UNSEEN}`{name}` of `vgpu-stub`")), "{said}");
    }
    let said = judged(with("shade", "str", false), &no(5, SAID));
    assert!(said.contains("has no property `shade`"), "{said}");
    // What is no device has the other one.
    let both =
        "{\"name\": \"pool_id\", \"type\": \"str\"}, {\"name\": \"vm_id\", \"type\": \"uint32\"}";
    let said = SAID.replace("{\"name\": \"type\", \"type\": \"string\"}", both);
    assert!(judged(stub(), &no(4, &said)).ends_with("does not know: gone"));
    let said = judged(stub(), &no(4, &no(5, SAID)));
    assert!(said.contains("device-list-properties: no"), "{said}");
    // An abstract type is never made: none of the two has its instances' properties.
    let said = SAID.replacen(
        "\"parent\": \"pci-device\"",
        "\"parent\": \"pci-device\", \"abstract\": true",
        1,
    );
    let said = judged(with("shade", "str", true), &no(4, &no(5, &said)));
    let expected = "`pool_id` of `vgpu-stub`, `vm_id` of `vgpu-stub`, `shade` of `vgpu-stub`";
    assert!(said.ends_with(&format!("{UNSEEN}{expected}")), "{said}");
}

#[test]
fn garbage_is_no_agreement() {
    for (said, expected) in [
        ("", "it gave no reply to `qmp_capabilities`"),
        ("segmentation fault\n\u{0}\u{0}\n", "it gave no reply to `qmp_capabilities`"),
        ("{\"return\": {}, \"id\": 0}\n", "it gave no reply to `qom-list-types`"),
        ("{\"return\": {}, \"id\"\n", "not a line of QMP: `{\\\"return\\\": {}, \\\"id\\\"`"),
        ("{\"id\": 0}\n", "not a reply of QMP"),
        ("{\"error\": 3, \"id\": 0}\n", "not a reply of QMP"),
    ] {
        let found = judged(stub(), said);
        assert!(found.contains(expected), "{said}: {found}");
    }
    let deep = format!("{}\n", "{\"a\":".repeat(100_000));
    assert!(judged(stub(), &deep).starts_with("not a line of QMP"));
}
