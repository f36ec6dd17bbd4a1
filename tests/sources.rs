//! Sources from a forge: git, git-lfs, archives of commits, mirrors, and everything that can go wrong.

use crate::forge::Fault;
use crate::packaging::{KEYCODEMAPDB, Packaging, QEMU, pointer};
use crate::support::{ends_with, events, kept, ran, refusal, sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[test]
fn a_pipeline_builds_from_git_and_lfs_and_again_from_a_mirror_folder_alone() {
    let packaging = Packaging::new("from-git");
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
    let note = |wanted: &str| {
        events.iter().any(|event| event["text"].as_str().is_some_and(|text| text.contains(wanted)))
    };
    assert!(note("Wrote: /build/RPMS/x86_64/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm"));
    assert!(
        note("QEMU emulator version 4.2.1 (toy-qemu, patched)"),
        "the patch is in: {events:#?}"
    );
    let manifest = fs::read_to_string(packaging.path("online/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let contacted = manifest["contacted"].as_array().unwrap();
    assert!(contacted.contains(&packaging.forge.host().into()), "{contacted:?}");

    // The same from the mirror folder, with the forge gone and the network off.
    for stage in ["source", "inject", "build", "verify", "sign", "publish"] {
        forget(&shared, stage, &events);
    }
    fs::remove_dir_all(shared.join("content")).unwrap();
    let requests = packaging.forge.requests().len();
    let mut offline = packaging.program("run");
    offline.args(["--offline", "--mirror"]).arg(&mirror);
    offline.arg("--output").arg(packaging.path("offline")).env("VGPU_PIPELINE_STORE", &shared);
    let again = crate::support::events(&mut offline);
    assert_eq!(ran(&again), ["source", "inject", "build", "verify", "sign", "publish"]);
    assert_eq!(packaging.forge.requests().len(), requests, "nobody was asked");
    let rpm = "Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm";
    assert_eq!(
        sha256(&packaging.path("online").join(rpm)),
        sha256(&packaging.path("offline").join(rpm)),
        "the road of the sources leaves no trace in the package"
    );
}

/// Drops what a run left in a store.
fn forget(store: &std::path::Path, stage: &str, events: &[serde_json::Value]) {
    let finished =
        |event: &&serde_json::Value| event["event"] == "finished" && event["stage"] == stage;
    let key = events.iter().find(finished).unwrap()["key"].as_str().unwrap();
    fs::remove_dir_all(store.join("results").join(format!("{stage}-{key}"))).unwrap();
}

#[test]
fn a_pointer_that_nobody_listed_is_explained_with_what_to_paste() {
    let packaging = Packaging::new("unlisted");
    let pipeline = fs::read_to_string(packaging.path("p.yaml")).unwrap();
    let from = pipeline.find("        - file: keycodemapdb").unwrap();
    let to = pipeline.find("\nenvironment:").unwrap();
    fs::write(packaging.path("p.yaml"), format!("{}{}", &pipeline[..from], &pipeline[to..]))
        .unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("is a git-lfs pointer of 128 bytes, not the file itself"), "{error}");
    assert!(error.contains(&format!("- {{ file: {KEYCODEMAPDB}, sha256: ")), "{error}");
}

#[test]
fn a_pin_that_the_commit_does_not_name_is_refused() {
    let packaging = Packaging::new("wrong-oid");
    let oid = packaging.object(QEMU).file_name().unwrap().to_str().unwrap().to_owned();
    packaging.edit("p.yaml", &oid, &"0".repeat(64));
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains(&format!("is for sha256 {oid} of ")), "{error}");
    assert!(error.contains(&format!("and the pipeline pins {} of ", "0".repeat(64))), "{error}");
}

#[test]
fn objects_that_are_not_the_pinned_ones_are_refused_and_nothing_is_left() {
    let packaging = Packaging::new("bad-objects");
    let (whole, path) = (fs::read(packaging.object(QEMU)).unwrap(), packaging.object_path(QEMU));
    let mut altered = whole.clone();
    altered[2000] ^= 1;
    let size = whole.len();
    for (served, expected) in [
        (
            whole[..size - 9].to_vec(),
            format!("is truncated: it has {} bytes, and {size} are pinned", size - 9),
        ),
        (altered, "is not what the pipeline pins: sha256 ".to_owned()),
        (pointer("0", 1).into_bytes(), "is a git-lfs pointer of ".to_owned()),
        ([whole.clone(), vec![0; 9]].concat(), format!("more than the {size} bytes")),
    ] {
        packaging.forge.fault(&path, Fault::Instead(served));
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&expected), "{expected}: {error}");
        assert!(
            !packaging.path("store/content/sha256").join(path.trim_start_matches("lfs/")).exists()
        );
        assert_eq!(fs::read_dir(packaging.path("store/work")).unwrap().count(), 0);
    }
}

#[test]
fn a_download_that_breaks_off_goes_on_from_there() {
    let packaging = Packaging::new("half-once");
    packaging.forge.fault(&packaging.object_path(QEMU), Fault::HalfOnce);
    events(&mut packaging.fetch());
    let half = packaging.object(QEMU).metadata().unwrap().len() / 2;
    let resumed = format!("GET /{} bytes={half}-", packaging.object_path(QEMU));
    assert!(packaging.forge.requests().contains(&resumed), "{:?}", packaging.forge.requests());
}

#[test]
fn a_server_that_always_breaks_off_is_given_up() {
    let packaging = Packaging::new("half-always");
    packaging.forge.fault(&packaging.object_path(QEMU), Fault::HalfAlways);
    let began = Instant::now();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains(QEMU) && error.contains("`curl` ended with exit code 18"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60));
    let asked = packaging.object_path(QEMU);
    let tries = packaging.forge.requests().iter().filter(|r| r.contains(&asked)).count();
    assert_eq!(tries, 3);
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let packaging = Packaging::new("hang");
    packaging.forge.fault("info/refs", Fault::Hang);
    let began = Instant::now();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("Operation too slow"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_a_missing_file_is_not() {
    let packaging = Packaging::new("status");
    let asked = packaging.object_path(QEMU);
    let tries = |status: u16| {
        packaging.forge.fault(&asked, Fault::Status(status));
        let before = packaging.forge.requests().len();
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&format!("returned error: {status}")), "{error}");
        let requests = packaging.forge.requests();
        requests[before..].iter().filter(|request| request.contains(&asked)).count()
    };
    assert_eq!((tries(503), tries(404)), (3, 1));
}

#[test]
fn a_commit_that_is_gone_is_one_clear_error() {
    let packaging = Packaging::new("gone");
    let commit = packaging.git("work", &["rev-parse", "HEAD"]);
    let absent = "1234567890".repeat(4);
    packaging.edit("p.yaml", &commit, &absent).edit("p.yaml", "      branch: master\n", "");
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains(&format!("does not have the commit {absent}")), "{error}");
}

#[test]
fn a_history_that_was_rewritten_is_not_followed() {
    let packaging = Packaging::new("rewritten");
    let pinned = packaging.git("work", &["rev-parse", "HEAD"]);
    packaging.git("work", &["commit", "--quiet", "--amend", "-m", "Say it otherwise"]);
    packaging.publish();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains(&format!("the commit {pinned} is not in `master` of ")), "{error}");
    assert!(error.contains("its history was rewritten"), "{error}");
}

#[test]
fn a_tag_that_moved_is_not_followed() {
    let packaging = Packaging::new("moved-tag");
    let commit = packaging.git("work", &["rev-parse", "HEAD"]);
    let tagged = packaging.git("work", &["rev-parse", "v1^{commit}"]);
    packaging.edit("p.yaml", &commit, &tagged).edit("p.yaml", "branch: master", "tag: v1");
    events(&mut packaging.fetch());
    packaging.git("work", &["tag", "--force", "-a", "-m", "again", "v1"]);
    packaging.publish();
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("the tag `v1` of ") && error.contains(" moved: it names "), "{error}");
}

#[test]
fn a_damaged_cache_entry_is_dropped_and_fetched_again() {
    let packaging = Packaging::new("damaged");
    events(&mut packaging.fetch());
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    let entries = [
        format!("sha256/{oid}"),
        format!("git/{}.bundle", packaging.git("work", &["rev-parse", "HEAD"])),
    ];
    for entry in &entries {
        let path = packaging.path("store/content").join(entry);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&path, bytes).unwrap();
    }
    let before = packaging.forge.requests().len();
    fs::remove_dir_all(packaging.path("store/results")).unwrap();
    assert_eq!(ran(&events(&mut packaging.fetch())), ["source"]);
    let requests = packaging.forge.requests()[before..].join("\n");
    assert!(requests.contains("git-upload-pack") && requests.contains(&oid), "{requests}");
    assert_eq!(sha256(&packaging.path("store/content").join(&entries[0])), oid);
}

#[test]
fn a_mirror_is_not_trusted_and_a_dead_one_is_passed_over() {
    let packaging = Packaging::new("bad-mirror");
    let mirror = packaging.path("mirror");
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    fs::create_dir_all(mirror.join("sha256")).unwrap();
    fs::write(mirror.join("sha256").join(&oid), "something else").unwrap();
    let dead = packaging.forge.url("no-such-mirror");
    events(packaging.fetch().arg("--mirror").arg(&mirror).args(["--mirror", &dead]));
    assert_eq!(sha256(&packaging.path("store/content/sha256").join(&oid)), oid);
}

#[test]
fn without_a_network_everything_that_is_missing_is_listed_at_once() {
    let packaging = Packaging::new("offline");
    let error = refusal(2, packaging.fetch().arg("--offline"));
    for missing in ["commit ", QEMU, KEYCODEMAPDB] {
        assert!(error.contains(missing), "{error}");
    }
    assert!(error.contains("--fetch DIR"), "{error}");
    assert!(packaging.forge.requests().is_empty());
    let error = refusal(2, packaging.program("run").arg("--offline"));
    assert!(error.contains("the environment's Debian packages"), "{error}");
    let error = refusal(2, packaging.program("lock").args(["--check", "--offline"]));
    assert!(error.contains("only `lock --fetch` can do without the network"), "{error}");
    let error = refusal(2, &mut packaging.program("lock"));
    assert!(error.contains("stands on Debian packages, which no lock can pin"), "{error}");
    let error = refusal(2, packaging.fetch().args(["--mirror", "/no/such/folder"]));
    assert!(error.contains("mirror `/no/such/folder` is neither a folder"), "{error}");
}

#[test]
fn the_users_git_decides_about_addresses_and_runs_nothing_of_the_repository() {
    let packaging = Packaging::new("insteadof");
    let url = packaging.forge.url("");
    packaging.edit("p.yaml", &format!("url: {url}qemu.git"), "url: https://forge.invalid/qemu.git");
    let (config, canary) = (packaging.path("gitconfig"), packaging.path("canary"));
    let canary = canary.display();
    let text = format!(
        "[url \"{url}\"]\n insteadOf = https://forge.invalid/\n\
         [filter \"lfs\"]\n smudge = touch {canary}; cat\n required = true\n\
         [core]\n autocrlf = true\n"
    );
    fs::write(&config, text).unwrap();
    events(packaging.fetch().env("GIT_CONFIG_GLOBAL", &config));
    assert!(!packaging.path("canary").exists());
}

#[test]
fn mirrors_stand_in_the_users_settings_too() {
    let packaging = Packaging::new("settings");
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
    assert!(error.contains("unknown field `mirors`") && error.contains("did you mean `mirrors`?"));
}

#[test]
fn a_link_in_the_tree_is_refused() {
    let packaging = Packaging::new("link");
    std::os::unix::fs::symlink("/etc/passwd", packaging.work().join("SOURCES/x.patch")).unwrap();
    let before = packaging.git("work", &["rev-parse", "HEAD"]);
    let commit = packaging.commit("Add a link");
    packaging.edit("p.yaml", &before, &commit);
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("`SOURCES/x.patch` in commit "), "{error}");
    assert!(error.contains("is not a plain file"), "{error}");
}
