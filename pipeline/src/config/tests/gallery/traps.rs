// SPDX-License-Identifier: GPL-2.0-or-later
//! YAML's own traps.

use super::{Contract, LockFile, SettingsFile, Slip, Workstation, XcpNg};

pub const SLIPS: &[Slip] = &[
    ("tab-for-indentation", Workstation, &[("      package: qemu", "\t\tpackage: qemu")]),
    ("tab-under-a-list", Workstation, &[("    directory: hw/misc", "\tdirectory: hw/misc")]),
    (
        "key-given-twice",
        Workstation,
        &[(
            "      suite: bookworm\n      files:",
            "      suite: bookworm\n      suite: bullseye\n      files:",
        )],
    ),
    ("section-given-twice", XcpNg, &[("publish:\n", "build:\n  nodeps: true\n\npublish:\n")]),
    ("second-document", Workstation, &[("publish:\n", "---\npublish:\n")]),
    (
        "merge-key",
        XcpNg,
        &[("          key: *centos\n", "          key:\n            <<: *centos\n")],
    ),
    ("alias-of-nothing", XcpNg, &[("key: *centos", "key: *centso")]),
    (
        "alias-inside-itself",
        XcpNg,
        &[("key: &centos\n", "key: &centos\n            again: *centos\n")],
    ),
    (
        "alias-bomb",
        Workstation,
        &[(
            "publish:\n",
            "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
          c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
          e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\npublish:\n",
        )],
    ),
    ("tag-on-a-choice", Workstation, &[("  - debian:\n", "  - !debian\n")]),
    ("tag-on-a-value", Workstation, &[("suite: bookworm\n", "suite: !!str bookworm\n")]),
    (
        "version-read-as-a-number",
        Workstation,
        &[("version: 1:7.2+dfsg-7+deb12u18", "version: 1.10")],
    ),
    ("branch-read-as-a-number", XcpNg, &[("branch: master", "branch: 8.10")]),
    ("format-version-with-a-fraction", Workstation, &[("version: 1\n", "version: 1.0\n")]),
    ("format-version-in-quotes", Workstation, &[("version: 1\n", "version: \"1\"\n")]),
    ("format-version-of-the-future", Workstation, &[("version: 1\n", "version: 2\n")]),
    (
        "digits-that-are-a-commit",
        XcpNg,
        &[("fdc77b61a5eda8019d31e25d7d6f870d4d8b8c88", "1234567890123456789012345678901234567890")],
    ),
    ("yes-for-true", XcpNg, &[("build:\n  define:", "build:\n  nodeps: yes\n  define:")]),
    ("true-in-quotes", XcpNg, &[("build:\n  define:", "build:\n  nodeps: \"true\"\n  define:")]),
    ("no-for-a-word", XcpNg, &[("  target: el7\n", "  target: no\n")]),
    (
        "off-for-a-level",
        XcpNg,
        &[("  target: el7\n", "  target: el7\n  rules: { hardening: off }\n")],
    ),
    ("null-for-a-name", Workstation, &[("name: workstation", "name: null")]),
    ("number-with-units", XcpNg, &[("size: 29719", "size: 29 KiB")]),
    ("number-with-underscores", XcpNg, &[("size: 28315815", "size: 28_315_815")]),
    ("number-with-a-leading-zero", XcpNg, &[("size: 29719", "size: 029719")]),
    ("number-in-quotes", XcpNg, &[("size: 29719", "size: '29719'")]),
    ("number-too-large", Contract, &[("vendor: 0x1af4", "vendor: 0x1af45")]),
    ("number-below-zero", XcpNg, &[("size: 29719", "size: -1")]),
    ("percent-without-quotes", XcpNg, &[("anchor: tar xzf %{SOURCE2}", "anchor: %setup -q")]),
    ("bracket-without-quotes", XcpNg, &[("find: --enable-werror", "find: [--enable-werror]")]),
    (
        "colon-without-quotes",
        Workstation,
        &[("- provide: qemu-device(vgpu-stub) = 1", "- provide: qemu-device: vgpu-stub")],
    ),
    ("comment-for-a-value", XcpNg, &[("find: --enable-werror", "find: #--enable-werror")]),
    ("star-without-quotes", XcpNg, &[("find: --enable-werror", "find: *werror")]),
    (
        "quote-without-an-end",
        Workstation,
        &[("anchor: grep -qxF '%{version}' VERSION", "anchor: 'grep -qxF")],
    ),
    (
        "text-behind-a-quote",
        Workstation,
        &[("anchor: grep -qxF '%{version}' VERSION", "anchor: 'grep' -qxF")],
    ),
    (
        "backslash-in-quotes",
        Workstation,
        &[("anchor: grep -qxF '%{version}' VERSION", "anchor: \"grep \\%{version}\"")],
    ),
    ("bracket-without-an-end", Workstation, &[("only-adds: [vgpu-stub]", "only-adds: [vgpu-stub")]),
    (
        "space-missing-behind-a-colon",
        Workstation,
        &[("  - type: vgpu-stub\n", "  - type:vgpu-stub\n")],
    ),
    ("colon-missing-behind-a-key", Workstation, &[("device:\n", "device\n")]),
    ("one-space-too-many", Workstation, &[("    directory: hw/misc", "     directory: hw/misc")]),
    (
        "one-space-too-few",
        Workstation,
        &[("    condition: CONFIG_PCI", "   condition: CONFIG_PCI")],
    ),
    ("item-left-of-its-list", Workstation, &[("    - release-suffix:", "  - release-suffix:")]),
    ("item-indented-too-deep", XcpNg, &[("    - /usr/src/debug\n", "      - /usr/src/debug\n")]),
    ("dash-without-a-space", Workstation, &[("        - ccache\n", "        -ccache\n")]),
    (
        "non-breaking-space",
        Workstation,
        &[("    condition: CONFIG_PCI", "    \u{a0}condition: CONFIG_PCI")],
    ),
    ("typographic-quotes", Workstation, &[("condition: CONFIG_PCI", "condition: “CONFIG_PCI”")]),
    ("list-as-a-key", Workstation, &[("publish:\n", "? [a]\n: b\npublish:\n")]),
    (
        "empty-settings-key",
        SettingsFile,
        &[("mirrors:\n  - /srv/mirror\n  - https://mirror.example/files\n", "mirrors:\n")],
    ),
    ("lock-of-another-format", LockFile, &[("version: 1\n", "version: 7\n")]),
];
