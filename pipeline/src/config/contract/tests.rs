// SPDX-License-Identifier: GPL-2.0-or-later
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
    let text = text.replace("contracts: [", "contracts: [a.yaml, ");
    let twice = vec![parse(CONTRACT, "c.yaml").unwrap(); 2];
    let error =
        super::super::parse(&text, "p.yaml").unwrap().with_contracts(twice, &text, "p.yaml");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("what is said of the type `vgpu-stub` is given twice"), "{error}");
    assert!(error.contains("--> p.yaml:69:23\n"), "{error}");
}

/// The pictures of the gallery show each; these are the places, and that nothing else is said.
#[test]
fn nonsense_is_refused_where_it_stands() {
    let bar = "{ index: 0, kind: memory32, size: 0x1000 }";
    let first = "- reads: { 0x000: 0, 0x004: 0,";
    for (from, to, expected, place) in [
        ("interrupt-pin: 0", "interrupt-pin: 5", "`5` is beyond what is possible", "18:18"),
        (bar, "{ index: 6, kind: io, size: 4 }", "`6` is beyond what is possible", "20:16"),
        (bar, "{ index: 5, kind: memory64, size: 16 }", "there is no BAR 6", "20:16"),
        ("size: 0x1000", "size: 0x1001", "0x1001 is not a power of two from 0x10", "20:41"),
        ("kind: memory32", "kind: io, prefetchable: true", "a BAR of I/O ports", "20:43"),
        ("kind: memory32", "kind: memory", "unknown word `memory`", "20:25"),
        ("vm_id: 200", "addr: 5", "`addr` says where a device is plugged in", "30:41"),
        ("    writes: { 0x000: 0 }\n", "", "what registers read after `writes`", "26:5"),
        (first, "- reads: { 0x000: 0, 0x006: 0,", "register 0x006 is not one of 32 bits", "24:24"),
        (first, "- reads: { 0x000: 0, 4096: 0,", "register 0x1000 is not one", "24:24"),
        (bar, "{ index: 1, kind: memory32, size: 16 }", "nothing says where these", "24:5"),
        ("pool_id: str,", "pool_id: string,", "`string` is not the kind of a property", "9:24"),
        ("  revision:", "  revison:", "pci: unknown key `revison`", "14:3"),
    ] {
        let error = refusal(from, to);
        assert!(error.contains(expected), "{from} -> {to}: {error}");
        assert!(error.contains(&format!("--> c.yaml:{place}\n")), "{from} -> {to}: {error}");
        assert!(!error.contains("error: "), "{from} -> {to}: one mistake is one: {error}");
    }
}

#[test]
fn the_schema_of_a_contract_leads_to_that_of_its_form() {
    let schema = include_str!("../../../../device/contract.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let (file, form) = schema["$ref"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(file, "../pipeline/schema.json");
    assert!(super::super::schema().pointer(form).is_some(), "{form}");
}
