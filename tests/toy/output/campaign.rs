// SPDX-License-Identifier: GPL-2.0-or-later
//! Readers and kills, in numbers: `CAMPAIGN=N tests/run output::` runs N rounds of each, CI a slice.

use super::{leftovers, store_with};
use crate::support::{Toy, campaign, ends_with, events, kept, program, scratch, sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many rounds somebody asked for.
pub fn rounds(slice: u64) -> u64 {
    campaign::number("CAMPAIGN", slice)
}

/// Two states of one repository that are published in turns, from a store that has all but the last
/// stages of both.
struct Turns {
    toy: Toy,
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Turns {
    fn new(name: &str) -> Self {
        let toy = Toy::new(name);
        let made = events(&mut toy.until("verify"));
        let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
        for (file, url) in
            [("a.yaml", "https://a.example.com/repo"), ("b.yaml", "https://b.example.com/r")]
        {
            fs::write(toy.path(file), format!("{text}\npublish: {{ base-url: \"{url}\" }}\n"))
                .unwrap();
        }
        let folder = scratch();
        let store = store_with(&made, folder.path());
        Self { toy, folder, store }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn run(&self, file: &str) -> Command {
        let mut run = program();
        run.arg("run").arg(self.toy.path(file)).arg("--output").arg(self.output());
        run.env("VGPU_PIPELINE_STORE", &self.store).stdout(Stdio::null()).stderr(Stdio::null());
        run
    }

    /// The files of a published state, by their bytes.
    fn state(&self, file: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        ends_with(0, &mut self.run(file));
        let names = super::sums(&self.output()).into_keys();
        names.map(|name| (name.clone(), fs::read(self.output().join(name)).unwrap())).collect()
    }

    /// That the output is one of the states, whole, and has what is not ours.
    fn is_whole(&self) {
        let sums = self.output().join("SHA256SUMS");
        let text = fs::read_to_string(&sums).unwrap();
        for line in text.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            assert_eq!(sha256(&self.output().join(name)), sum, "{name}");
        }
        assert_eq!(fs::read_to_string(self.output().join("index.html")).unwrap(), "mine");
    }

    /// That nothing of somebody's is lost, wherever a killed run had it.
    fn has_everything_somewhere(&self) {
        let mut places = vec![self.output()];
        places.extend(
            leftovers(self.folder.path())
                .iter()
                .map(|name| self.folder.path().join(name).join("tree")),
        );
        for (name, text) in [("index.html", "mine"), ("docs/a", "deep")] {
            let found =
                places.iter().any(|at| fs::read_to_string(at.join(name)).is_ok_and(|t| t == text));
            assert!(found, "`{name}` is in none of {places:?}");
        }
    }

    fn add_what_is_not_ours(&self) {
        fs::write(self.output().join("index.html"), "mine").unwrap();
        fs::create_dir_all(self.output().join("docs")).unwrap();
        fs::write(self.output().join("docs/a"), "deep").unwrap();
    }

    fn is_clean(&self) {
        assert_eq!(leftovers(self.folder.path()), [""; 0]);
        assert_eq!(fs::read_dir(self.store.join("work")).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(self.output().join("docs/a")).unwrap(), "deep");
    }
}

#[test]
fn readers_see_one_state_or_the_other_and_never_half_of_one() {
    let turns = Turns::new("toy-readers");
    let states = ["a.yaml", "b.yaml"].map(|file| turns.state(file));
    turns.add_what_is_not_ours();
    let (done, reads, torn) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let seen = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let output = turns.output();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for name in states[0].keys() {
                        let now = fs::read(output.join(name)).ok();
                        let whole: Vec<bool> =
                            states.iter().map(|state| state.get(name) == now.as_ref()).collect();
                        reads.fetch_add(1, Ordering::Relaxed);
                        match whole[..] {
                            [true, false] => seen[0].fetch_add(1, Ordering::Relaxed),
                            [false, true] => seen[1].fetch_add(1, Ordering::Relaxed),
                            [true, true] => 0,
                            _ => torn.fetch_add(1, Ordering::Relaxed),
                        };
                    }
                    // What is not ours is there at every moment too.
                    if !fs::read(output.join("index.html")).is_ok_and(|text| text == b"mine") {
                        torn.fetch_add(1, Ordering::Relaxed);
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 0..rounds(6) {
            ends_with(0, &mut turns.run(if number % 2 == 0 { "a.yaml" } else { "b.yaml" }));
        }
        done.store(true, Ordering::Relaxed);
    });
    let (reads, torn) = (reads.into_inner(), torn.into_inner());
    eprintln!("readers: {torn} torn states in {reads} reads, over {} switches", rounds(6));
    assert_eq!(torn, 0);
    assert!(seen.into_iter().all(|count| count.into_inner() > 0), "both states were seen");
    turns.is_whole();
    turns.is_clean();
}

#[test]
fn a_run_killed_at_any_moment_leaves_a_whole_state_and_the_next_one_is_fine() {
    let turns = Turns::new("toy-kills");
    for file in ["a.yaml", "b.yaml"] {
        ends_with(0, &mut turns.run(file));
    }
    turns.add_what_is_not_ours();
    // From nothing signed to switched in, measured once; the moments are spread over that.
    let forget = || {
        for entry in fs::read_dir(turns.store.join("results")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("sign-") || name.starts_with("publish-") {
                fs::remove_dir_all(path).unwrap();
            }
        }
    };
    forget();
    let began = Instant::now();
    ends_with(0, &mut turns.run("a.yaml"));
    let mut whole = began.elapsed();
    let (count, mut killed) = (rounds(5), 0);
    for number in 0..count {
        forget();
        let file = if number % 2 == 0 { "b.yaml" } else { "a.yaml" };
        let mut child = turns.run(file).spawn().unwrap();
        let part = u32::try_from(2 * number + 1).unwrap();
        let moment = whole * part / u32::try_from(2 * count).unwrap() + jitter();
        let began = Instant::now();
        while began.elapsed() < moment {
            // The machine was busier when it was measured: from now on by this one.
            if child.try_wait().unwrap().is_some() {
                whole = began.elapsed();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        killed += u64::from(child.wait().unwrap().signal() == Some(9));
        turns.is_whole();
        turns.has_everything_somewhere();
        ends_with(0, &mut turns.run(file));
        turns.is_whole();
        turns.is_clean();
    }
    eprintln!("kills: {killed} of {count} runs were killed, each left a whole state");
    assert!(killed > 0);
}

/// A few milliseconds that are others each time.
fn jitter() -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Duration::from_micros(u64::from(nanos.subsec_nanos()) % 7000)
}

/// The calls that change anything, in the order of the run: each is the last one of a killed run.
const CHANGES: &str = "renameat2,rename,renameat,linkat,link,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,\
                       fchmod,chmod,ftruncate,flock";

#[test]
fn a_switch_killed_at_each_of_its_steps_is_put_right_by_the_next_run() {
    let turns = Turns::new("toy-steps");
    for file in ["a.yaml", "b.yaml"] {
        ends_with(0, &mut turns.run(file));
    }
    turns.add_what_is_not_ours();
    let traced = |file: &str, what: &[String]| {
        let mut run = Command::new("strace");
        run.args(["--quiet=all"]).args(what).arg(env!("CARGO_BIN_EXE_vgpu-pipeline"));
        run.arg("run").arg(turns.toy.path(file)).arg("--output").arg(turns.output());
        run.env("VGPU_PIPELINE_STORE", &turns.store).env("XDG_DATA_HOME", kept("data"));
        run.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
    };
    let log = turns.folder.path().join("trace");
    let to = |path: &Path| format!("--output={}", path.display());
    assert!(traced("a.yaml", &[to(&log), format!("--trace={CHANGES}")]).success());
    // strace counts each call by its name.
    let mut counts = BTreeMap::new();
    let trace = fs::read_to_string(&log).unwrap();
    let calls = trace.lines().filter_map(|line| line.split_once('('));
    let steps: Vec<(&str, u64)> = calls
        .map(|(call, _)| {
            let count = counts.entry(call).or_insert(0);
            *count += 1;
            (call, *count)
        })
        .collect();
    assert!(steps.len() > 30, "{trace}");
    let stride = if rounds(0) == 0 { steps.len().div_ceil(8) } else { 1 };
    let (mut killed, mut tried) = (0, 0);
    for (number, (call, count)) in steps.iter().step_by(stride).enumerate() {
        let file = if number % 2 == 0 { "b.yaml" } else { "a.yaml" };
        let inject = format!("--inject={call}:signal=KILL:when={count}");
        let status = traced(file, &[to(Path::new("/dev/null")), inject]);
        tried += 1;
        killed += usize::from(!status.success());
        turns.is_whole();
        turns.has_everything_somewhere();
        ends_with(0, &mut turns.run(file));
        turns.is_whole();
        turns.is_clean();
    }
    let steps = steps.len();
    eprintln!(
        "steps: killed at {killed} of {tried} of the {steps} steps of a switch, each put right"
    );
    assert!(killed > 0);
}
