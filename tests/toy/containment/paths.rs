// SPDX-License-Identifier: GPL-2.0-or-later
//! A store whose path the options of an engine have to say.

use super::with_environment;
use crate::support::{Toy, ends_with, events, refusal, scratch};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

/// Everything that means something in `--mount`, `--volume`, CSV, a shell or a URL.
const ODD: &str = "a,readonly \"b\" 'c':ro;z=%d $HOME\\\n#ü";

#[test]
fn a_store_may_lie_at_any_path_that_is_text() {
    let folder = scratch();
    let store = folder.path().join(ODD);
    with_environment(&store);
    let toy = Toy::with_stock("odd-store");
    events(toy.run().env("VGPU_PIPELINE_STORE", &store));
    assert!(toy.output().join("repodata/repomd.xml").exists());
    // A build that fails keeps its tree there, and a shell enters it.
    toy.edit("qemu.spec", "\n%install\n", "\nexit 3\n\n%install\n");
    refusal(1, toy.run().env("VGPU_PIPELINE_STORE", &store));
    let mut shell = crate::support::program();
    shell.arg("shell").arg(toy.path("toy.yaml")).env("VGPU_PIPELINE_STORE", &store);
    let said = ends_with(0, shell.args(["--", "sh", "-c", "ls /build; ls /ccache || :"])).stdout;
    assert!(String::from_utf8(said).unwrap().contains("BUILD"));
}

/// An engine without images has to be told of archives and folders too.
#[test]
fn images_are_made_from_a_store_at_any_path() {
    let folder = scratch();
    let store = folder.path().join(ODD);
    with_environment(&store);
    let images = folder.path().join("images");
    let config = folder.path().join("storage.conf");
    let at = |name: &str| images.join(name).display().to_string();
    fs::write(
        &config,
        format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            at("graph"),
            at("run")
        ),
    )
    .unwrap();
    let toy = Toy::new("odd-images");
    let mut run = toy.run();
    run.env("VGPU_PIPELINE_STORE", &store).env("CONTAINERS_STORAGE_CONF", &config);
    let output = run.output().unwrap();
    // podman leaves its storage mounted.
    let _ = Command::new("umount").arg(images.join("graph/overlay")).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_path_that_no_engine_can_be_told_is_refused_before_any_work() {
    let folder = scratch();
    for name in [b"a\xffb".as_slice(), b"a\rb", b"a\r\nb"] {
        let store = folder.path().join(OsStr::from_bytes(name));
        let toy = Toy::new("unsayable");
        let error = refusal(2, toy.run().env("VGPU_PIPELINE_STORE", &store));
        assert!(error.contains("no container engine can be told of it"), "{error}");
        assert!(error.contains("help: choose another store"), "{error}");
        assert!(!store.exists() && !toy.output().exists());
    }
}
