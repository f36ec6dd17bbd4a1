// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tests share: the program, a store that they all use, the workstation pipeline run once,
//! and pipelines on the toy tree.

pub mod campaign;
pub mod debian_archive;
pub mod git_server;
pub mod leash;
pub mod packaging_repo;
pub mod registry;
pub mod requirements;
pub mod skip;
mod stable;
pub mod venv;

use std::collections::BTreeMap;
use std::fs;
use std::io::{PipeReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;
use vgpu_pipeline::{Event, Stage, State, render_note};

pub use stable::stable;

/// A repository that the workstation pipeline published.
pub struct Published {
    pub repository: PathBuf,
}

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that outlives the tests, so that a second run of them need not build QEMU again.
pub fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

pub fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The program, with the tests' own store and keys.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vgpu-pipeline"));
    command
        .current_dir(root())
        .env("VGPU_PIPELINE_STORE", kept("store"))
        .env("XDG_DATA_HOME", kept("data"));
    command
}

/// Runs a command, which has to end with the given code, and returns what it said.
pub fn ends_with(code: i32, command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?}\nstdout: {}\nstderr: {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// What a command that has to fail says on its standard error.
pub fn refusal(code: i32, command: &mut Command) -> String {
    String::from_utf8(ends_with(code, command).stderr).unwrap()
}

/// The events of a run that has to succeed.
pub fn events(command: &mut Command) -> Vec<Event> {
    read_events(&ends_with(0, command.arg("--json")))
}

/// The events that a program printed.
pub fn read_events(output: &Output) -> Vec<Event> {
    let lines = std::str::from_utf8(&output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How each stage came to its result.
pub fn states(events: &[Event]) -> BTreeMap<Stage, State> {
    let finished = |event: &Event| match event {
        Event::Finished { stage, state, .. } => Some((*stage, *state)),
        _ => None,
    };
    events.iter().filter_map(finished).collect()
}

/// The stages that were not cached.
pub fn ran(events: &[Event]) -> Vec<&'static str> {
    let states = states(events).into_iter();
    states.filter(|(_, state)| *state == State::Ran).map(|(stage, _)| stage.name()).collect()
}

/// All stages of a run from one on, in their order, but for those that are left out.
pub fn from(events: &[Event], first: &str, without: &[&str]) -> Vec<&'static str> {
    let names = states(events).into_keys().map(Stage::name);
    names.skip_while(|name| *name != first).filter(|name| !without.contains(name)).collect()
}

/// What people are told, in words, a note of each stage.
pub fn notes(events: &[Event]) -> Vec<String> {
    notes_of(events, |_| true)
}

/// The same of some stages.
pub fn notes_of(events: &[Event], wanted: impl Fn(Stage) -> bool) -> Vec<String> {
    let note = |event: &Event| match event {
        Event::Note { stage, note } => wanted(*stage).then(|| render_note(note)),
        _ => None,
    };
    events.iter().filter_map(note).collect()
}

/// Whether people are told something with these words.
pub fn has_note(events: &[Event], wanted: &str) -> bool {
    notes(events).iter().any(|note| note.contains(wanted))
}

/// The results of the stages in the store, as folders are called there.
pub fn results(events: &[Event]) -> Vec<String> {
    let finished = |event: &Event| match event {
        Event::Finished { stage, key, .. } => Some(format!("{}-{}", stage.name(), key.as_str())),
        _ => None,
    };
    events.iter().filter_map(finished).collect()
}

/// The key of a stage's result.
pub fn key(events: &[Event], stage: &str) -> String {
    let of_stage = |name: &String| name.strip_prefix(&format!("{stage}-")).map(str::to_owned);
    results(events).iter().find_map(of_stage).unwrap()
}

/// The folder of a stage's result in the shared store.
pub fn result(events: &[Event], stage: &str) -> PathBuf {
    kept("store/results").join(format!("{stage}-{}", key(events, stage)))
}

/// The log of a stage that ran.
pub fn started(events: &[Event], wanted: &str) -> PathBuf {
    let log = |event: &Event| match event {
        Event::Started { stage, log, .. } if stage.name() == wanted => Some(log.clone()),
        _ => None,
    };
    events.iter().find_map(log).unwrap()
}

/// Whether the last event says that the output was written.
pub fn rewritten(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::Output { rewritten: true, .. }))
}

/// The workstation pipeline, run once for all tests.
pub fn workstation() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let repository = kept("workstation");
        let mut run = program();
        // A folder that outlives the tests has what the sources of another day gave.
        run.args([
            "run",
            "pipeline/workstation.yaml",
            "--replace",
            "--accept-new-signer",
            "--output",
        ]);
        ends_with(0, run.arg(&repository));
        Published { repository }
    })
}

/// A pipeline on the toy tree in `fixtures/`, in a folder of its own, free to be spoilt.
pub struct Toy {
    folder: TempDir,
}

impl Toy {
    /// The pipeline as it works.
    pub fn new(name: &str) -> Self {
        let toy = Self { folder: scratch() };
        let fixtures = root().join("tests/fixtures");
        toy.archive(&fixtures.join("toy-qemu"), "qemu-4.2.1");
        let keycodemapdb = toy.path("keycodemapdb");
        fs::create_dir(&keycodemapdb).unwrap();
        // Tests share a store and no results, with each other and with an earlier run.
        let unique = format!("for {name} at {:?}", SystemTime::now());
        let readme = format!("A stand-in for keycodemapdb, {unique}.\n");
        fs::write(keycodemapdb.join("README"), readme).unwrap();
        toy.archive(&keycodemapdb, KEYCODEMAPDB);
        let spec = fs::read_to_string(fixtures.join("toy-qemu.spec")).unwrap();
        fs::write(toy.path("qemu.spec"), format!("# {unique}\n{spec}")).unwrap();
        fs::copy(root().join("device/vgpu-stub.c"), toy.path("vgpu-stub.c")).unwrap();
        fs::copy(root().join("containers/debian-12.Containerfile"), toy.path("Containerfile"))
            .unwrap();
        let text = fs::read_to_string(fixtures.join("toy.yaml")).unwrap();
        let text = text
            .replace("@NAME@", name)
            .replace("@QEMU_SHA256@", &sha256(&toy.path("qemu-4.2.1.tar.gz")))
            .replace("@KEYCODEMAPDB_SHA256@", &sha256(&toy.path(&format!("{KEYCODEMAPDB}.tar.gz"))))
            .replace("@ENVIRONMENT@", &environment());
        fs::write(toy.path("toy.yaml"), text).unwrap();
        toy
    }

    /// The same pipeline, name and all, in another folder.
    pub fn twin(&self) -> Self {
        let twin = Self { folder: scratch() };
        let mut copy = Command::new("cp");
        ends_with(0, copy.arg("-rT").arg(self.folder.path()).arg(twin.folder.path()));
        let _ = fs::remove_dir_all(twin.output());
        twin
    }

    /// A pipeline whose stock package is built with the flags that it is built with itself.
    pub fn with_stock(name: &str) -> Self {
        let toy = Self::new(name);
        let stock = "verify:\n  stock:\n    build:\n      edits:\n        - replace: \
                     { find: --enable-werror, with: --disable-werror }\n";
        toy.edit("toy.yaml", "verify:\n", stock);
        toy
    }

    /// Lets operators attach its device, without which there is no package for dom0.
    pub fn with_settings(&self) -> &Self {
        let properties = "      properties: { pool_id: str, priority: str, vm_id: uint32 }\n";
        self.edit("toy.yaml", properties, &format!("{properties}      settings: {{}}\n"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn output(&self) -> PathBuf {
        self.path("out")
    }

    /// Replaces a piece of text, which has to be there, in one of its files.
    pub fn edit(&self, file: &str, from: &str, to: &str) -> &Self {
        let path = self.path(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// `run` on it, into its own output, as whoever edits a device does again and again.
    pub fn run(&self) -> Command {
        let mut command = self.release();
        command.arg("--replace");
        command
    }

    /// `run` on it as for others, who may have what was published before.
    pub fn release(&self) -> Command {
        let mut command = program();
        command.arg("run").arg(self.path("toy.yaml")).arg("--output").arg(self.output());
        command
    }

    /// `run` on it as far as a stage, with nothing for others to have.
    pub fn until(&self, stage: &str) -> Command {
        let mut command = program();
        command.arg("run").arg(self.path("toy.yaml")).args(["--until", stage]);
        command
    }

    /// An archive as `git archive | gzip -n` makes it: nothing in it depends on when or where.
    fn archive(&self, folder: &Path, name: &str) {
        let status = Command::new("tar")
            .args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"])
            .args(["--use-compress-program=gzip -n", "--create", "--file"])
            .arg(self.path(&format!("{name}.tar.gz")))
            .arg(format!("--transform=s,^[.],{},", inside(name)))
            .arg("--directory")
            .arg(folder)
            .arg(".")
            .status()
            .unwrap();
        assert!(status.success());
    }
}

const KEYCODEMAPDB: &str = "keycodemapdb-22b8996dba9041874845c7446ce89ec4ae2b713d";

/// The folder that an archive unpacks to: the second one goes into the first one's tree.
fn inside(name: &str) -> &str {
    if name == KEYCODEMAPDB { "ui/keycodemapdb" } else { name }
}

/// The workstation's own environment, so that both share one image.
pub fn environment() -> String {
    let text = fs::read_to_string(root().join("pipeline/workstation.yaml")).unwrap();
    let from = text.find("\n  base:").unwrap();
    let to = text.find("\ndevice:").unwrap();
    text[from..to].to_owned()
}

/// A tree once more, without taking its room twice where both places are on one file system.
pub fn copy_tree(from: &Path, to: &Path) {
    let mut link = Command::new("cp");
    let linked = link.args(["--archive", "--link"]).arg(from).arg(to).output().unwrap();
    if !linked.status.success() {
        let _ = fs::remove_dir_all(to);
        ends_with(0, Command::new("cp").arg("--archive").arg(from).arg(to));
    }
}

/// A command with a standard output that nobody reads and that is full: it stays in its write, with what
/// it knows.
pub fn stuck(command: &mut Command) -> (Child, PipeReader) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'x'; 1 << 16]).unwrap();
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    // It is where it writes once it sleeps for long; on its way there it may wait for a disk.
    let mut asleep = 0;
    while asleep < 5 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let sleeps = stat.rsplit(')').next().unwrap().starts_with(" S");
        asleep = if sleeps { asleep + 1 } else { 0 };
        assert!(child.try_wait().unwrap().is_none(), "it ended: {command:?}");
        assert!(began.elapsed() < within(Duration::from_secs(60)), "{command:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    (child, reader)
}

/// A limit for an idle machine, as it is on one that has this much else to do at the moment.
pub fn within(limit: Duration) -> Duration {
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    let load: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let processors = std::thread::available_parallelism().unwrap().get();
    limit.mul_f64((load / f64::from(u32::try_from(processors).unwrap())).max(1.0) * 1.5)
}

pub fn sha256(path: &Path) -> String {
    let output = ends_with(0, Command::new("sha256sum").arg(path));
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
