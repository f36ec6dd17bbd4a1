// SPDX-License-Identifier: GPL-2.0-or-later
//! Hostile values, at least one for every key of the pipeline file, the lock, the contract and the
//! settings; and hostile forms of the file as a whole.

use super::{each, refused};
use crate::support::{Toy, program, scratch};
use std::fs;

/// What a value is replaced by in a pipeline that is good otherwise.
const VALUES: &[(&str, &[(&str, &str)])] = &[
    (
        "version: 1\n",
        &[
            ("version: 2\n", "version 2"),
            ("version: -1\n", "pipeline format version -1 is not known"),
            ("version: one\n", "this is text, not a number"),
            ("version: 1.5\n", "YAML reads `1.5` as 1.5"),
            ("version: 99999999999999999999\n", "99999999999999999999"),
            ("version: 1\nversion: 1\n", "the key `version` is given twice"),
            ("version: []\n", "this is a list, and one value is wanted"),
            ("", "the key `version` is missing"),
        ],
    ),
    (
        "name: toy-values\n",
        &[
            ("name: ../up\n", "is not a name"),
            ("name: ''\n", "is not a name"),
            ("name: .\n", "is not a name"),
            ("name: -rf\n", "is not a name"),
            ("name: 'a b'\n", "is not a name"),
            ("name: \"a\\nb\"\n", "is not a name"),
            ("name: \"a\\e[2Jb\"\n", "is not a name"),
            ("name: \"\\u202Eyot\"\n", "is not a name"),
            ("name: [a]\n", "this is a list, and one value is wanted"),
            ("name: { a: b }\n", "this is a mapping, and one value is wanted"),
            ("name: ~\n", "YAML reads `~` as nothing at all"),
            ("name: main\n", "`main` is not a name"),
            (include_str!("too-long-name.yaml"), "is not a name of at most 100"),
        ],
    ),
    (
        "      file: qemu-4.2.1.tar.gz\n",
        &[
            ("      file: /\n", "is not a path that ends in the name"),
            ("      file: ..\n", "is not a path that ends in the name"),
            ("      file: ''\n", ""),
            ("      file: a/.\n", ""),
            ("      file: \"a\\0b.tar.gz\"\n", ""),
            ("      file: [a]\n", "this is a list, and one value is wanted"),
            ("      file: vgpu-stub.c\n      size: 1\n", "unknown key `size`"),
        ],
    ),
    (
        "    find: --enable-werror\n",
        &[
            ("    find: ''\n", "is not one line"),
            ("    find: \"a\\nb\"\n", "is not one line"),
            ("    find: \"\\e]0;x\\a\"\n", "is not one line"),
            ("    find: nowhere at all\n", "in no line"),
            ("    find: [a]\n", "this is a list, and one value is wanted"),
        ],
    ),
    (
        "        with: --disable-werror\n",
        &[
            ("        with: \"a\\nb\"\n", "is not one line"),
            ("        with: {}\n", "this is a mapping, and one value is wanted"),
            ("        without: a\n", "unknown key `without`"),
        ],
    ),
    (
        "        anchor: tar xzf %{SOURCE2}\n",
        &[
            ("        anchor: \"a\\rb\"\n", "is not one line"),
            ("        anchor: ''\n", "is not one line"),
            ("        anchor: 7\n", ""),
            ("        ancor: tar\n", "did you mean `anchor`"),
        ],
    ),
    (
        "          device: vgpu-stub\n",
        &[
            ("          device: other\n", "is not a device"),
            ("          device: 'a;b'\n", "is not a QOM type"),
            ("          gadget: vgpu-stub\n", "unknown key `gadget`"),
            ("          lines: \"a\"\n", "this is text, and a list is wanted"),
            ("          lines: [\"a\\nb\"]\n", "is not one line"),
        ],
    ),
    (
        "    - release-suffix: .vgpu1\n",
        &[
            ("    - release-suffix: vgpu1\n", "is not a suffix"),
            ("    - release-suffix: .%{x}\n", "is not a suffix"),
            ("    - release-suffix: ''\n", "is not a suffix"),
            ("    - suffix: .a\n", "unknown key `suffix`"),
            ("    - {}\n", ""),
            ("    - release-suffix\n", ""),
            ("    - [release-suffix]\n", ""),
        ],
    ),
    (
        "    - provide: qemu-device(vgpu-stub) = 1\n",
        &[
            ("    - provide: \"a\\nRequires: b\"\n", "is not one line"),
            ("    - provide: ''\n", "is not one line"),
            ("    - define: { name: 'a b', value: c }\n", "is not an rpm macro name"),
            ("    - define: { name: abc, value: \"a\\nb\" }\n", "is not one line"),
            ("    - drop-patch: ../a\n", "is not a plain file name"),
            ("    - add-source: /etc/passwd\n", "is not a plain file name"),
        ],
    ),
    (
        "    dist: .xcpng8.3\n",
        &[
            ("    dist: \"a\\nb\"\n", "is not one line"),
            ("    'a b': c\n", "is not an rpm macro name"),
            ("    '%x': c\n", "is not an rpm macro name"),
            ("    dist: [a]\n", "this is a list, and one value is wanted"),
            ("    dist: a\n    dist: b\n", "the key `dist` is given twice"),
            ("    dist: a\n  limits: { memory: 0GiB }\n", "is not an amount of memory"),
            ("    dist: a\n  limits: { memory: -1GiB }\n", "is not an amount of memory"),
            ("    dist: a\n  limits: { pids: -1 }\n", "`-1` is beyond what is possible here"),
            ("    dist: a\n  limits: { pids: 4294967296 }\n", "`4294967296` is beyond"),
            ("    dist: a\n  nodeps: maybe\n", "this is neither true nor false"),
            ("    dist: a\n  test-binary: { file: ../a }\n", "is not a relative path"),
            ("    dist: a\n  test-binary: { file: /a }\n", "is not a relative path"),
            ("    dist: a\n  shell: sh\n", "unknown key `shell`"),
        ],
    ),
    (
        "  - type: vgpu-stub\n",
        &[
            ("  - type: ''\n", "is not a QOM type"),
            ("  - type: \"a\\nb\"\n", "is not a QOM type"),
            ("  - type: Vgpu\n", "is not a QOM type"),
            ("  - type: '$(id)'\n", "is not a QOM type"),
            ("  - type: vgpu-stub\n    directory: ../../etc\n", "is not a relative path"),
            ("  - type: vgpu-stub\n    directory: /etc\n", "is not a relative path"),
            ("  - type: vgpu-stub\n    condition: 'CONFIG_PCI; rm'\n", "is not a symbol"),
            ("  - type: vgpu-stub\n    condition: ''\n", "is not a symbol"),
            ("  - type: vgpu-stub\n    defines: { 'A B': 1 }\n", "is not the name of a C macro"),
            ("  - type: vgpu-stub\n    defines: { A: '1); x(' }\n", "is not a number"),
            ("  - type: vgpu-stub\n    defines: { A: '' }\n", "is not a number"),
            ("  - type: vgpu-stub\n    defines: [A]\n", "this is a list, and a mapping is wanted"),
        ],
    ),
    (
        "    source: vgpu-stub.c\n",
        &[
            ("    source: vgpu-stub.py\n", "is not a path to a `.c` file"),
            ("    source: ../../../../../../etc/passwd\n", "is not a path to a `.c` file"),
            ("    source: 'a b.c'\n", "is not a path to a `.c` file"),
            ("    source: gone/vgpu-stub.c\n", "No such file"),
            ("    source: ''\n", "is not a path to a `.c` file"),
        ],
    ),
    (
        "  file: qemu.spec\n",
        &[
            ("  file: gone.spec\n", "No such file"),
            ("  git: SPECS/a.spec\n", "`source` has none"),
            ("  file: qemu.spec\n  git: a.spec\n", "the spec is given twice"),
            ("  file: .\n", "plain file name"),
            ("  file: ''\n", "plain file name"),
        ],
    ),
    (
        "verify:\n",
        &[
            ("verify:\n  target: el5\n", "unknown word `el5`"),
            ("verify:\n  target: 7\n", "unknown word `7`"),
            ("verify:\n  rules: { gibc: require }\n", "did you mean `glibc`"),
            ("verify:\n  rules: { glibc: perhaps }\n", "unknown word `perhaps`"),
            ("verify:\n  rules: []\n", "this is a list, and a mapping is wanted"),
            ("verify:\n  paths: [\"a\\nb\"]\n", "is not an absolute path"),
            ("verify:\n  paths: all\n", "this is text, and a list is wanted"),
            ("verify:\n  paths: []\n", "this list is empty"),
            ("verify:\n  paths: [usr/bin]\n", "is not an absolute path"),
            ("verify:\n  installed: [a]\n", "this is a list, and one value is wanted"),
            ("verify:\n  contracts: contract.yaml\n", "this is text, and a list is wanted"),
            ("verify:\n  contracts: [gone.yaml]\n", "No such file"),
            ("verify:\n  stock: { file: a.rpm }\n", "unknown key `file`"),
            ("verify:\n  stock: yes\n", ""),
            ("verify:\n  only-adds: [vgpu-stub]\n", "no stock package"),
            ("verify:\n  only-adds: ['A B']\n", "is not a QOM type"),
            ("verify:\n  guest: { kernel: [a] }\n", "this is a list, and one value is wanted"),
            ("verify:\n  guest: { initrd: a }\n", "unknown key `initrd`"),
            ("verify:\n  signed: false\n", "unknown key `signed`"),
        ],
    ),
    (
        "    - name: vgpu-stub\n",
        &[
            ("    - name: ''\n", "is not a QOM type"),
            ("    - name: other\n", "does not name `vgpu-stub`"),
            ("    - name: vgpu-stub\n    - name: vgpu-stub\n", ""),
            ("    - name: vgpu-stub\n      parent: 'a b'\n", "is not a QOM type"),
            ("    - name: vgpu-stub\n      pci: { vendor: 65536 }\n", "the keys `device`"),
            ("    - name: vgpu-stub\n      pci: { vendor: -1 }\n", "the keys `device`"),
            (
                "    - name: vgpu-stub\n      starts: [{ with: { addr: 1 } }]\n",
                "where a device is plugged in",
            ),
            ("    - name: vgpu-stub\n      starts: [{ reads: { 3: 1 } }]\n", "nothing says where"),
            ("    - name: vgpu-stub\n      starts: [{ reads: { -1: 1 } }]\n", ""),
            ("    - name: vgpu-stub\n      starts: [{ then: { 0: 1 } }]\n", "there are none"),
            ("    - name: vgpu-stub\n      starts: [{ refused: \"a\\nb\" }]\n", "is not one line"),
        ],
    ),
    (
        "      properties: { pool_id: str, priority: str, vm_id: uint32 }\n",
        &[
            ("      properties: { 'a b': str }\n", "is not the name of a property"),
            ("      properties: { a: 'b c' }\n", "is not the kind"),
            ("      properties: [a]\n", "this is a list, and a mapping is wanted"),
            ("      properties: { a: ~ }\n", "YAML reads `~` as nothing at all"),
        ],
    ),
    (
        "build:\n",
        &[
            ("sign:\n  key: { file: a, env: B }\nbuild:\n", ""),
            ("sign:\n  key: { text: secret }\nbuild:\n", "unknown key `text`"),
            (
                "sign:\n  key: { env: 'A B' }\nbuild:\n",
                "is not the name of an environment variable",
            ),
            ("sign:\n  key: { env: NOBODY_SET_THIS }\nbuild:\n", "has no signing key"),
            ("sign:\n  key: { file: gone.asc }\nbuild:\n", "No such file"),
            ("sign:\n  passphrase: secret\nbuild:\n", "unknown key `passphrase`"),
            ("sign:\n  fingerprint: \"a\\nb\"\nbuild:\n", "that is not a fingerprint"),
            ("sign: [a]\nbuild:\n", "this is a list, and a mapping is wanted"),
            ("publish:\n  base-url: 'javascript:x'\nbuild:\n", "is not a URL"),
            ("publish:\n  base-url: \"http://a\\n[x]\"\nbuild:\n", "is not a URL"),
            ("publish:\n  base-url: ''\nbuild:\n", "is not a URL"),
            ("publish:\n  path: /\nbuild:\n", "unknown key `path`"),
            ("wrapper:\n  vendor: {}\nbuild:\n", ""),
            (
                "wrapper:\n  vendor: { path: { file: gone, sha256: x } }\nbuild:\n",
                "is not a sha256",
            ),
            (
                "wrapper:\n  vendor: { web: { url: 'ftp://a/b', sha256: x, size: 1 } }\nbuild:\n",
                "is not a URL",
            ),
            (
                "wrapper:\n  vendor: { web: { url: 'http://me:pw@a/b', sha256: x, size: 1 } }\nbuild:\n",
                "is not a URL",
            ),
            ("include: /etc/passwd\nbuild:\n", "unknown key `include`"),
            ("build: {}\nbuild:\n", "the key `build` is given twice"),
        ],
    ),
    (
        "  containerfile: Containerfile\n",
        &[
            ("  containerfile: gone\n", "No such file"),
            ("  containerfile: [a]\n", "this is a list, and one value is wanted"),
            ("  containerfile: Containerfile\n  network: on\n", "unknown key `network`"),
            ("  image: a\n", "the key `containerfile` is missing"),
        ],
    ),
    (
        "      suite: bookworm\n",
        &[
            ("      suite: 'bookworm main'\n", "is not a suite"),
            ("      suite: \"a\\nb\"\n", "is not a suite"),
            ("      suite: [signed-by=x]\n", ""),
            ("      suite: ../a\n", "is not a suite"),
            ("      suite: ''\n", "is not a suite"),
            ("      suite: bookworm\n      mirror: http://a\n", "unknown key `mirror`"),
        ],
    ),
    (
        "        - ccache\n",
        &[
            ("        - 'a b'\n", "is not a Debian package"),
            ("        - -o=x\n", "is not a Debian package"),
            ("        - 'a,b'\n", "is not a Debian package"),
            ("        - A\n", "is not a Debian package"),
            ("        - [a]\n", "this is a list, and one value is wanted"),
        ],
    ),
];

/// Texts in the place of the whole file.
const WHOLE: &[(&str, &str)] = &[
    ("", "the file is empty"),
    ("~\n", ""),
    ("7\n", "this is text, and a mapping is wanted"),
    ("just words\n", "this is text, and a mapping is wanted"),
    ("- version: 1\n", ""),
    ("a: b: c\n", ""),
    ("\tversion: 1\n", ""),
    ("version: 1\n---\nversion: 1\n", "a second document begins here"),
    ("version: *nobody\n", "an alias of something that no `&` has named before"),
    ("version: &a [*a]\n", ""),
    ("? ? ?\n", ""),
    ("'version: 1\n", ""),
    ("\"\\x\"\n", ""),
    ("%YAML 9.9\n---\nversion: 1\n", ""),
    ("!!python/object:os.system [id]\n", ""),
    ("version: 1\r\nname: ../x\r\n", "is not a name"),
    ("\u{feff}version: 2\n", "version 2"),
    ("{}\n", "the keys `version`"),
    ("[]\n", ""),
    ("\u{1b}[2J: 1\n", ""),
];

#[test]
fn every_key_refuses_hostile_values() {
    let cases: Vec<(&str, &str, &str)> = VALUES
        .iter()
        .flat_map(|(from, values)| values.iter().map(move |(to, expected)| (*from, *to, *expected)))
        .collect();
    let store = scratch();
    let check = |toy: &Toy, what: &str, expected: &str| {
        let mut check = program();
        check.arg("check").arg(toy.path("toy.yaml")).env("VGPU_PIPELINE_STORE", store.path());
        match refused(&check, &[2]) {
            Ok(said) if said.contains(expected) => None,
            Ok(said) => Some(format!("{what:?}: no `{expected}` in {said}")),
            Err(why) => Some(format!("{what:?}: {why}")),
        }
    };
    let mut wrong = each(&cases, |(from, to, expected)| {
        let toy = Toy::new("toy-values");
        toy.edit("toy.yaml", from, to);
        check(&toy, to, expected)
    });
    wrong.extend(each(WHOLE, |(text, expected)| {
        let toy = Toy::new("toy-values");
        fs::write(toy.path("toy.yaml"), text).unwrap();
        check(&toy, text, expected)
    }));
    let count = cases.len() + WHOLE.len();
    assert!(count >= 152, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
