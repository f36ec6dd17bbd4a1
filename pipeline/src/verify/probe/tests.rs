// SPDX-License-Identifier: GPL-2.0-or-later
use super::pci_function::PciFunction;
use super::qtest::{Field, Script};
use super::*;

const CONTRACT: &str = include_str!("../../../../device/vgpu-stub.yaml");

fn contract() -> [ExpectedType; 1] {
    [serde_yaml::from_str(CONTRACT).unwrap()]
}

/// One read of which all bits count.
fn script() -> Script {
    let mut script = Script::default();
    script.write("outl", 0xcf8, 0x8000_1800);
    script.read("inl", 0xcfc, vec![Field::whole("the id", 0x1111_1af4)]);
    script
}

#[test]
fn a_session_of_qtest_is_accesses_and_an_end() {
    assert_eq!(script().input(), "outl 0xcf8 0x80001800\ninl 0xcfc\nend-of-session\n");
    let said = "OK\nIRQ raise 3\nOK 0x0000000011111af4\nFAIL Unknown command 'end-of-session'\n";
    assert!(script().judge(said).is_ok());
}

#[test]
fn answers_that_are_none_are_named() {
    for (said, expected) in [
        ("", "it gave no answer to `outl 0xcf8 0x80001800`"),
        ("OK\n", "it gave no answer to `inl 0xcfc`"),
        ("OK\nOK\n", "it answered `OK` to `inl 0xcfc`, which is no value"),
        ("OK\nOK 12\n", "it answered `OK 12` to `inl 0xcfc`, which is no value"),
        ("OK\nOK 0x1ffffffff\n", "which is no value"),
        ("OK\nFAIL Unknown command 'inl'\n", "it answered `FAIL Unknown command \\'inl\\'`"),
        ("\u{0}\u{7}garbage\n", "it answered `\\0\\u{7}garbage` to `outl"),
        ("OK\nOK 0x0000000011111af5\n", "the id is 0x11111af5, expected 0x11111af4"),
    ] {
        let error = script().judge(said).unwrap_err().to_string();
        assert!(error.contains(expected), "{said:?}: {error}");
    }
    let flood = "x".repeat(1 << 20);
    assert!(script().judge(&flood).unwrap_err().to_string().len() < 200);
}

#[test]
fn properties_are_written_as_a_command_line_has_them() {
    let expected = contract();
    let all = |slot| {
        let accepted = DeviceInstance::accepted(&expected);
        let refused = DeviceInstance::refused(&expected).into_iter().map(|(instance, _)| instance);
        accepted.into_iter().chain(refused).map(|it| it.option(slot)).collect::<Vec<_>>()
    };
    assert_eq!(all(Some(10))[0], "vgpu-stub,addr=a");
    assert_eq!(all(None)[1], "vgpu-stub,pool_id=B,priority=high,vm_id=200");
    assert!(all(None).contains(&"vgpu-stub,priority=low,,high".to_owned()));
    let instance = DeviceInstance::accepted(&expected)[1];
    assert_eq!(instance.to_string(), "`vgpu-stub` with `pool_id=B`, `priority=high`, `vm_id=200`");
}

#[test]
fn what_is_no_pci_function_has_no_slot() {
    let text = "{ name: isa-thing, parent: isa-device, starts: [{ with: { iobase: 0x500 } }] }";
    let expected: [ExpectedType; 1] = [serde_yaml::from_str(text).unwrap()];
    assert_eq!(DeviceInstance::accepted(&expected)[0].option(Some(3)), "isa-thing,iobase=0x500");
}

/// The session for one contract, with every BAR and register.
fn session(pci: &str, start: &str) -> String {
    let text = format!(
        "{{ name: it, pci: {{ vendor: 1, device: 2, revision: 3, class: 4, subsystem-vendor: 5, \
         subsystem: 6, interrupt-pin: 1, bars: [{pci}] }}, starts: [{start}] }}"
    );
    let expected: [ExpectedType; 1] = [serde_yaml::from_str(&text).unwrap()];
    let instance = DeviceInstance::accepted(&expected)[0];
    let pci = instance.expected.pci.as_ref().unwrap();
    let mut script = Script::default();
    PciFunction { instance: &instance, pci, slot: 3 }.prove(&mut script);
    script.input()
}

#[test]
fn registers_are_used_where_their_bar_is_placed() {
    let start = "{ reads: { 0: 1 }, writes: { 4: 2 }, then: { 4: 3 } }";
    let memory = session("{ index: 0, kind: memory32, size: 4096 }", start);
    let used = "outl 0xcf8 0x80001810\noutl 0xcfc 0x40000000\noutl 0xcf8 0x80001804\noutl 0xcfc 0x2\n\
        readl 0x40000000\nwritel 0x40000004 0x2\nreadl 0x40000004\n";
    assert!(memory.contains(used), "{memory}");
    let ports = session("{ index: 0, kind: io, size: 32 }", start);
    let used = "outl 0xcfc 0xc000\noutl 0xcf8 0x80001804\noutl 0xcfc 0x1\n\
        inl 0xc000\noutl 0xc004 0x2\ninl 0xc004\n";
    assert!(ports.contains(used), "{ports}");
    let large = session("{ index: 0, kind: memory64, size: 0x400000000 }", start);
    let used = "outl 0xcfc 0x0\noutl 0xcf8 0x80001814\noutl 0xcfc 0x4\noutl 0xcf8 0x80001804\n\
        outl 0xcfc 0x2\nreadl 0x400000000\n";
    assert!(large.contains(used), "{large}");
}
