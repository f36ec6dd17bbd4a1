// SPDX-License-Identifier: GPL-2.0-or-later
//! What only several fields together show, and several mistakes in one file.

use super::{Slip, Workstation, XcpNg};

pub const SLIPS: &[Slip] = &[
    ("source-of-no-device", Workstation, &[("add-source: vgpu-stub.c", "add-source: vgpu-stb.c")]),
    (
        "edit-for-no-device",
        Workstation,
        &[("          device: vgpu-stub\n", "          device: gpu-stub\n")],
    ),
    (
        "device-that-nothing-proves",
        Workstation,
        &[("  contracts: [../device/vgpu-stub.yaml]\n", "  types:\n    - name: vgpu-stb\n")],
    ),
    (
        "device-given-twice",
        Workstation,
        &[("device:\n", "device:\n  - type: vgpu-stub\n    source: ../device/other.c\n")],
    ),
    (
        "source-file-given-twice",
        Workstation,
        &[(
            "        - name: qemu_7.2+dfsg-7+deb12u18.debian.tar.xz",
            "        - name: qemu_7.2+dfsg.orig.tar.xz",
        )],
    ),
    ("repository-given-twice", XcpNg, &[("- id: centos-updates", "- id: centos-base")]),
    (
        "two-git-sources",
        XcpNg,
        &[(
            "environment:\n",
            "  - git:\n      url: https://github.com/xcp-ng-rpms/xapi.git\n      commit: 6cdf8c4efa073eac7d5f9894329e2d07743c2955\n\nenvironment:\n",
        )],
    ),
    (
        "spec-in-a-git-source-that-is-not-there",
        Workstation,
        &[("  file: workstation/qemu.spec", "  git: SPECS/qemu.spec")],
    ),
    (
        "spec-given-twice",
        XcpNg,
        &[("  git: SPECS/qemu.spec\n", "  git: SPECS/qemu.spec\n  file: qemu.spec\n")],
    ),
    ("spec-given-nowhere", XcpNg, &[("  git: SPECS/qemu.spec\n", "")]),
    (
        "lookaside-without-a-package",
        XcpNg,
        &[(
            "url: https://github.com/xcp-ng-rpms/qemu.git\n",
            "url: https://git.example/~/\n      lookaside: { url: 'https://cache.example/' }\n",
        )],
    ),
    (
        "stock-that-is-not-there",
        Workstation,
        &[(
            "  # The spec as it came, built once in the same environment.\n  stock:\n    build: {}\n",
            "",
        )],
    ),
    (
        "device-that-only-adds-leaves-out",
        Workstation,
        &[("only-adds: [vgpu-stub]", "only-adds: [vgpu]")],
    ),
    (
        "wrapper-that-nobody-has",
        XcpNg,
        &[("  shipped: 37c777d7593a5fefa917a5d86c292a67cf34ac473ad99bdf5a53a1fc04b14c90\n", "")],
    ),
    (
        "python-that-drop-ins-do-not-have",
        XcpNg,
        &[("  vendor:\n", "  python: python2\n  vendor:\n")],
    ),
    (
        "wrapper-with-an-odd-name",
        Workstation,
        &[("file: ../wrapper/sample/qemu-wrapper", "file: ../wrapper/sample/qemu wrapper")],
    ),
    (
        "several-in-one-file",
        Workstation,
        &[
            ("      package: qemu", "      pakage: qemu"),
            ("    condition: CONFIG_PCI", "    condition: PCI"),
            ("add-source: vgpu-stub.c", "add-source: vgpu-stb.c"),
            ("only-adds: [vgpu-stub]", "only-adds: vgpu-stub"),
            ("base-url: http://localhost:8000", "base-url: localhost"),
        ],
    ),
    (
        "several-in-one-line",
        Workstation,
        &[(
            "    build: {}\n",
            "    build: { edits: [{ define: { name: x, value: '' } }, { provde: a }] }\n",
        )],
    ),
];
