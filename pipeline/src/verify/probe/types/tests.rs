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
            "{\"return\": [{\"name\": \"pool_id\"",
            "{\"error\": {\"desc\": \"no\"}, \"x\": [{\"name\": \"pool_id\"",
            "device-list-properties: no",
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
