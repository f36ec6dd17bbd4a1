// SPDX-License-Identifier: GPL-2.0-or-later
//! The output folder and who signs it, with the real tools: what is not ours stays, what was published
//! stays what it was, and neither a reader nor a killed run ever sees half of a state.

mod campaign;
mod disk;
mod namespace;

use crate::support::{
    Toy, copy_tree, ends_with, events, kept, program, ran, refusal, scratch, sha256, stable,
};
use crate::support::{notes, results, rewritten};
use insta::assert_snapshot;
use namespace::Namespace;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use vgpu_pipeline::Event;

const PACKAGE: &str = "Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm";

/// Every file below a folder by its sha256.
pub fn sums(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
            if kind.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), sha256(&path));
            }
        }
    }
    found
}

/// The names of the work folders that somebody left beside an output.
pub fn leftovers(beside: &Path) -> Vec<String> {
    let names = fs::read_dir(beside).unwrap().map(|entry| entry.unwrap().file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".vgpu-pipeline-"))
        .collect()
}

/// A store of a test's own that has a pipeline's results up to `verify`, as links to the shared ones.
pub fn store_with(events: &[Event], folder: &Path) -> PathBuf {
    let store = folder.join("store");
    fs::create_dir_all(store.join("results")).unwrap();
    for name in results(events) {
        let from = kept("store/results").join(&name);
        let to = store.join("results").join(&name);
        copy_tree(&from, &to);
    }
    store
}

#[test]
fn what_was_published_stays_what_it_was_and_whose_it_was() {
    let toy = Toy::new("toy-published");
    let data = scratch();
    let release = || {
        let mut run = toy.release();
        run.env("XDG_DATA_HOME", data.path()).env_remove("CI");
        run
    };
    let first = events(release().env("CI", "true"));
    let warning = notes(&first).into_iter().find(|text| text.starts_with("WARNING: `CI` is set"));
    assert!(warning.unwrap().contains("a development key, "), "{first:#?}");
    let before = sums(&toy.output());

    // The development key by another road is one all the same.
    let development = data.path().join("vgpu-pipeline/development-key.asc");
    let key = |path: &Path| path.display().to_string();
    let named = ["--key".to_owned(), key(&development)];
    let error = refusal(2, release().args(&named).env("CI", "1"));
    assert_snapshot!(stable(&error), @"
    error: the key FINGERPRINT is a development key, and `CI` is set: a key that is named there has to be a real one
    help: `vgpu-pipeline key new FILE` makes one
    ");
    for value in ["", "false", "0"] {
        assert!(ran(&events(release().args(&named).env("CI", value))).is_empty());
    }

    // Another key, before any work.
    let real = toy.path("real.asc");
    ends_with(0, program().args(["key", "new"]).arg(&real));
    let started = || fs::read_dir(kept("store/logs/toy-published")).unwrap().count();
    let logs = started();
    let error = refusal(2, release().args(["--key"]).arg(&real));
    assert_snapshot!(stable(&error), @"
    error: the repository in `FOLDER/out` is signed by the development key FINGERPRINT, and this run would sign it by FINGERPRINT
    help: name that key with `--key`; `--accept-new-signer` hands the repository to the new one, which every client then has to import
    ");
    refusal(2, release().args(["--replace", "--key"]).arg(&real));
    assert_eq!((sums(&toy.output()), started()), (before, logs));
    let taken = events(release().args(["--accept-new-signer", "--key"]).arg(&real));
    assert_eq!(ran(&taken), ["sign", "publish"], "a new signature is no other content");

    // And the development key over the real one, whether it is there or would have to be made.
    let other = scratch();
    for home in [data.path(), other.path()] {
        let error = refusal(2, release().env("XDG_DATA_HOME", home));
        assert!(error.contains("would sign it by "), "{error}");
    }
    assert!(!other.path().join("vgpu-pipeline").exists(), "no key was made for that");
    let error = refusal(2, release().args(["--accept-new-signer", "--key"]).arg(&real).arg("x"));
    assert_snapshot!(stable(&error), @"
    error: unexpected argument 'x' found

    Usage: vgpu-pipeline run [OPTIONS] [FILE]

    For more information, try '--help'.
    ");

    // The same name and version with other content.
    let text = fs::read_to_string(toy.path("vgpu-stub.c")).unwrap();
    fs::write(toy.path("vgpu-stub.c"), text.replace("Virtual GPU stub", "virtual GPU stub"))
        .unwrap();
    let before = sums(&toy.output());
    let with_key = |more: &[&str]| {
        let mut run = release();
        run.args(more).arg("--key").arg(&real);
        run
    };
    let error = refusal(1, &mut with_key(&[]));
    assert_snapshot!(stable(&error), @r#"
    error: the repository in `FOLDER/out` has published the same name and version with other content:
      `SRPMS/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.src.rpm` (qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.src): the SHA-256 of its header is SHA256 there and SHA256 here
      `Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm` (qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64): the SHA-256 of its header is SHA256 there and SHA256 here
    help: raise `release-suffix` in the pipeline, so that clients see an update; `--replace` publishes it over the other, which is for trying: who has the other one keeps it
    "#);
    assert_eq!(sums(&toy.output()), before);
    // Known beforehand now, it is refused before any work.
    refusal(2, &mut with_key(&[]));
    refusal(2, &mut with_key(&["--accept-new-signer"]));
    assert!(ran(&events(&mut with_key(&["--replace"]))).is_empty());
    assert_ne!(sums(&toy.output()), before);

    // A pipeline that says which key it wants takes no other in its place.
    let wanted = "ABCD".repeat(10);
    let sign = format!("\nsign: {{ fingerprint: {wanted} }}\n\nbuild:\n");
    toy.edit("toy.yaml", "\nbuild:\n", &sign);
    let error = refusal(2, release().env("XDG_DATA_HOME", other.path()));
    let nobody = format!("`sign.fingerprint` wants the key {wanted}, and nothing names a key");
    assert!(error.contains(&nobody), "{error}");
    toy.edit("toy.yaml", &format!("{{ fingerprint: {wanted} }}"), "{ passphrase_env: SECRET }");
    let error = refusal(2, release().env("CI", "true"));
    assert_snapshot!(stable(&error), @"
    error: `CI` is set and `sign.passphrase_env` names `SECRET`, and nothing names a key
    help: name it by `sign.key`, `--key` or `--key-env`
    ");
}

#[test]
fn an_output_is_ours_by_its_record_alone() {
    let toy = Toy::new("toy-ours");
    events(&mut toy.release());
    let out = toy.output();
    let record = fs::read_to_string(out.join(".vgpu-pipeline.json")).unwrap();
    assert!(record.contains("\"pipeline\": \"toy-ours\"") && record.contains(PACKAGE), "{record}");

    // Gone, it is made up from nothing: nobody knows any more what had been published.
    fs::rename(out.join(".vgpu-pipeline.json"), toy.path("record")).unwrap();
    let state = sums(&out);
    let error = refusal(2, &mut toy.release());
    assert_snapshot!(stable(&error), @"
    error: the output `FOLDER/out` holds something else than a repository of this program (`DEVELOPMENT-KEY.txt` for one), and has no record `.vgpu-pipeline.json` of it
    help: name a folder that is empty or not there with `--output`; if it is an older output of this pipeline, move it away: it is made anew from the store
    ");
    refusal(2, toy.run().arg("--accept-new-signer"));
    assert_eq!(sums(&out), state);
    fs::rename(toy.path("record"), out.join(".vgpu-pipeline.json")).unwrap();

    // What is not ours stays, and is named; the same file, and no copy of it.
    fs::write(out.join("index.html"), "mine").unwrap();
    fs::create_dir(out.join("docs")).unwrap();
    fs::write(out.join("docs/a"), "deep").unwrap();
    let inode = || fs::metadata(out.join("index.html")).unwrap().ino();
    let before = inode();
    fs::remove_file(out.join("SHA256SUMS")).unwrap();
    let again = events(&mut toy.release());
    assert!(ran(&again).is_empty() && rewritten(&again));
    for name in ["docs", "index.html"] {
        let wanted = format!("`{name}` in the output is not this program's, and stays");
        assert!(notes(&again).contains(&wanted), "{again:#?}");
    }
    assert_eq!(inode(), before);
    assert_eq!(fs::read_to_string(out.join("docs/a")).unwrap(), "deep");
    ends_with(
        0,
        Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&out),
    );

    // Among our own files it is a reason to publish nothing.
    fs::write(out.join("repodata/x"), "x").unwrap();
    fs::write(out.join("Packages/evil.rpm"), "evil").unwrap();
    let state = sums(&out);
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: in the output `FOLDER/out`, among the files of the repository, is what is not this program's:
      `Packages/evil.rpm`, a file
      `repodata/x`, a file
    help: move it out of there; what lies beside the repository's own folders may stay
    ");
    assert_eq!(sums(&out), state);
    fs::remove_file(out.join("repodata/x")).unwrap();
    fs::remove_file(out.join("Packages/evil.rpm")).unwrap();

    // Another pipeline's repository, a link, and places that are never one.
    let mut other = program();
    other.arg("run").arg(toy.path("toy.yaml")).arg("--output");
    let said = |output: &Path| {
        refusal(
            2,
            Command::new(other.get_program())
                .args(other.get_args())
                .arg(output)
                .current_dir(toy.path(""))
                .env("VGPU_PIPELINE_STORE", kept("store"))
                .env("XDG_DATA_HOME", kept("data"))
                .env("HOME", toy.path("home")),
        )
    };
    fs::create_dir_all(toy.path("home/deep")).unwrap();
    for (output, wanted) in [
        (".", "is or holds the current folder"),
        ("/", "is the top of the file system"),
        ("..", "is or holds the current folder"),
        ("out/..", "is or holds the current folder"),
        ("home", "is or holds your home folder"),
        ("home/deep/..", "is or holds your home folder"),
    ] {
        let error = said(Path::new(output));
        assert!(error.contains(wanted) && error.contains("\nhelp: "), "{output}: {error}");
    }
    for folder in [kept("store"), kept("store/results"), kept("store/new")] {
        assert!(said(&folder).contains("is, holds or lies in the store"));
    }
    symlink(&out, toy.path("link")).unwrap();
    fs::remove_file(out.join("SHA256SUMS")).unwrap();
    let mut linked = program();
    linked.arg("run").arg(toy.path("toy.yaml")).arg("--output").arg(toy.path("link"));
    assert!(rewritten(&events(&mut linked)));
    assert!(toy.path("link").is_symlink() && out.join("SHA256SUMS").exists());
    toy.edit("toy.yaml", "name: toy-ours", "name: toy-another");
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: the output `FOLDER/out` holds the repository of the pipeline `toy-ours`
    help: name another folder with `--output`
    ");
    assert_eq!(leftovers(&toy.path("")), [""; 0]);
}

#[test]
fn a_mount_point_or_a_folder_that_cannot_be_written_is_refused_before_any_work() {
    let Some(namespace) = Namespace::new() else { return };
    let toy = Toy::new("toy-mounts");
    let store = scratch();
    let refused = |script: &str, output: &str| {
        let path = toy.path(output);
        fs::create_dir_all(toy.path("there")).unwrap();
        namespace.sh(script, &[&toy.path("")]);
        let mut run = program();
        run.arg("run").arg(toy.path("toy.yaml")).arg("--output").arg(&path);
        let error = refusal(2, namespace.command(&run).env("VGPU_PIPELINE_STORE", store.path()));
        assert!(error.contains("help: "), "{error}");
        assert_eq!(fs::read_dir(store.path().join("results")).unwrap().count(), 0);
        error
    };
    let mount = "mkdir -p \"$1/a\" \"$1/b\" && mount --bind \"$1/b\" \"$1/a\"";
    for (script, output) in [
        (mount, "a"),
        ("mkdir -p \"$1/c\" && mount -t tmpfs tmpfs \"$1/c\"", "c"),
        ("mkdir -p \"$1/d\" && mount --bind \"$1/d\" \"$1/d\"", "d"),
    ] {
        let error = refused(script, output);
        assert!(error.contains("is a mount point, which cannot change places"), "{error}");
    }
    let read_only = "mkdir -p \"$1/ro\" && mount -t tmpfs -o ro tmpfs \"$1/ro\"";
    let error = refused(read_only, "ro/out");
    assert_snapshot!(stable(&error), @"
    error: the output `FOLDER/ro/out` cannot be written: `FOLDER/ro`: Read-only file system (os error 30)
    help: name another folder with `--output`
    help: the kernel mounts a file system so when its disk fails, or somebody did: name another one with `--store` or `--output`
    ");
}

#[test]
fn a_store_that_is_somebody_elses_or_a_link_is_refused_before_any_work() {
    let toy = Toy::new("toy-store");
    let precious = toy.path("precious");
    fs::create_dir(&precious).unwrap();
    let said = |store: &Path| refusal(2, toy.run().env("VGPU_PIPELINE_STORE", store));
    symlink(&precious, toy.path("link")).unwrap();
    assert!(
        said(&toy.path("link")).contains("is a symbolic link and no folder\nhelp: choose another")
    );
    if !rustix::process::geteuid().is_root() {
        crate::support::skip::skipped!("only root can make what belongs to another user");
        return;
    }
    let theirs = toy.path("theirs");
    fs::create_dir(&theirs).unwrap();
    symlink(&precious, theirs.join("ccache")).unwrap();
    std::os::unix::fs::chown(&theirs, Some(4321), Some(4321)).unwrap();
    assert!(said(&theirs).contains("belongs to the user 4321, and this runs as the user 0"));
    // Given back to us, its link is still one.
    std::os::unix::fs::chown(&theirs, Some(0), Some(0)).unwrap();
    assert!(said(&theirs).contains("`ccache` of the store is a symbolic link"));
    assert_eq!(fs::metadata(&precious).unwrap().uid(), 0);
    assert_eq!(fs::read_dir(&precious).unwrap().count(), 0);

    // Settings and a mirror that others could lead elsewhere.
    let config = toy.path("config");
    fs::create_dir_all(config.join("vgpu-pipeline")).unwrap();
    let settings = config.join("vgpu-pipeline/config.yaml");
    fs::write(&settings, "mirrors: []\n").unwrap();
    ends_with(0, Command::new("chmod").arg("666").arg(&settings));
    let error = refusal(2, toy.run().env("XDG_CONFIG_HOME", &config));
    assert_snapshot!(stable(&error), @"
    error: the settings `FOLDER/config/vgpu-pipeline/config.yaml` may be written by everybody
    help: chmod o-w FOLDER/config/vgpu-pipeline/config.yaml
    ");
    std::os::unix::fs::chown(&settings, Some(4321), None).unwrap();
    let error = refusal(2, toy.run().env("XDG_CONFIG_HOME", &config));
    assert_snapshot!(stable(&error), @"
    error: the settings `FOLDER/config/vgpu-pipeline/config.yaml` belong to the user 4321, and this runs as the user 0
    help: only the user's own or root's are followed
    ");
    let mirror = toy.path("mirror");
    fs::create_dir(&mirror).unwrap();
    symlink(&precious, mirror.join("sha256")).unwrap();
    let fill = || {
        let mut lock = program();
        lock.arg("lock").arg(toy.path("toy.yaml")).arg("--fetch").arg(&mirror);
        refusal(2, &mut lock)
    };
    assert!(fill().contains("`sha256` of the mirror is a symbolic link"));
    fs::remove_file(mirror.join("sha256")).unwrap();
    std::os::unix::fs::chown(&mirror, Some(4321), None).unwrap();
    assert!(fill().contains("belongs to the user 4321"));
    assert_eq!(fs::read_dir(&precious).unwrap().count(), 0);
}
