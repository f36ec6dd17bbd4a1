// SPDX-License-Identifier: GPL-2.0-or-later
//! Keys that are mistyped, missing, or in the wrong place.

use super::{Contract, LockFile, SettingsFile, Slip, Workstation, XcpNg};

pub const SLIPS: &[Slip] = &[
    ("key-mistyped", Workstation, &[("      package: qemu", "      pakage: qemu")]),
    ("key-with-an-underscore", Workstation, &[("  base-url: http", "  base_url: http")]),
    ("key-with-a-capital", Workstation, &[("    directory: hw/misc", "    Directory: hw/misc")]),
    ("key-of-another-tool", Workstation, &[("    directory: hw/misc", "    dest: hw/misc")]),
    (
        "key-of-elsewhere",
        Workstation,
        &[("name: workstation\n", "name: workstation\nsuite: bookworm\n")],
    ),
    ("section-mistyped", Workstation, &[("\npublish:\n", "\npublsih:\n")]),
    (
        "section-missing",
        Workstation,
        &[
            (
                "verify:\n  contracts: [../device/vgpu-stub.yaml]\n  provides:\n    - qemu-device(vgpu-stub) = 1\n",
                "",
            ),
            (
                "  # Where the machine has a kernel, a static busybox and firmware; otherwise that is said.\n",
                "",
            ),
            ("  guest: {}\n  # The spec as it came, built once in the same environment.\n", ""),
            ("  stock:\n    build: {}\n  only-adds: [vgpu-stub]\n\n", ""),
        ],
    ),
    ("key-missing", Workstation, &[("      version: 1:7.2+dfsg-7+deb12u18\n", "")]),
    (
        "two-keys-missing",
        XcpNg,
        &[(
            "            commit: 6cdf8c4efa073eac7d5f9894329e2d07743c2955\n            prefix: qemu-4.2.1\n",
            "",
        )],
    ),
    ("unknown-kind-of-source", Workstation, &[("  - debian:\n", "  - deb:\n")]),
    (
        "kind-of-source-not-indented",
        XcpNg,
        &[
            (
                "  - git:\n      url: https://github.com/xcp-ng-rpms/qemu.git\n",
                "  - git:\n    url: https://github.com/xcp-ng-rpms/qemu.git\n",
            ),
            (
                "      commit: fdc77b61a5eda8019d31e25d7d6f870d4d8b8c88\n      branch: master\n      lfs:\n",
                "    lfs:\n",
            ),
        ],
    ),
    (
        "two-kinds-in-one-item",
        XcpNg,
        &[(
            "    - release-suffix: .vgpu1\n",
            "    - release-suffix: .vgpu1\n      drop-patch: a.patch\n",
        )],
    ),
    (
        "edit-without-its-key",
        Workstation,
        &[("    - release-suffix: .vgpu1\n", "    - release-suffix\n")],
    ),
    ("edit-mistyped", Workstation, &[("    - insert-after:", "    - insert_after:")]),
    (
        "list-where-a-mapping-belongs",
        Workstation,
        &[("publish:\n  base-url:", "publish:\n  - base-url:")],
    ),
    (
        "mapping-where-a-list-belongs",
        Workstation,
        &[("device:\n  - type: vgpu-stub\n", "device:\n    type: vgpu-stub\n")],
    ),
    (
        "text-where-a-list-belongs",
        Workstation,
        &[("only-adds: [vgpu-stub]", "only-adds: vgpu-stub")],
    ),
    ("list-where-a-word-belongs", Workstation, &[("name: workstation", "name: [workstation]")]),
    (
        "nothing-where-a-mapping-belongs",
        Workstation,
        &[("publish:\n  base-url: http://localhost:8000\n", "publish:\n")],
    ),
    (
        "empty-list-of-sources",
        XcpNg,
        &[
            ("lfs:\n", "lfs: []\n\nenvironmen:\n"),
            ("source:\n  - git:\n", "source: []\nsauce:\n  - git:\n"),
        ],
    ),
    ("unknown-key-in-a-contract", Contract, &[("  revision: 0x01", "  revison: 0x01")]),
    ("key-missing-in-a-contract", Contract, &[("  subsystem: 0x1100\n", "")]),
    ("unknown-key-in-a-lock", LockFile, &[("keys: []", "key: []")]),
    ("unknown-key-in-the-settings", SettingsFile, &[("mirrors:", "mirror:")]),
];
