// SPDX-License-Identifier: GPL-2.0-or-later
mod answers;

use super::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// As Go's encoding/csv reads one record.
fn fields(text: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, quoted) {
            ('"', true) if rest.peek() == Some(&'"') => field.extend(rest.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => all.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    all.push(field);
    all
}

#[test]
fn a_mount_says_every_path_that_can_be_said() {
    for host in ["/a", "/a,b", "/a\"b", "/a:b", "/a b", "/a\nb", "/a=b", "/\",target=/etc,\"", "/ü"]
    {
        let said = Mount::read_only(host, "/in").argument().unwrap();
        let expected = ["type=bind", &format!("source={host}"), "target=/in", "readonly"];
        assert_eq!(fields(&said), expected, "{said}");
        assert_eq!(fields(&Mount::writable(host, "/in").argument().unwrap()), expected[..3]);
    }
    for host in [b"/a\xff".as_slice(), b"/a\r\nb"] {
        let host = PathBuf::from(OsStr::from_bytes(host));
        assert!(Mount::read_only(host, "/in").argument().is_err());
    }
}

#[test]
fn a_sealed_job_is_given_nothing_of_the_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Runner::new(&folder.path().join("log"), |_| {}).unwrap();
    let job = Job {
        purpose: "test".into(),
        argv: Vec::new(),
        confinement: Confinement::Sealed,
        mounts: Vec::new(),
        variables: Vec::new(),
        memory: "1g".to_owned(),
        pids: 1,
    };
    for engine in Engine::ALL {
        let said = arguments(engine, "name", &job, &runner).unwrap().to_string();
        for wanted in ["--cap-drop=all", "no-new-privileges", "--network=none", "--read-only"] {
            assert!(said.contains(wanted), "{said}");
        }
        let root = rustix::process::geteuid().is_root();
        let id = format!("--user={}", builder().unwrap());
        let own = if engine == Engine::Podman { "--uidmap=0:" } else { id.as_str() };
        assert!(!root || said.contains(own), "{said}");
    }
}
