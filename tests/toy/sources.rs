// SPDX-License-Identifier: GPL-2.0-or-later
//! Sources from a forge: git, git-lfs, archives of commits, mirrors; what goes wrong is in `faults`.

mod distgit;
mod faults;
mod lfs;
mod names;

use crate::support::packaging_repo::{KEYCODEMAPDB, PackagingRepo, QEMU};
use crate::support::{ends_with, events, from, kept, ran, refusal, sha256, stable};
use crate::support::{has_note, key};
use insta::assert_snapshot;
use std::fs;
use vgpu_pipeline::Event;

#[test]
fn a_pipeline_builds_from_git_and_lfs_and_again_from_a_mirror_folder_alone() {
    let packaging = PackagingRepo::new("from-git");
    // The LFS server lost one object; the archive of the commit has the same bytes.
    fs::remove_file(packaging.object(KEYCODEMAPDB)).unwrap();
    let mirror = packaging.path("mirror");
    fs::create_dir(&mirror).unwrap();
    ends_with(0, packaging.program("lock").arg("--fetch").arg(&mirror));
    // The environment is the one that all tests share.
    let shared = kept("store");
    let mut online = packaging.program("run");
    online.arg("--output").arg(packaging.path("online")).env("VGPU_PIPELINE_STORE", &shared);
    let events = events(&mut online);
    let note = |wanted: &str| has_note(&events, wanted);
    assert!(note("Wrote: /build/RPMS/x86_64/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm"));
    assert!(
        note("QEMU emulator version 4.2.1 (toy-qemu, patched)"),
        "the patch is in: {events:#?}"
    );
    let manifest = fs::read_to_string(packaging.path("online/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let contacted = manifest["contacted"].as_array().unwrap();
    assert!(contacted.contains(&packaging.server.host().into()), "{contacted:?}");

    // The same from the mirror folder, with the server gone and the network off.
    for stage in from(&events, "source", &["environment"]) {
        forget(&shared, stage, &events);
    }
    // Only its own: other tests share this store.
    let commit = packaging.git("work", &["rev-parse", "HEAD"]);
    fs::remove_file(shared.join(format!("content/git/{commit}.bundle"))).unwrap();
    for name in [QEMU, KEYCODEMAPDB] {
        let oid = packaging.object_path(name).trim_start_matches("lfs/").to_owned();
        fs::remove_file(shared.join("content/sha256").join(oid)).unwrap();
    }
    let requests = packaging.server.requests().len();
    let mut offline = packaging.program("run");
    offline.args(["--offline", "--mirror"]).arg(&mirror);
    offline.arg("--output").arg(packaging.path("offline")).env("VGPU_PIPELINE_STORE", &shared);
    let again = crate::support::events(&mut offline);
    assert_eq!(ran(&again), from(&again, "source", &["environment"]));
    assert_eq!(packaging.server.requests().len(), requests, "nobody was asked");
    let rpm = "Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm";
    assert_eq!(
        sha256(&packaging.path("online").join(rpm)),
        sha256(&packaging.path("offline").join(rpm)),
        "the road of the sources leaves no trace in the package"
    );
}

/// Drops what a run left in a store.
fn forget(store: &std::path::Path, stage: &str, events: &[Event]) {
    let result = format!("{stage}-{}", key(events, stage));
    fs::remove_dir_all(store.join("results").join(result)).unwrap();
}

#[test]
fn a_pointer_that_nobody_listed_is_explained_with_what_to_paste() {
    let packaging = PackagingRepo::new("unlisted");
    let pipeline = fs::read_to_string(packaging.path("p.yaml")).unwrap();
    let from = pipeline.find("        - file: keycodemapdb").unwrap();
    let to = pipeline.find("\nenvironment:").unwrap();
    fs::write(packaging.path("p.yaml"), format!("{}{}", &pipeline[..from], &pipeline[to..]))
        .unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: the spec needs what the sources do not have: `keycodemapdb-COMMIT.tar.gz` of commit COMMIT is a git-lfs pointer of 128 bytes, not the file itself
    help: pin the object in the source's `lfs`:
          - { file: keycodemapdb-COMMIT.tar.gz, sha256: SHA256, size: SIZE }
    ");
}

#[test]
fn a_pin_that_the_commit_does_not_name_is_refused() {
    let packaging = PackagingRepo::new("wrong-oid");
    let oid = packaging.object(QEMU).file_name().unwrap().to_str().unwrap().to_owned();
    packaging.edit("p.yaml", &oid, &"0".repeat(64));
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: the git-lfs pointer `qemu-4.2.1.tar.gz` of commit COMMIT is for sha256 SHA256 of SIZE bytes, and the pipeline pins SHA256 of SIZE
    help: pin what the commit names, or another commit
    ");
}

#[test]
fn a_source_and_a_device_of_one_name_are_refused() {
    let packaging = PackagingRepo::new("one-name");
    fs::write(packaging.work().join("SOURCES/vgpu-stub.c"), "upstream's own\n").unwrap();
    let before = packaging.git("work", &["rev-parse", "HEAD"]);
    let commit = packaging.commit("Add a device");
    packaging.edit("p.yaml", &before, &commit);
    let mut run = packaging.program("run");
    let error = refusal(1, run.env("VGPU_PIPELINE_STORE", kept("store")));
    assert_snapshot!(stable(&error), @"
    error: stage `build`: `vgpu-stub.c` is the name of a source and of a device's file
    help: rename the device's file
    ");
}

#[test]
fn a_spec_that_was_altered_in_the_store_is_not_built() {
    let packaging = PackagingRepo::new("altered-spec");
    let inject = || {
        let mut run = packaging.program("run");
        run.args(["--until", "inject"]).env("VGPU_PIPELINE_STORE", kept("store"));
        events(&mut run)
    };
    let first = inject();
    let key = |stage: &str| key(&first, stage);
    let results = kept("store").join("results");
    let file =
        |stage: &str, name: &str| results.join(format!("{stage}-{}/files/{name}", key(stage)));
    let good = fs::read(file("inject", "qemu.spec")).unwrap();
    let spec = file("source", "SPECS/qemu.spec");
    let altered = fs::read_to_string(&spec).unwrap() + "\n# altered\n";
    fs::write(&spec, altered).unwrap();
    fs::remove_dir_all(results.join(format!("inject-{}", key("inject")))).unwrap();
    assert_eq!(ran(&inject()), ["source", "inject"]);
    assert_eq!(fs::read(file("inject", "qemu.spec")).unwrap(), good);
}

#[test]
fn without_a_network_everything_that_is_missing_is_listed_at_once() {
    let packaging = PackagingRepo::new("offline");
    let error = refusal(2, packaging.fetch().arg("--offline"));
    for missing in ["commit ", QEMU, KEYCODEMAPDB] {
        assert!(error.contains(missing), "{error}");
    }
    assert_snapshot!(stable(&error), @"
    error: the network is off, and neither the store nor a mirror folder has:
      commit COMMIT of http://SERVER/qemu.git (git/COMMIT.bundle)
      qemu-4.2.1.tar.gz (sha256/SHA256)
      keycodemapdb-COMMIT.tar.gz (sha256/SHA256)
    help: `vgpu-pipeline lock FOLDER/p.yaml --fetch DIR` fills a mirror folder where there is a network
    ");
    assert!(packaging.server.requests().is_empty());
    let error = refusal(2, packaging.program("run").arg("--offline"));
    assert_snapshot!(stable(&error), @"
    error: the network is off, and neither the store nor a mirror folder has:
      commit COMMIT of http://SERVER/qemu.git (git/COMMIT.bundle)
      qemu-4.2.1.tar.gz (sha256/SHA256)
      keycodemapdb-COMMIT.tar.gz (sha256/SHA256)
      the environment's Debian packages, which no lock pins
    help: `vgpu-pipeline lock FOLDER/p.yaml --fetch DIR` fills a mirror folder where there is a network
    help: no mirror can have what nothing pins: a run with a network keeps it in the store
    ");
    let error = refusal(2, packaging.program("lock").args(["--check", "--offline"]));
    assert_snapshot!(stable(&error), @"
    error: only `lock --fetch` can do without the network
    help: leave out `--offline`
    ");
    let error = refusal(2, &mut packaging.program("lock"));
    assert_snapshot!(stable(&error), @"
    error: the environment of `offline` stands on Debian packages, which no lock can pin
    help: a run records what it installed; `lock --fetch` and `lock --check` work here too
    ");
    let error = refusal(2, packaging.fetch().args(["--mirror", "/no/such/folder"]));
    assert_snapshot!(stable(&error), @"
    error: mirror `/no/such/folder` is not a folder on this machine
    help: `vgpu-pipeline lock FILE --fetch DIR` makes one; a server is named by its URL
    ");
}

#[test]
fn the_users_git_decides_about_addresses_and_runs_nothing_of_the_repository() {
    let packaging = PackagingRepo::new("insteadof");
    let url = packaging.server.url("");
    packaging.edit(
        "p.yaml",
        &format!("url: {url}qemu.git"),
        "url: https://server.invalid/qemu.git",
    );
    let (config, canary) = (packaging.path("gitconfig"), packaging.path("canary"));
    let canary = canary.display();
    let text = format!(
        "[url \"{url}\"]\n insteadOf = https://server.invalid/\n\
         [filter \"lfs\"]\n smudge = touch {canary}; cat\n required = true\n\
         [core]\n autocrlf = true\n"
    );
    fs::write(&config, text).unwrap();
    events(packaging.fetch().env("GIT_CONFIG_GLOBAL", &config));
    assert!(!packaging.path("canary").exists());
}

#[test]
fn mirrors_stand_in_the_users_settings_too() {
    let packaging = PackagingRepo::new("settings");
    let (mirror, settings) = (packaging.path("mirror"), packaging.path("config/vgpu-pipeline"));
    fs::create_dir_all(&mirror).unwrap();
    fs::create_dir_all(&settings).unwrap();
    ends_with(0, packaging.program("lock").arg("--fetch").arg(&mirror));
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let text = format!("# nothing else is ours\nmirrors: [{}]\n", mirror.display());
    fs::write(settings.join("config.yaml"), text).unwrap();
    let configured = packaging.path("config");
    events(packaging.fetch().arg("--offline").env("XDG_CONFIG_HOME", &configured));
    fs::write(settings.join("config.yaml"), "mirors: []\n").unwrap();
    let error = refusal(2, packaging.fetch().env("XDG_CONFIG_HOME", &configured));
    assert!(error.contains("unknown key `mirors`") && error.contains("did you mean `mirrors`?"));
}
