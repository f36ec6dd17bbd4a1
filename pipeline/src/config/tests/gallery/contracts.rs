// SPDX-License-Identifier: GPL-2.0-or-later
//! What a device's contract says.

use super::{Contract, Slip};

const BAR: &str = "{ index: 0, kind: memory32, size: 0x1000 }";

pub const SLIPS: &[Slip] = &[
    ("kind-of-property-is-string", Contract, &[("pool_id: str", "pool_id: string")]),
    ("kind-of-property-is-c", Contract, &[("vm_id: uint32", "vm_id: uint32_t")]),
    ("kind-of-property-is-integer", Contract, &[("vm_id: uint32", "vm_id: integer")]),
    ("kind-of-property-is-unknown", Contract, &[("vm_id: uint32", "vm_id: register")]),
    ("kind-of-property-is-mistyped", Contract, &[("vm_id: uint32", "vm_id: unit32")]),
    ("parent-by-its-name-in-c", Contract, &[("parent: pci-device", "parent: PCIDevice")]),
    ("parent-by-its-macro", Contract, &[("parent: pci-device", "parent: TYPE_PCI_DEVICE")]),
    (
        "interface-by-its-macro",
        Contract,
        &[("[conventional-pci-device]", "[INTERFACE_CONVENTIONAL_PCI_DEVICE]")],
    ),
    ("type-by-its-name-in-c", Contract, &[("name: vgpu-stub", "name: VgpuStub")]),
    ("type-in-capitals", Contract, &[("name: vgpu-stub", "name: VGPU-Stub")]),
    (
        "register-in-two-spellings",
        Contract,
        &[("- reads: { 0x000: 0, 0x004", "- reads: { 0x000: 0, 0x00: 1, 0x004")],
    ),
    (
        "register-in-decimal-and-again",
        Contract,
        &[("      0x014: 0xffffffff\n", "      0x014: 0xffffffff\n      20: 0\n")],
    ),
    ("kind-of-bar", Contract, &[("kind: memory32", "kind: memory")]),
    ("bar-beyond-the-last", Contract, &[(BAR, "{ index: 6, kind: io, size: 4 }")]),
    ("upper-half-beyond-the-last", Contract, &[(BAR, "{ index: 5, kind: memory64, size: 16 }")]),
    (
        "bar-given-twice",
        Contract,
        &[("    - { index: 0", "    - { index: 0, kind: memory64, size: 16 }\n    - { index: 1")],
    ),
    ("bar-of-an-odd-size", Contract, &[("size: 0x1000", "size: 0x1001")]),
    (
        "ports-that-are-prefetchable",
        Contract,
        &[("kind: memory32", "kind: io, prefetchable: true")],
    ),
    ("interrupt-pin-of-none", Contract, &[("interrupt-pin: 0", "interrupt-pin: 5")]),
    ("property-with-a-dash", Contract, &[("with: { pool_id: B, ", "with: { pool-id: B, ")]),
    ("property-that-says-a-slot", Contract, &[("vm_id: 200", "addr: 5")]),
    (
        "register-that-is-not-aligned",
        Contract,
        &[("- reads: { 0x000: 0, 0x004: 0,", "- reads: { 0x000: 0, 0x006: 0,")],
    ),
    (
        "register-beyond-the-bar",
        Contract,
        &[("- reads: { 0x000: 0, 0x004: 0,", "- reads: { 0x000: 0, 4096: 0,")],
    ),
    (
        "register-by-name",
        Contract,
        &[("- reads: { 0x000: 0, 0x004: 0,", "- reads: { command: 0, 0x004: 0,")],
    ),
    ("registers-without-a-bar", Contract, &[(BAR, "{ index: 1, kind: memory32, size: 16 }")]),
    (
        "registers-of-a-start-that-is-refused",
        Contract,
        &[("{ pool_id: C }, refused", "{ pool_id: C }, writes: { 0: 1 }, refused")],
    ),
    ("after-writes-that-are-not-there", Contract, &[("    writes: { 0x000: 0 }\n", "")]),
    ("value-of-a-register-too-large", Contract, &[("0x000: 0xdeadbeef", "0x000: 0xdeadbeef0")]),
];
