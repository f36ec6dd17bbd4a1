// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines that do not fit to each other, and brackets that do not fit to anything: the parser stops
//! elsewhere.

use super::{Contract, In, LockFile, Slip, Workstation, XcpNg};

const SOURCE: &str = "    source: ../device/vgpu-stub.c\n    directory:";

pub const SLIPS: &[Slip] = &[
    (
        "one-space-too-many-below-a-comment",
        Workstation,
        &[(SOURCE, "    source: ../device/vgpu-stub.c # ours\n     directory:")],
    ),
    (
        "one-space-too-many-below-a-line-of-comment",
        Workstation,
        &[(SOURCE, "    source: ../device/vgpu-stub.c\n    # ours\n     directory:")],
    ),
    (
        "one-space-too-many-below-quotes",
        Workstation,
        &[(SOURCE, "    source: '../device/vgpu-stub.c'\n     directory:")],
    ),
    (
        "keys-of-an-item-too-deep-below-a-comment",
        Workstation,
        &[("  - type: vgpu-stub\n    source:", "  - type: vgpu-stub # ours\n      source:")],
    ),
    (
        "item-too-deep-below-a-comment",
        Workstation,
        &[("        - gcc\n        - libc6-dev", "        - gcc # C\n          - libc6-dev")],
    ),
    (
        "list-below-a-value-and-a-comment",
        Workstation,
        &[("  file: workstation/qemu.spec\n", "  file: workstation/qemu.spec # ours\n    - a\n")],
    ),
    (
        "text-that-goes-on-below-a-comment",
        Workstation,
        &[(SOURCE, "    source: ../device/ # ours\n      vgpu-stub.c\n    directory:")],
    ),
    (
        "item-behind-its-key",
        XcpNg,
        &[("        find: --enable-werror", "        find: - --enable-werror")],
    ),
    ("comma-twice", Contract, &[("[conventional-pci-device]", "[conventional-pci-device,,]")]),
    ("comma-first", Contract, &[("{ pool_id: str,", "{ , pool_id: str,")]),
    ("comma-missing", Contract, &[("{ pool_id: str, ", "{ pool_id: str ")]),
    ("bracket-of-another-kind", Contract, &[("vm_id: uint32 }", "vm_id: uint32 ]")]),
    ("bracket-twice", Contract, &[("- { index: 0", "- {{ index: 0")]),
    ("brace-without-an-end", XcpNg, &[("build:\n", "build: {\n")]),
    (
        "word-in-quotes-at-the-end",
        Workstation,
        &[("  base-url: http://localhost:8000\n", "  base-url: http://localhost:8000\n  'a'\n")],
    ),
    ("comma-outside-of-brackets", Contract, &[("parent: pci-device", "parent: ,pci-device")]),
    ("bracket-alone", In::Text("", &LockFile), &[("", "[\n\n")]),
    (
        "key-among-items",
        Workstation,
        &[("    - add-source: vgpu-stub.c", "    add-source: vgpu-stub.c")],
    ),
    (
        "keys-of-an-item-in-the-column-of-its-dash",
        Workstation,
        &[("  - type: vgpu-stub\n    source:", "  - type: vgpu-stub\n  source:")],
    ),
    (
        "item-among-keys",
        Workstation,
        &[("  base-url: http://localhost:8000\n", "  base-url: http://localhost:8000\n  - a: b\n")],
    ),
    (
        "space-missing-behind-a-colon-in-braces",
        Contract,
        &[("pool_id: str, priority", "pool_id:str, priority")],
    ),
    (
        "space-missing-behind-the-last-colon-in-braces",
        Contract,
        &[("size: 0x1000 }", "size:0x1000 }")],
    ),
];
