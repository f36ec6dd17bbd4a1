// SPDX-License-Identifier: GPL-2.0-or-later
//! A disk that is full, and one that fails, at each stage: exit code 1, one clear line, nothing half
//! written, and the next run is fine.

use super::campaign::rounds;
use super::{Namespace, leftovers, store_with};
use crate::support::results;
use crate::support::{Toy, ends_with, events, kept, program, scratch};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A tmpfs with a pipeline's results up to `verify` in a store on it.
struct Disk {
    namespace: Namespace,
    folder: tempfile::TempDir,
    toy: Toy,
}

impl Disk {
    fn new(toy: Toy) -> Option<Self> {
        let namespace = Namespace::new()?;
        let folder = scratch();
        let made = events(&mut toy.until("verify"));
        namespace.sh("mount -t tmpfs -o size=512m tmpfs \"$1\"", &[folder.path()]);
        for result in results(&made) {
            let stage = result.split('-').next().unwrap_or_default();
            let name = format!("results/{result}");
            let (from, to) = (kept("store").join(&name), folder.path().join("store").join(&name));
            // The environment has half a gigabyte that nobody is about to read.
            let script = match stage {
                "environment" => "mkdir -p \"$2\" && mount --bind \"$1\" \"$2\"",
                _ => "mkdir -p \"$2\" && cp -a \"$1/.\" \"$2\"",
            };
            namespace.sh(script, &[&from, &to]);
        }
        // Which image was made of it: one made anew needs half a gigabyte too.
        let images = [kept("store/images"), folder.path().join("store/images")];
        namespace.sh("cp -a \"$1\" \"$2\"", &[&images[0], &images[1]]);
        Some(Self { namespace, folder, toy })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.namespace.path(&self.folder.path().join(name))
    }

    fn used(&self) -> u64 {
        let said =
            self.namespace.sh("df --output=used -B1 \"$1\" | tail -n1", &[self.folder.path()]);
        String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
    }

    fn resize(&self, size: u64) {
        let script = format!("mount -o remount,size={size} \"$1\"");
        self.namespace.sh(&script, &[self.folder.path()]);
    }

    fn run(&self) -> Output {
        let mut run = program();
        run.arg("run").arg(self.toy.path("toy.yaml"));
        run.arg("--output").arg(self.folder.path().join("out"));
        let mut inside = self.namespace.command(&run);
        inside.env("VGPU_PIPELINE_STORE", self.folder.path().join("store")).output().unwrap()
    }

    /// Drops the results from a stage on.
    fn forget(&self, stages: &[&str]) {
        forget(&self.path("store"), stages);
    }

    /// Lets the disk grow step by step until a run is fine, and says which stages failed on the way.
    fn grow(&self, step: u64) -> BTreeSet<String> {
        let base = self.used();
        let mut failed = BTreeSet::new();
        // The first bytes are wanted by many.
        let fine = (0..8).map(|number| number * (4 << 10));
        let coarse = (1..400).map(|number| number * step).filter(|more| *more > 28 << 10);
        for more in fine.chain(coarse) {
            self.resize(base + more);
            let said = self.run();
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            if said.status.code() == Some(0) {
                let repository = self.path("out");
                let mut check = Command::new("sha256sum");
                check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(repository);
                ends_with(0, &mut check);
                self.is_clean(&text);
                return failed;
            }
            assert_eq!(said.status.code(), Some(1), "{text}");
            failed.insert(one_clear_error(&text, "No space left on device", "make room on that"));
            self.is_clean(&text);
            assert!(!self.path("out").exists(), "{text}");
        }
        panic!("it takes more than {} bytes", 400 * step);
    }

    fn is_clean(&self, said: &str) {
        let work = fs::read_dir(self.path("store/work")).map_or(0, Iterator::count);
        assert_eq!(work, 0, "{said}");
        assert!(leftovers(&self.path("")).is_empty(), "{said}");
    }
}

/// That there is one error with its reason and what to try; gives the stage, or what else failed.
fn one_clear_error(text: &str, reason: &str, help: &str) -> String {
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    let [error] = errors[..] else { panic!("{text}") };
    let scarce = text.contains(" KiB are free on the disk of `");
    assert!(text.contains(reason) || reason.contains("space") && scarce, "{text}");
    assert!(text.contains('/'), "no path: {text}");
    assert!(text.contains("help: ") && text.contains(help), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(!text.contains("find out who"), "nobody did it: {text}");
    let stage = error.strip_prefix("error: stage `").and_then(|rest| rest.split('`').next());
    stage.unwrap_or("output").to_owned()
}

#[test]
fn a_disk_that_is_full_in_sign_publish_and_the_output_is_one_clear_error() {
    let Some(disk) = Disk::new(Toy::new("toy-full")) else { return };
    // The first run makes the store's folders.
    disk.run();
    disk.forget(&["sign", "publish"]);
    fs::remove_dir_all(disk.path("out")).unwrap();
    let failed = disk.grow(12 << 10);
    for stage in ["sign", "publish", "output"] {
        assert!(failed.contains(stage), "{failed:?}");
    }
}

#[test]
fn a_disk_that_is_full_in_build_and_verify_is_one_clear_error() {
    let Some(disk) = Disk::new(Toy::new("toy-full-build")) else { return };
    disk.run();
    fs::remove_dir_all(disk.path("out")).unwrap();
    disk.forget(&["verify", "sign", "publish"]);
    let failed = disk.grow(96 << 10);
    assert!(failed.contains("verify"), "{failed:?}");
    fs::remove_dir_all(disk.path("out")).unwrap();
    disk.forget(&["build", "verify", "sign", "publish"]);
    let failed = disk.grow(1536 << 10);
    assert!(failed.contains("build"), "{failed:?}");
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error_too() {
    for args in [
        ["schema"].as_slice(),
        &["completions", "bash"],
        &["plan", "pipeline/workstation.yaml"],
        &["plan", "--json", "pipeline/workstation.yaml"],
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["run", "-h"],
        &["key", "new", "--help"],
        &["key", "--version"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let said = program().args(args).stdout(full).output().unwrap();
        assert_eq!(said.status.code(), Some(1), "{args:?}");
        let text = String::from_utf8(said.stderr).unwrap();
        assert!(
            text.starts_with("error: cannot write to standard output: No space left"),
            "{text}"
        );
        assert!(text.lines().skip(1).all(|line| line.starts_with("help: ")), "{text}");
        // Whoever stops reading has what they wanted.
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        let said = program().args(args).stdout(gone).output().unwrap();
        assert_eq!((said.status.code(), said.stderr), (Some(0), Vec::new()), "{args:?}");
        // What goes to people may get lost; the exit code does not, and nobody panics.
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let status = program().args(args).stdout(std::process::Stdio::null()).stderr(full).status();
        assert_eq!(status.unwrap().code(), Some(0), "{args:?}");
    }
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = program().args(["check", "/no/such/file"]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// As `ulimit -f` has it: the kernel sends a signal that ends whoever does not want it.
fn with_files_of(bytes: u64, command: &Command) -> Command {
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--fsize={bytes}")).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        value.map(|value| limited.env(name, value));
    }
    limited
}

#[test]
fn a_file_that_may_not_grow_is_one_clear_error_and_the_next_run_is_fine() {
    let toy = Toy::new("toy-fsize");
    let made = events(&mut toy.until("verify"));
    let folder = scratch();
    let store = store_with(&made, folder.path());
    let output = folder.path().join("out");
    let run = || {
        let mut run = retried(&toy, &store, &output);
        run.env("XDG_DATA_HOME", kept("data"));
        run
    };
    // The development key is there, and so is what is remembered of it.
    ends_with(0, &mut run());
    let largest = made_of(&store).values().copied().max().unwrap();
    let mut failed = BTreeSet::new();
    for bytes in [0, 1, 300, 1000, 3000, 9000, 30_000, 90_000, largest / 2, largest * 2] {
        let _ = fs::remove_dir_all(&output);
        forget(&store, &["sign", "publish"]);
        let before = made_of(&store);
        let said = with_files_of(bytes, &run()).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        if said.status.code() == Some(0) {
            assert!(bytes > 9000, "{bytes}: {text}");
            continue;
        }
        assert_eq!(said.status.code(), Some(1), "{bytes}: {text}");
        failed.insert(one_clear_error(&text, "File too large", "`ulimit -f` limits"));
        assert!(!output.exists(), "{bytes}: {text}");
        assert_eq!(leftovers(folder.path()), [""; 0], "{bytes}: {text}");
        assert_eq!(fs::read_dir(store.join("work")).unwrap().count(), 0, "{bytes}: {text}");
        // What a stage had finished is whole.
        let now = made_of(&store);
        assert!(before.iter().all(|(name, size)| now.get(name) == Some(size)), "{bytes}");
        ends_with(0, &mut run());
        let mut check = Command::new("sha256sum");
        ends_with(0, check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&output));
    }
    eprintln!("failed in {failed:?}");
    assert!(failed.len() > 1, "{failed:?}");
    // And where a key is made, or another thing is laid out.
    for bytes in [0, 1, 500, 2000] {
        let key = folder.path().join("keys/key.asc");
        let mut make = program();
        make.args(["key", "new"]).arg(&key);
        let said = with_files_of(bytes, &make).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{text}");
        one_clear_error(&text, "File too large", "`ulimit -f` limits");
        assert!(text.contains(key.to_str().unwrap()), "{text}");
        assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 0, "{text}");
        let mut check = program();
        check.arg("check").env("VGPU_PIPELINE_STORE", folder.path().join(bytes.to_string()));
        let said = with_files_of(bytes, &check).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{text}");
        one_clear_error(&text, "File too large", "`ulimit -f` limits");
    }
}

/// The files of a store's results, with their sizes.
fn made_of(store: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut open = vec![store.join("results")];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                open.push(path);
            } else {
                found.insert(path, meta.len());
            }
        }
    }
    found
}

/// Drops the results of stages.
fn forget(store: &Path, stages: &[&str]) {
    for entry in fs::read_dir(store.join("results")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if stages.iter().any(|stage| name.starts_with(&format!("{stage}-"))) {
            fs::remove_dir_all(path).unwrap();
        }
    }
}

/// What of the kernel's calls fails, one at a time.
const CALLS: [&str; 9] = [
    "write",
    "fsync",
    "rename,renameat,renameat2",
    "read",
    "openat",
    "mkdir,mkdirat",
    "copy_file_range,sendfile",
    "fchmod,chmod",
    "linkat",
];

#[test]
fn a_disk_that_fails_is_one_clear_error_and_the_next_run_is_fine() {
    let toy = Toy::new("toy-eio");
    let made = events(&mut toy.until("verify"));
    let folder = scratch();
    let store = store_with(&made, folder.path());
    let output = folder.path().join("out");
    let run = |trace: &[String]| {
        let mut run = Command::new("strace");
        run.args(["--quiet=all", "--output=/dev/null"]).args(trace);
        run.arg(env!("CARGO_BIN_EXE_vgpu-pipeline")).arg("run").arg(toy.path("toy.yaml"));
        run.arg("--output").arg(&output).env("VGPU_PIPELINE_STORE", &store);
        run.env("XDG_DATA_HOME", kept("data")).output().unwrap()
    };
    let (mut failed, mut fine) = (0, 0);
    for call in CALLS {
        for number in 0..rounds(3) {
            // Early ones are the loader's; later ones are spread over the whole run.
            let when = 4 + number * number * 5 + number * 7;
            let _ = fs::remove_dir_all(&output);
            forget(&store, &["sign", "publish"]);
            let said = run(&[format!("--inject={call}:error=EIO:when={when}")]);
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            match said.status.code() {
                Some(0) => fine += 1,
                Some(1) => {
                    failed += 1;
                    one_clear_error(&text, "Input/output error", "the disk under that path fails");
                }
                code => panic!("{call} {when}: {code:?}: {text}"),
            }
            assert!(leftovers(folder.path()).is_empty(), "{call} {when}: {text}");
            assert_eq!(ends_with(0, &mut retried(&toy, &store, &output)).status.code(), Some(0));
            let mut check = Command::new("sha256sum");
            ends_with(0, check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&output));
        }
    }
    eprintln!("EIO: {failed} runs failed as they should, {fine} were not hit where it matters");
    assert!(failed > 0);
}

fn retried(toy: &Toy, store: &Path, output: &Path) -> Command {
    let mut run = program();
    run.arg("run").arg(toy.path("toy.yaml")).arg("--output").arg(output);
    run.env("VGPU_PIPELINE_STORE", store);
    run
}
