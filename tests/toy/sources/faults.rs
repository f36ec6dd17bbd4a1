// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that can go wrong with a forge, a mirror or the cache.

use crate::support::git_server::{Fault, GitServer};
use crate::support::notes;
use crate::support::packaging_repo::{KEYCODEMAPDB, PackagingRepo, QEMU, pointer};
use crate::support::{events, ran, refusal, sha256, stable, within};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[test]
fn objects_that_are_not_the_pinned_ones_are_refused_and_nothing_is_left() {
    let packaging = PackagingRepo::new("bad-objects");
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
        packaging.server.fault(&path, Fault::Instead(served));
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&expected), "{expected}: {error}");
        assert!(
            !packaging.path("store/content/sha256").join(path.trim_start_matches("lfs/")).exists()
        );
        assert_eq!(fs::read_dir(packaging.path("store/work")).unwrap().count(), 0);
    }
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let packaging = PackagingRepo::new("endless");
    for path in ["objects/batch", &packaging.object_path(QEMU)] {
        packaging.server.fault(path, Fault::Endless);
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(" bytes that are pinned or plausible "), "{error}");
        packaging.server.fault(path, Fault::HalfOnce);
    }
}

#[test]
fn what_the_lfs_server_has_wrong_the_commit_still_has() {
    let packaging = PackagingRepo::new("wrong-then-archive");
    packaging.server.fault(&packaging.object_path(KEYCODEMAPDB), Fault::Instead(b"five!".to_vec()));
    events(&mut packaging.fetch());
}

#[test]
fn a_bundle_of_another_commit_is_not_taken() {
    let packaging = PackagingRepo::new("other-bundle");
    let wanted = packaging.git("work", &["rev-parse", "HEAD"]);
    let mirror = packaging.path("mirror");
    fs::create_dir_all(mirror.join("git")).unwrap();
    let bundle = mirror.join(format!("git/{wanted}.bundle"));
    packaging.git("work", &["update-ref", "refs/vgpu-pipeline/pinned", "HEAD~1"]);
    let make = [
        "bundle",
        "create",
        "--quiet",
        bundle.to_str().unwrap(),
        "refs/vgpu-pipeline/pinned",
        "HEAD",
    ];
    packaging.git("work", &make);
    events(packaging.fetch().arg("--mirror").arg(&mirror));
    assert!(packaging.server.requests().iter().any(|request| request.contains("git-upload-pack")));
}

#[test]
fn a_download_that_breaks_off_goes_on_from_there() {
    let packaging = PackagingRepo::new("half-once");
    packaging.server.fault(&packaging.object_path(QEMU), Fault::HalfOnce);
    events(&mut packaging.fetch());
    let half = packaging.object(QEMU).metadata().unwrap().len() / 2;
    let resumed = format!("GET /{} bytes={half}-", packaging.object_path(QEMU));
    assert!(packaging.server.requests().contains(&resumed), "{:?}", packaging.server.requests());
}

#[test]
fn a_server_that_always_breaks_off_is_given_up() {
    let packaging = PackagingRepo::new("half-always");
    packaging.server.fault(&packaging.object_path(QEMU), Fault::HalfAlways);
    let began = Instant::now();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains(QEMU) && error.contains("`curl` ended with exit code 18"), "{error}");
    assert!(began.elapsed() < within(Duration::from_secs(60)));
    let asked = packaging.object_path(QEMU);
    let tries = packaging.server.requests().iter().filter(|r| r.contains(&asked)).count();
    assert_eq!(tries, 3);
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let packaging = PackagingRepo::new("hang");
    packaging.server.fault("info/refs", Fault::Hang);
    let began = Instant::now();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("Operation too slow"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `commit COMMIT of http://SERVER/qemu.git`: `git ls-remote` ended with exit code 128
    help: the whole output is in FOLDER/store/logs/hang/source.log
    ");
    assert!(began.elapsed() < within(Duration::from_secs(120)), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_a_missing_file_is_not() {
    let packaging = PackagingRepo::new("status");
    let asked = packaging.object_path(QEMU);
    let tries = |status: u16| {
        packaging.server.fault(&asked, Fault::Status(status));
        let before = packaging.server.requests().len();
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&format!("returned error: {status}")), "{error}");
        let requests = packaging.server.requests();
        requests[before..].iter().filter(|request| request.contains(&asked)).count()
    };
    assert_eq!((tries(503), tries(404)), (3, 1));
}

#[test]
fn a_commit_that_is_gone_is_one_clear_error() {
    let packaging = PackagingRepo::new("gone");
    let commit = packaging.git("work", &["rev-parse", "HEAD"]);
    let absent = "12345678fa".repeat(4);
    packaging.edit("p.yaml", &commit, &absent).edit("p.yaml", "      branch: master\n", "");
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `commit COMMIT of http://SERVER/qemu.git`: http://SERVER/qemu.git does not have the commit COMMIT
    help: was it pushed, or was the history rewritten? a mirror that has it serves as well
    ");
}

#[test]
fn a_history_that_was_rewritten_is_not_followed() {
    let packaging = PackagingRepo::new("rewritten");
    packaging.git("work", &["commit", "--quiet", "--amend", "-m", "Say it otherwise"]);
    packaging.publish();
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `commit COMMIT of http://SERVER/qemu.git`: the commit COMMIT is not in `master` of http://SERVER/qemu.git, which is at COMMIT
    help: its history was rewritten, or the pin is of another branch; a mirror that has the commit serves as well
    ");
}

#[test]
fn a_tag_that_moved_is_not_followed() {
    let packaging = PackagingRepo::new("moved-tag");
    let commit = packaging.git("work", &["rev-parse", "HEAD"]);
    let tagged = packaging.git("work", &["rev-parse", "v1^{commit}"]);
    packaging.edit("p.yaml", &commit, &tagged).edit("p.yaml", "branch: master", "tag: v1");
    events(&mut packaging.fetch());
    packaging.git("work", &["tag", "--force", "-a", "-m", "again", "v1"]);
    packaging.publish();
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `commit COMMIT of http://SERVER/qemu.git`: the tag `v1` of http://SERVER/qemu.git moved: it names COMMIT, and the pipeline pins COMMIT
    help: find out who moved it and why before the pin follows
    ");
}

#[test]
fn a_damaged_cache_entry_is_dropped_and_fetched_again() {
    let packaging = PackagingRepo::new("damaged");
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
    let before = packaging.server.requests().len();
    fs::remove_dir_all(packaging.path("store/results")).unwrap();
    assert_eq!(ran(&events(&mut packaging.fetch())), ["source"]);
    let requests = packaging.server.requests()[before..].join("\n");
    assert!(requests.contains("git-upload-pack") && requests.contains(&oid), "{requests}");
    assert_eq!(sha256(&packaging.path("store/content").join(&entries[0])), oid);
}

#[test]
fn a_mirror_is_not_trusted_and_a_dead_one_is_passed_over() {
    let packaging = PackagingRepo::new("bad-mirror");
    let mirror = packaging.path("mirror");
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    fs::create_dir_all(mirror.join("sha256")).unwrap();
    fs::write(mirror.join("sha256").join(&oid), "something else").unwrap();
    let dead = packaging.server.url("no-such-mirror");
    events(packaging.fetch().arg("--mirror").arg(&mirror).args(["--mirror", &dead]));
    assert_eq!(sha256(&packaging.path("store/content/sha256").join(&oid)), oid);
}

#[test]
fn a_mirror_that_serves_something_else_is_asked_once_and_told_once() {
    let packaging = PackagingRepo::new("wrong-mirror");
    let wrong = GitServer::serve(&packaging.path("nothing"));
    let url = wrong.url("m");
    let fetch = || {
        let _ = fs::remove_dir_all(packaging.path("store"));
        let before = wrong.requests().len();
        let began = Instant::now();
        let events = events(packaging.fetch().args(["--mirror", &url]));
        assert!(began.elapsed() < within(Duration::from_secs(60)), "{:?}", began.elapsed());
        let noted = notes(&events)
            .into_iter()
            .filter(|note| note.contains("is not asked any more"))
            .count();
        (wrong.requests().len() - before, noted)
    };
    // Neither page nor stream is asked for twice; what is absent is no reason to go.
    for fault in [Fault::Instead(b"<html>welcome</html>".to_vec()), Fault::Hang] {
        wrong.fault("", fault);
        assert_eq!(fetch(), (1, 1));
    }
    wrong.clear().fault("", Fault::Status(404));
    let (requests, noted) = fetch();
    assert!(requests > 1 && noted == 0, "{requests} {noted}");
    // A pin has its size, and more is not taken of anybody.
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    wrong.clear().fault(&oid, Fault::Endless);
    let (_, noted) = fetch();
    assert_eq!(noted, 1);
    assert_eq!(sha256(&packaging.path("store/content/sha256").join(&oid)), oid);
    // A folder's file of another size is not even read.
    let folder = packaging.path("mirror");
    fs::create_dir_all(folder.join("sha256")).unwrap();
    fs::File::create(folder.join("sha256").join(&oid)).unwrap().set_len(3 << 30).unwrap();
    fs::remove_dir_all(packaging.path("store")).unwrap();
    events(packaging.fetch().arg("--mirror").arg(&folder));
}

#[test]
fn of_a_mirrors_bundle_only_the_commit_is_kept() {
    let packaging = PackagingRepo::new("fat-bundle");
    let wanted = packaging.git("work", &["rev-parse", "HEAD"]);
    packaging.git("work", &["update-ref", "refs/vgpu-pipeline/pinned", &wanted]);
    let junk: Vec<u8> =
        (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::write(packaging.work().join("junk"), junk).unwrap();
    packaging.git("work", &["add", "--all"]);
    packaging.git("work", &["commit", "--quiet", "-m", "What nobody asked for"]);
    let mirror = packaging.path("mirror");
    fs::create_dir_all(mirror.join("git")).unwrap();
    let name = format!("git/{wanted}.bundle");
    let bundle = mirror.join(&name);
    let bundle = bundle.to_str().unwrap();
    let refs = ["refs/vgpu-pipeline/pinned", "HEAD"];
    packaging.git("work", &[&["bundle", "create", "--quiet", bundle], &refs[..]].concat());
    events(packaging.fetch().arg("--mirror").arg(&mirror));
    let asked = packaging.server.requests().iter().any(|request| request.contains("upload-pack"));
    assert!(!asked, "the mirror's bundle serves");
    let kept = packaging.path("store/content").join(&name);
    let heads = packaging.git("work", &["bundle", "list-heads", kept.to_str().unwrap()]);
    assert_eq!(heads, format!("{wanted} refs/vgpu-pipeline/pinned"));
    let (kept, given) = (kept.metadata().unwrap().len(), fs::metadata(bundle).unwrap().len());
    assert!(kept + (1 << 19) < given, "{kept} of {given}");
}
