// SPDX-License-Identifier: GPL-2.0-or-later
//! What runs leave that are killed in a switch, moment by moment.

use super::*;

/// An output with something of somebody's in it, the state that was to come, and the work folder.
struct Scene {
    world: World,
    out: PathBuf,
    work: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let out = world.place("out");
        write(&world.repository("1", "a"), &world.output(&out)).unwrap();
        std_fs::write(out.join("index.html"), "mine").unwrap();
        std_fs::create_dir(out.join("docs")).unwrap();
        std_fs::write(out.join("docs/a"), "deep").unwrap();
        let work = world.place(&format!("{}abcdef", switch::prefix(&out)));
        std_fs::create_dir(&work).unwrap();
        std_fs::create_dir(work.join("tree")).unwrap();
        Self { world, out, work }
    }

    /// The journal as the killed run had written it.
    fn journal(&self) {
        let inode = std_fs::metadata(self.work.join("tree")).unwrap().ino();
        let mut ours: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        ours.extend([RECORD.to_owned(), "Packages/qemu-1-1.x86_64.rpm".to_owned()]);
        let journal =
            serde_json::json!({ "format": 1, "output": b"out", "inode": inode, "ours": ours });
        std_fs::write(self.work.join("journal.json"), journal.to_string()).unwrap();
    }

    /// The new state in full, as far as it matters.
    fn stage(&self) {
        // In another folder: a run beside would clear what this one is about to need.
        let other = self.world.folder.path().join("elsewhere/other");
        write(&self.world.repository("2", "b"), &self.world.output(&other)).unwrap();
        for entry in std_fs::read_dir(&other).unwrap() {
            let name = entry.unwrap().file_name();
            std_fs::rename(other.join(&name), self.work.join("tree").join(&name)).unwrap();
        }
        std_fs::remove_dir(&other).unwrap();
        std_fs::hard_link(self.out.join("index.html"), self.work.join("tree/index.html")).unwrap();
    }

    fn exchange(&self) {
        let tree = self.work.join("tree");
        let (from, to) = (rustix::fs::CWD, rustix::fs::CWD);
        let how = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(from, &tree, to, &self.out, how).unwrap();
    }

    /// The next run, and that everything is as it should be after it.
    fn recovers(&self, version: &str, text: &str) {
        let stored = self.world.repository(version, text);
        write(&stored, &self.world.output(&self.out)).unwrap();
        let now = tree(&self.out);
        assert_eq!(now[&format!("Packages/qemu-{version}-1.x86_64.rpm")], text);
        assert_eq!((now["index.html"].as_str(), now["docs/a"].as_str()), ("mine", "deep"));
        assert_eq!(std_fs::metadata(self.out.join("index.html")).unwrap().nlink(), 1);
        assert_eq!(std_fs::read_dir(self.world.place("")).unwrap().count(), 1);
    }
}

#[test]
fn killed_before_its_journal_was_whole() {
    let scene = Scene::new();
    scene.recovers("1", "a");
    let scene = Scene::new();
    std_fs::write(scene.work.join("journal.new"), "{\"format\": 1, \"outp").unwrap();
    scene.recovers("2", "b");
    let scene = Scene::new();
    std_fs::remove_dir(scene.work.join("tree")).unwrap();
    scene.recovers("2", "b");
}

#[test]
fn killed_while_the_new_state_grew() {
    let scene = Scene::new();
    scene.journal();
    scene.recovers("1", "a");
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    scene.recovers("1", "a");
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    std_fs::write(scene.work.join("tree/SHA256SUMS"), "half").unwrap();
    scene.recovers("2", "b");
}

#[test]
fn killed_right_after_the_two_changed_places_and_at_any_step_of_clearing() {
    let gone: [&[&str]; 4] = [
        &[],
        &["index.html"],
        &["index.html", "SHA256SUMS", "repodata/repomd.xml"],
        &["index.html", "SHA256SUMS", "repodata/repomd.xml", "manifest.json", RECORD],
    ];
    for (version, text) in [("2", "b"), ("3", "c")] {
        for gone in gone {
            let scene = Scene::new();
            scene.journal();
            scene.stage();
            scene.exchange();
            for name in gone {
                std_fs::remove_file(scene.work.join("tree").join(name)).unwrap();
            }
            scene.recovers(version, text);
        }
    }
}

#[test]
fn the_old_state_comes_back_where_somebody_took_the_new_one_away() {
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    scene.exchange();
    std_fs::remove_dir_all(&scene.out).unwrap();
    scene.recovers("1", "a");
}

#[test]
fn what_has_no_room_in_the_new_state_stays_where_it_is_and_is_told() {
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    scene.exchange();
    std_fs::create_dir(scene.out.join("docs")).unwrap();
    std_fs::write(scene.out.join("docs/a"), "another").unwrap();
    let stored = scene.world.repository("2", "b");
    let written = write(&stored, &scene.world.output(&scene.out)).unwrap();
    assert_eq!(written.left, [scene.work.join("tree")]);
    assert_eq!(std_fs::read_to_string(scene.work.join("tree/docs/a")).unwrap(), "deep");
    assert_eq!(std_fs::read_to_string(scene.out.join("docs/a")).unwrap(), "another");
    std_fs::rename(scene.out.join("docs"), scene.out.join("docs.new")).unwrap();
    scene.recovers("2", "b");
}

#[test]
fn a_folder_that_only_is_called_like_one_of_ours_is_left_alone() {
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    let cases: [Case; 5] = [
        ("notes", |at| std_fs::write(at.join("mine"), "mine").unwrap()),
        ("tree", |at| std_fs::create_dir_all(at.join("tree/mine")).unwrap()),
        ("journal", |at| std_fs::write(at.join("journal.json"), "{}").unwrap()),
        ("link", |at| {
            std_fs::remove_dir(at).unwrap();
            let notes = switch::prefix(Path::new("out")) + "notes";
            symlink(at.parent().unwrap().join(notes), at).unwrap();
        }),
        ("file", |at| {
            std_fs::remove_dir(at).unwrap();
            std_fs::write(at, "mine").unwrap();
        }),
    ];
    for (name, make) in cases {
        let at = scene.world.place(&format!("{}{name}", switch::prefix(&scene.out)));
        std_fs::create_dir(&at).unwrap();
        make(&at);
    }
    let theirs = || {
        let mut all = tree(&scene.world.place(""));
        all.retain(|name, _| !name.starts_with("out") && !name.contains("abcdef"));
        all
    };
    let before = theirs();
    write(&scene.world.repository("2", "b"), &scene.world.output(&scene.out)).unwrap();
    assert_eq!(theirs(), before);
    assert!(!scene.work.exists());
    // Nor is one that somebody else made.
    if rustix::process::geteuid().is_root() {
        let scene = Scene::new();
        scene.journal();
        std::os::unix::fs::chown(&scene.work, Some(4321), None).unwrap();
        write(&scene.world.repository("2", "b"), &scene.world.output(&scene.out)).unwrap();
        assert!(scene.work.join("journal.json").exists());
    } else {
        eprintln!("SKIPPED: only root can make what belongs to another user");
    }
}

/// Two outputs may be written at the same time, so that the work beside one is nothing to the other.
#[test]
fn what_is_beside_another_output_is_left_to_that() {
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    scene.exchange();
    let before = tree(&scene.work);
    let other = scene.world.place("other");
    for (version, text) in [("1", "a"), ("2", "b")] {
        let stored = scene.world.repository(version, text);
        write(&stored, &scene.world.output(&other)).unwrap();
        examine(&scene.world.output(&scene.world.place("third")), None).unwrap();
        assert_eq!(tree(&scene.work), before);
    }
    std_fs::remove_dir_all(&other).unwrap();
    scene.recovers("2", "b");
    // Nor is one that says that it is for another, whatever it is called.
    let scene = Scene::new();
    scene.journal();
    scene.stage();
    let journal = scene.work.join("journal.json");
    let text = std_fs::read_to_string(&journal).unwrap();
    let (mine, others) =
        (b"out".map(|byte| byte.to_string()), b"../out".map(|byte| byte.to_string()));
    let text = text.replace(&mine.join(","), &others.join(","));
    std_fs::write(&journal, &text).unwrap();
    let before = tree(&scene.work);
    write(&scene.world.repository("2", "b"), &scene.world.output(&scene.out)).unwrap();
    assert_eq!(tree(&scene.work), before);
    assert!(text.contains(&others.join(",")));
}

#[test]
fn killed_while_it_tried_what_a_switch_needs() {
    for made in [&["tree"][..], &["tree", "other"], &["other"]] {
        let scene = Scene::new();
        std_fs::remove_dir(scene.work.join("tree")).unwrap();
        std_fs::write(scene.work.join("journal.new"), "x").unwrap();
        for name in made {
            std_fs::create_dir(scene.work.join(name)).unwrap();
        }
        scene.recovers("2", "b");
    }
    let scene = Scene::new();
    std_fs::create_dir_all(scene.work.join("other/mine")).unwrap();
    write(&scene.world.repository("2", "b"), &scene.world.output(&scene.out)).unwrap();
    assert!(scene.work.join("other/mine").exists(), "nobody but somebody put that there");
}
