use super::*;

const CONTRACT: &str = include_str!("../../../../device/vgpu-stub.yaml");

/// What is said of the contract with one piece of text changed.
fn refusal(from: &str, to: &str) -> String {
    assert!(CONTRACT.contains(from), "{from}");
    format!("{:#}", parse(&CONTRACT.replacen(from, to, 1), "c.yaml").unwrap_err())
}

#[test]
fn the_contract_of_our_device_is_good() {
    let contract = parse(CONTRACT, "c.yaml").unwrap();
    let pci = contract.pci.unwrap();
    assert_eq!((pci.vendor, pci.device, pci.class), (0x1af4, 0x1111, 0x1200));
    assert_eq!(contract.starts[1].then[&0], 0xdead_beef);
    let values = contract.starts.iter().flat_map(|start| start.with.values());
    // As they are spelled, numbers too.
    for spelled in ["", "0x10", "4294967295", " A", "low,high"] {
        assert!(values.clone().any(|value| value.as_str() == spelled), "{spelled}");
    }
}

#[test]
fn a_contract_twice_is_one_too_many() {
    let text = include_str!("../../../workstation.yaml");
    let twice = vec![parse(CONTRACT, "c.yaml").unwrap(); 2];
    let error = super::super::parse(text, "p.yaml").unwrap().with_contracts(twice, text, "p.yaml");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`verify` says twice what the type `vgpu-stub` must be"), "{error}");
}

#[test]
fn nonsense_is_refused_where_it_stands() {
    let bar = "{ index: 0, kind: memory32, size: 0x1000 }";
    let first = "- reads: { 0x000: 0, 0x004: 0,";
    for (from, to, expected) in [
        ("interrupt-pin: 0", "interrupt-pin: 5", "c.yaml:18:3: `interrupt-pin` 5 is none of PCI's"),
        (bar, "{ index: 6, kind: io, size: 4 }", "c.yaml:19:3: there is no BAR 6"),
        (bar, "{ index: 5, kind: memory64, size: 16 }", "c.yaml:19:3: there is no BAR 6"),
        (
            "    - { index: 0",
            "    - { index: 0, kind: memory64, size: 16 }\n    - { index: 1",
            "c.yaml:19:3: BAR 1 is given twice",
        ),
        (
            "size: 0x1000",
            "size: 0x1001",
            "c.yaml:20:41: the size of BAR 0, 0x1001, is not a power of two from 0x10 to 0x80000000",
        ),
        ("kind: memory32", "kind: io, prefetchable: true", "c.yaml:20:29: BAR 0 is of I/O ports"),
        ("kind: memory32", "kind: memory", "unknown variant `memory`"),
        ("vm_id: 200", "addr: 5", "c.yaml:30:41: `addr` says where a device is plugged in"),
        (
            "{ pool_id: C }, refused",
            "{ pool_id: C }, writes: { 0: 1 }, refused",
            "a start that is `refused` has no registers to read or write",
        ),
        ("    writes: { 0x000: 0 }\n", "", "`then` is what registers read after `writes`"),
        (
            first,
            "- reads: { 0x000: 0, 0x006: 0,",
            "c.yaml:24:24: register 0x006 is not one of 32 bits",
        ),
        (first, "- reads: { 0x000: 0, 4096: 0,", "c.yaml:24:24: register 0x1000 is not one"),
        (bar, "{ index: 1, kind: memory32, size: 16 }", "nothing says where register 0x000 is"),
    ] {
        let error = refusal(from, to);
        assert!(error.contains(expected), "{from} -> {to}: {error}");
    }
}

#[test]
fn a_contract_with_an_unknown_word_names_the_nearest() {
    let error = refusal("  revision:", "  revison:");
    assert!(error.starts_with("c.yaml:14:3: pci: unknown field `revison`"), "{error}");
    assert!(error.ends_with("help: did you mean `revision`?"), "{error}");
}

#[test]
fn the_schema_of_a_contract_leads_to_that_of_its_form() {
    let schema = include_str!("../../../../device/contract.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let (file, form) = schema["$ref"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(file, "../pipeline/schema.json");
    assert!(super::super::schema().pointer(form).is_some(), "{form}");
}
