// SPDX-License-Identifier: GPL-2.0-or-later
//! Addresses with a login or a token in them, and what is nearly one: refused, and the secret is not shown.

use super::{CANARY, said};
use crate::support::{Toy, program, scratch};
use std::fs;

/// Addresses that no key takes, each with the password in it.
fn addresses() -> Vec<String> {
    let addresses = [
        "https://me:PW@host/a",
        "https://PW@host/a",
        "http://me:P/PW@host/a",
        "me:PW@host/a",
        "//me:PW@host/a",
        "https:/me:PW@host/a",
        "htps://me:PW@host/a",
        "me:my PW@host/a",
        "me:P?PW@host/a",
        "htps://host/a?token=PW",
        "https://host/a?token=PW",
        "https://host/a.tar.gz?X-Amz-Signature=PW&X-Amz-Date=1",
        "http://host/a#PW",
        "ssh://git@host/a?token=PW",
        "git@host:a?token=PW",
        "host/a?token=PW",
    ];
    addresses.iter().map(|address| address.replace("PW", CANARY)).collect()
}

/// Where a pipeline has an address: what stands there, and what is put there.
const PLACES: &[(&str, &str, &str)] = &[
    ("base-url", "build:\n", "publish:\n  base-url: 'URL'\nbuild:\n"),
    (
        "wrapper.vendor.web.url",
        "build:\n",
        "wrapper:\n  vendor: { web: { url: 'URL', sha256: x, size: 1 } }\nbuild:\n",
    ),
    (
        "source.git.url",
        "source:\n",
        "source:\n  - git: { url: 'URL', commit: 0123456789012345678901234567890123456789 }\n",
    ),
    (
        "source.git.lfs-url",
        "source:\n",
        "source:\n  - git: { url: 'https://host/a', lfs-url: 'URL', commit: x }\n",
    ),
    (
        "source.git.lookaside.url",
        "source:\n",
        "source:\n  - git: { url: 'https://host/a', lookaside: { url: 'URL' }, commit: x }\n",
    ),
    ("source.archive.url", "source:\n", "source:\n  - archive: { url: 'URL', sha256: x }\n"),
    (
        "repositories.url",
        "environment:\n",
        "environment:\n  base: { image: { repositories: [{ id: a, url: 'URL' }] } }\nenvironmen:\n",
    ),
    (
        "repositories.key.url",
        "environment:\n",
        "environment:\n  base: { image: { repositories: [{ id: a, key: { url: 'URL' } }] } }\nenvironmen:\n",
    ),
    ("version", "version: 1\n", "version: 'URL'\n"),
    ("name", "version: 1\n", "version: 1\n\"URL\": 1\n"),
    ("device.directory", "  - type: vgpu-stub\n", "  - type: vgpu-stub\n    directory: 'URL'\n"),
    ("suite", "suite: bookworm\n", "suite: 'URL'\n"),
];

#[test]
fn a_login_in_an_address_is_refused_and_not_shown() {
    let toy = Toy::new("toy-logins");
    let (file, good) = (toy.path("toy.yaml"), fs::read_to_string(toy.path("toy.yaml")).unwrap());
    let home = scratch();
    let settings = home.path().join("vgpu-pipeline");
    fs::create_dir(&settings).unwrap();
    let mut wrong = Vec::new();
    let mut check = |what: &str, command: &mut std::process::Command| {
        let (code, said) = said(command.env("XDG_CONFIG_HOME", home.path()));
        if code != Some(2) || said.contains(CANARY) {
            wrong.push(format!("{what}: {code:?} {said}"));
        }
    };
    for address in addresses() {
        for (key, from, to) in PLACES {
            assert!(good.contains(from), "{from}");
            fs::write(&file, good.replacen(from, &to.replace("URL", &address), 1)).unwrap();
            check(&format!("{address} as {key}"), program().arg("check").arg(&file));
        }
        fs::write(&file, &good).unwrap();
        check(&format!("{address} as --mirror"), toy.run().arg("--mirror").arg(&address));
        fs::write(settings.join("config.yaml"), format!("mirrors: ['{address}']\n")).unwrap();
        check(&format!("{address} as mirrors"), &mut toy.run());
        fs::remove_file(settings.join("config.yaml")).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
