//! Hostile values, at least one for every key of the pipeline file, the lock, the contract and the
//! settings; and hostile forms of the file as a whole.

use super::{each, refused};
use crate::support::{Toy, program, scratch};
use std::fs;

/// As a file's name alone, it would do.
const TOO_LONG: &str = concat!(
    "name: ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
);

/// What a value is replaced by in a pipeline that is good otherwise.
const VALUES: &[(&str, &[(&str, &str)])] = &[
    (
        "version: 1\n",
        &[
            ("version: 2\n", "version 2"),
            ("version: -1\n", "invalid type"),
            ("version: one\n", "invalid type"),
            ("version: 1.5\n", "invalid type"),
            ("version: 99999999999999999999\n", "99999999999999999999"),
            ("version: 1\nversion: 1\n", "duplicate"),
            ("version: []\n", "invalid type"),
            ("", "missing field `version`"),
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
            ("name: [a]\n", "invalid type"),
            ("name: { a: b }\n", "invalid type"),
            ("name: ~\n", "is not a name"),
            ("name: main\n", "`main` is not a name"),
            (TOO_LONG, "is not a name of at most 100"),
        ],
    ),
    (
        "      file: qemu-4.2.1.tar.gz\n",
        &[
            ("      file: /\n", "does not end in the name of a file"),
            ("      file: ..\n", "does not end in the name of a file"),
            ("      file: ''\n", ""),
            ("      file: a/.\n", ""),
            ("      file: \"a\\0b.tar.gz\"\n", ""),
            ("      file: [a]\n", "invalid type"),
            ("      file: vgpu-stub.c\n      size: 1\n", "unknown field `size`"),
        ],
    ),
    (
        "    find: --enable-werror\n",
        &[
            ("    find: ''\n", "is not one line"),
            ("    find: \"a\\nb\"\n", "is not one line"),
            ("    find: \"\\e]0;x\\a\"\n", "is not one line"),
            ("    find: nowhere at all\n", "in no line"),
            ("    find: [a]\n", "invalid type"),
        ],
    ),
    (
        "        with: --disable-werror\n",
        &[
            ("        with: \"a\\nb\"\n", "is not one line"),
            ("        with: {}\n", "invalid type"),
            ("        without: a\n", "unknown field `without`"),
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
            ("          gadget: vgpu-stub\n", "unknown variant"),
            ("          lines: \"a\"\n", "invalid type"),
            ("          lines: [\"a\\nb\"]\n", "is not one line"),
        ],
    ),
    (
        "    - release-suffix: .vgpu1\n",
        &[
            ("    - release-suffix: vgpu1\n", "is not a suffix"),
            ("    - release-suffix: .%{x}\n", "is not a suffix"),
            ("    - release-suffix: ''\n", "is not a suffix"),
            ("    - suffix: .a\n", "unknown variant"),
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
            ("    dist: [a]\n", "invalid type"),
            ("    dist: a\n    dist: b\n", "duplicate"),
            ("    dist: a\n  limits: { memory: 0GiB }\n", "is not an amount of memory"),
            ("    dist: a\n  limits: { memory: -1GiB }\n", "is not an amount of memory"),
            ("    dist: a\n  limits: { pids: -1 }\n", "invalid type"),
            ("    dist: a\n  limits: { pids: 4294967296 }\n", "invalid value"),
            ("    dist: a\n  nodeps: maybe\n", "invalid type"),
            ("    dist: a\n  test-binary: { file: ../a }\n", "is not a relative path"),
            ("    dist: a\n  test-binary: { file: /a }\n", "is not a relative path"),
            ("    dist: a\n  shell: sh\n", "unknown field"),
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
            ("  - type: vgpu-stub\n    defines: [A]\n", "invalid type"),
        ],
    ),
    (
        "    source: vgpu-stub.c\n",
        &[
            ("    source: vgpu-stub.py\n", "is not a .c file"),
            ("    source: ../../../../../../etc/passwd\n", "is not a .c file"),
            ("    source: 'a b.c'\n", "plain file name"),
            ("    source: gone/vgpu-stub.c\n", "No such file"),
            ("    source: ''\n", "plain file name"),
        ],
    ),
    (
        "  file: qemu.spec\n",
        &[
            ("  file: gone.spec\n", "No such file"),
            ("  git: SPECS/a.spec\n", "`source` has none"),
            ("  file: qemu.spec\n  git: a.spec\n", "wants either"),
            ("  file: .\n", "plain file name"),
            ("  file: ''\n", "plain file name"),
        ],
    ),
    (
        "verify:\n",
        &[
            ("verify:\n  target: el5\n", "unknown variant"),
            ("verify:\n  target: 7\n", "invalid type"),
            ("verify:\n  rules: { gibc: require }\n", "did you mean `glibc`"),
            ("verify:\n  rules: { glibc: perhaps }\n", "unknown variant"),
            ("verify:\n  rules: []\n", "invalid type"),
            ("verify:\n  paths: [\"a\\nb\"]\n", "is not an absolute path"),
            ("verify:\n  paths: all\n", "invalid type"),
            ("verify:\n  paths: []\n", "allows no folder"),
            ("verify:\n  paths: [usr/bin]\n", "is not an absolute path"),
            ("verify:\n  installed: [a]\n", "invalid type"),
            ("verify:\n  contracts: contract.yaml\n", "invalid type"),
            ("verify:\n  contracts: [gone.yaml]\n", "No such file"),
            ("verify:\n  stock: { file: a.rpm }\n", "unknown variant"),
            ("verify:\n  stock: yes\n", ""),
            ("verify:\n  only-adds: [vgpu-stub]\n", "no stock package"),
            ("verify:\n  only-adds: ['A B']\n", "is not a QOM type"),
            ("verify:\n  guest: { kernel: [a] }\n", "invalid type"),
            ("verify:\n  guest: { initrd: a }\n", "unknown field"),
            ("verify:\n  signed: false\n", "unknown field"),
        ],
    ),
    (
        "    - name: vgpu-stub\n",
        &[
            ("    - name: ''\n", "is not a QOM type"),
            ("    - name: other\n", "does not name `vgpu-stub`"),
            ("    - name: vgpu-stub\n    - name: vgpu-stub\n", ""),
            ("    - name: vgpu-stub\n      parent: 'a b'\n", "is not a QOM type"),
            ("    - name: vgpu-stub\n      pci: { vendor: 65536 }\n", "invalid value"),
            ("    - name: vgpu-stub\n      pci: { vendor: -1 }\n", "invalid type"),
            (
                "    - name: vgpu-stub\n      starts: [{ with: { addr: 1 } }]\n",
                "where a device is plugged in",
            ),
            ("    - name: vgpu-stub\n      starts: [{ reads: { 3: 1 } }]\n", "where register"),
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
            ("      properties: [a]\n", "invalid type"),
            ("      properties: { a: ~ }\n", "is not the kind"),
        ],
    ),
    (
        "build:\n",
        &[
            ("sign:\n  key: { file: a, env: B }\nbuild:\n", ""),
            ("sign:\n  key: { text: secret }\nbuild:\n", "unknown variant"),
            (
                "sign:\n  key: { env: 'A B' }\nbuild:\n",
                "is not the name of an environment variable",
            ),
            ("sign:\n  key: { env: NOBODY_SET_THIS }\nbuild:\n", "has no signing key"),
            ("sign:\n  key: { file: gone.asc }\nbuild:\n", "No such file"),
            ("sign:\n  passphrase: secret\nbuild:\n", "unknown field"),
            ("sign:\n  fingerprint: \"a\\nb\"\nbuild:\n", "is not one line"),
            ("sign: [a]\nbuild:\n", "invalid type"),
            ("publish:\n  base-url: 'javascript:x'\nbuild:\n", "is not a URL"),
            ("publish:\n  base-url: \"http://a\\n[x]\"\nbuild:\n", "is not a URL"),
            ("publish:\n  base-url: ''\nbuild:\n", "is not a URL"),
            ("publish:\n  path: /\nbuild:\n", "unknown field"),
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
            ("include: /etc/passwd\nbuild:\n", "unknown field"),
            ("build: {}\nbuild:\n", "duplicate"),
        ],
    ),
    (
        "  containerfile: Containerfile\n",
        &[
            ("  containerfile: gone\n", "No such file"),
            ("  containerfile: [a]\n", "invalid type"),
            ("  containerfile: Containerfile\n  network: on\n", "unknown field"),
            ("  image: a\n", "unknown field"),
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
            ("      suite: bookworm\n      mirror: http://a\n", "unknown field"),
        ],
    ),
    (
        "        - ccache\n",
        &[
            ("        - 'a b'\n", "is not a Debian package"),
            ("        - -o=x\n", "is not a Debian package"),
            ("        - 'a,b'\n", "is not a Debian package"),
            ("        - A\n", "is not a Debian package"),
            ("        - [a]\n", "invalid type"),
        ],
    ),
];

/// Texts in the place of the whole file.
const WHOLE: &[(&str, &str)] = &[
    ("", "missing field"),
    ("~\n", ""),
    ("7\n", "invalid type"),
    ("just words\n", "invalid type"),
    ("- version: 1\n", ""),
    ("a: b: c\n", ""),
    ("\tversion: 1\n", ""),
    ("version: 1\n---\nversion: 1\n", "more than one document"),
    ("version: *nobody\n", "unknown anchor"),
    ("version: &a [*a]\n", ""),
    ("? ? ?\n", ""),
    ("'version: 1\n", ""),
    ("\"\\x\"\n", ""),
    ("%YAML 9.9\n---\nversion: 1\n", ""),
    ("!!python/object:os.system [id]\n", ""),
    ("version: 1\r\nname: ../x\r\n", "is not a name"),
    ("\u{feff}version: 2\n", "version 2"),
    ("{}\n", "missing field"),
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
