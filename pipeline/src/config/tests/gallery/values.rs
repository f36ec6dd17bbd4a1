// SPDX-License-Identifier: GPL-2.0-or-later
//! Values that break the rule of their place.

use super::{LockFile, Slip, Workstation, XcpNg};

pub const SLIPS: &[Slip] = &[
    (
        "digest-too-short",
        Workstation,
        &[(
            "91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962f",
            "91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962",
        )],
    ),
    ("digest-with-its-kind", Workstation, &[("sha256: 91aca71520", "sha256: sha256:91aca71520")]),
    (
        "digest-as-sha256sum-prints-it",
        Workstation,
        &[("07af2962f\n", "07af2962f  qemu_7.2+dfsg.orig.tar.xz\n")],
    ),
    (
        "kind-of-property-is-mistyped-in-a-pipeline",
        Workstation,
        &[(
            "  contracts: [../device/vgpu-stub.yaml]\n",
            "  types:\n    - name: vgpu-stub\n      properties: { vm_id: unit32 }\n",
        )],
    ),
    (
        "digest-in-capitals",
        Workstation,
        &[(
            "91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962f",
            "91ACA71520040EDC40B8D437AA3004DAE614F58E286CF653EE8996C07AF2962F",
        )],
    ),
    ("commit-shortened", XcpNg, &[("fdc77b61a5eda8019d31e25d7d6f870d4d8b8c88", "fdc77b61a5ed")]),
    ("branch-for-a-commit", XcpNg, &[("fdc77b61a5eda8019d31e25d7d6f870d4d8b8c88", "master")]),
    (
        "fingerprint-with-spaces",
        XcpNg,
        &[(
            "6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5",
            "6341 AB27 53D7 8A78 A7C2 7BB1 24C6 A8A7 F4A8 0EB5",
        )],
    ),
    (
        "image-without-a-registry",
        XcpNg,
        &[("docker.io/library/centos:7.5.1804", "centos:7.5.1804")],
    ),
    (
        "image-by-digest",
        XcpNg,
        &[(
            "docker.io/library/centos:7.5.1804",
            "docker.io/library/centos@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        )],
    ),
    ("package-with-a-version", XcpNg, &[("        - gcc\n", "        - gcc >= 4.8\n")]),
    ("suffix-without-a-dot", Workstation, &[("release-suffix: .vgpu1", "release-suffix: vgpu1")]),
    ("suffix-with-two-dots", Workstation, &[("release-suffix: .vgpu1", "release-suffix: .vgpu.1")]),
    ("folder-that-leaves-the-tree", Workstation, &[("directory: hw/misc", "directory: ../misc")]),
    ("folder-from-the-top", Workstation, &[("directory: hw/misc", "directory: /hw/misc")]),
    ("folder-through-dots", Workstation, &[("directory: hw/misc", "directory: hw/../misc")]),
    ("symbol-without-config", Workstation, &[("condition: CONFIG_PCI", "condition: PCI")]),
    (
        "symbol-with-shell-in-it",
        Workstation,
        &[("condition: CONFIG_PCI", "condition: CONFIG_PCI; rm -rf /")],
    ),
    (
        "device-that-is-no-c-file",
        Workstation,
        &[("source: ../device/vgpu-stub.c", "source: ../device/vgpu-stub.rs")],
    ),
    ("type-with-an-underscore", Workstation, &[("  - type: vgpu-stub", "  - type: vgpu_stub")]),
    ("name-with-capitals", Workstation, &[("name: workstation", "name: Workstation")]),
    ("name-that-yum-has", Workstation, &[("name: workstation", "name: main")]),
    (
        "url-without-a-scheme",
        Workstation,
        &[("base-url: http://localhost:8000", "base-url: localhost:8000")],
    ),
    (
        "url-with-a-password",
        XcpNg,
        &[(
            "url: https://github.com/xcp-ng-rpms/qemu.git",
            "url: https://me:s3cr3t@github.com/xcp-ng-rpms/qemu.git",
        )],
    ),
    (
        "url-with-a-token",
        XcpNg,
        &[("scripts/qemu-wrapper\n", "scripts/qemu-wrapper?token=s3cr3t\n")],
    ),
    (
        "url-that-names-no-file",
        XcpNg,
        &[("ocaml/xenopsd/scripts/qemu-wrapper", "ocaml/xenopsd/scripts/")],
    ),
    ("memory-in-gigabytes", XcpNg, &[("build:\n", "build:\n  limits: { memory: 8GB }\n")]),
    ("no-processes-at-all", XcpNg, &[("build:\n", "build:\n  limits: { pids: 0 }\n")]),
    ("macro-with-a-percent", XcpNg, &[("    dist: .xcpng8.3", "    '%dist': .xcpng8.3")]),
    ("macro-that-is-too-short", XcpNg, &[("    dist: .xcpng8.3", "    d: .xcpng8.3")]),
    ("path-that-is-not-absolute", XcpNg, &[("    - /usr/share/qemu\n", "    - usr/share/qemu\n")]),
    ("list-of-paths-that-is-empty", Workstation, &[("verify:\n", "verify:\n  paths: []\n")]),
    ("unknown-target", XcpNg, &[("target: el7", "target: el10")]),
    (
        "unknown-rule",
        XcpNg,
        &[("  target: el7\n", "  target: el7\n  rules:\n    hardning: warn\n")],
    ),
    (
        "unknown-level",
        XcpNg,
        &[("  target: el7\n", "  target: el7\n  rules:\n    hardening: warning\n")],
    ),
    ("unknown-python", XcpNg, &[("  vendor:\n", "  python: python3.6\n  vendor:\n")]),
    (
        "variable-with-a-dollar",
        Workstation,
        &[("publish:\n", "sign:\n  passphrase_env: $PASSPHRASE\n\npublish:\n")],
    ),
    (
        "secret-for-its-variable",
        Workstation,
        &[("publish:\n", "sign: { passphrase_env: correct horse battery }\n\npublish:\n")],
    ),
    (
        "fingerprint-of-the-key-in-small-letters",
        Workstation,
        &[(
            "publish:\n",
            "sign:\n  fingerprint: 6341ab2753d78a78a7c27bb124c6a8a7f4a80eb5\n\npublish:\n",
        )],
    ),
    ("package-in-a-lock-that-is-no-rpm", LockFile, &[("28.el7.x86_64.rpm", "28.el7.x86_64.tar")]),
];
