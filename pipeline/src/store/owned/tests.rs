// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use tempfile::TempDir;

/// A user of no machine.
const THEM: u32 = 4321;

/// A folder with folders of others in it; none, aloud, where only root could make those.
fn neighbourhood() -> Option<TempDir> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can make what belongs to another user");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in
        ["ours", "theirs", "theirs/ours", "open", "open/ours", "sticky", "sticky/ours", "team"]
    {
        fs::create_dir(at(name)).unwrap();
    }
    let mode =
        |name: &str, mode| fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
    mode("open", 0o777);
    mode("sticky", 0o1777);
    mode("team", 0o2775);
    let link = |to: &str, name: &str| symlink(to, at(name)).unwrap();
    link("ours", "to-ours");
    link("theirs/ours", "to-theirs");
    link("open/ours", "to-open");
    link("../ours", "sticky/of-them");
    lchown(at("sticky/of-them"), Some(THEM), None).unwrap();
    link("sticky/of-them", "to-link-of-them");
    // Each of these leads to a folder of ours in the end.
    link("theirs/../ours", "past-theirs");
    link("hop", "by-theirs");
    link("theirs/back", "hop");
    link("../ours", "theirs/back");
    link("loop", "loop");
    link("nowhere", "dangling");
    lchown(at("theirs"), Some(THEM), None).unwrap();
    Some(folder)
}

#[test]
fn a_place_is_trusted_where_nobody_else_could_put_another_one() {
    let Some(folder) = neighbourhood() else { return };
    for (name, wanted) in [
        ("theirs/x", "theirs"),
        ("theirs/not/there/x", "theirs"),
        ("theirs/ours/x", "theirs"),
        ("theirs/../ours/x", "theirs"),
        ("ours/../theirs/x", "ours/../theirs"),
        ("to-theirs/x", "theirs"),
        ("past-theirs/x", "theirs"),
        ("by-theirs/x", "theirs"),
        ("by-theirs/./x", "theirs"),
        ("sticky/of-them/x", "sticky/of-them"),
        ("to-link-of-them/x", "sticky/of-them"),
        ("open/x", "open"),
        ("open/ours/x", "open"),
        ("to-open/x", "open"),
        ("ours/x", ""),
        ("ours/not/there/x", ""),
        ("to-ours/x", ""),
        ("sticky/x", ""),
        ("sticky/ours/x", ""),
        ("team/x", ""),
        ("loop/x", ""),
        ("dangling/x", ""),
        ("by-theirs", ""),
    ] {
        let path = std::path::absolute(folder.path().join(name)).unwrap();
        let said = refuse_foreign_parents(&path, "the thing", "try").map_err(|e| e.rendered());
        if wanted.is_empty() {
            assert_eq!(said, Ok(()), "{name}");
            continue;
        }
        let said = said.expect_err(name);
        let shown = folder.path().join(wanted.trim_start_matches("ours/../"));
        let shown = format!("the thing `{}` lies in `{}`", path.display(), shown.display());
        assert!(said.starts_with(&shown) && said.contains("\nhelp: try"), "{name}: {said}");
        let why =
            if wanted == "open" { "which everybody may write to" } else { "of the user 4321" };
        assert!(said.contains(why), "{name}: {said}");
    }
    // With the last part too, where that is a link or theirs.
    for name in ["by-theirs", "past-theirs", "to-theirs", "theirs", "to-link-of-them", "to-open/."]
    {
        let said = refuse_foreign_way(&folder.path().join(name), "the thing", "try");
        assert!(said.unwrap_err().rendered().contains("lies in `"), "{name}");
    }
    refuse_foreign_way(&folder.path().join("to-ours"), "the thing", "try").unwrap();
}

#[test]
fn nothing_is_made_below_a_folder_of_another_user() {
    let Some(folder) = neighbourhood() else { return };
    for name in
        ["theirs/x", "theirs/ours/x", "theirs/new/x", "by-theirs/x", "to-theirs/x", "open/ours/x"]
    {
        private_folder(&folder.path().join(name), "the thing", "try").unwrap_err();
    }
    for name in ["theirs/x", "theirs/ours/x", "theirs/new", "ours/x", "open/ours/x"] {
        assert!(folder.path().join(name).symlink_metadata().is_err(), "{name}");
    }
}

#[test]
fn a_private_folder_is_private_and_what_holds_it_is_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::set_permissions(&kept, Permissions::from_mode(0o750)).unwrap();
    let path = kept.join("deep/er/private");
    for _ in 0..2 {
        private_folder(&path, "the thing", "try").unwrap();
        let modes = path.ancestors().take(4).map(|at| at.metadata().unwrap().mode() & 0o7777);
        assert_eq!(modes.collect::<Vec<_>>(), [0o700, 0o755, 0o755, 0o750]);
        // What is too generous is fixed.
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    }
}
