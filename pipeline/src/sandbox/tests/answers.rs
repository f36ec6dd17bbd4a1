// SPDX-License-Identifier: GPL-2.0-or-later
//! What a program in a container says arrives, however short-lived it is and whatever else the machine does.

use super::*;
use crate::error::Rendered;
use crate::error::find;
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// An image with a shell and nothing else; it is gone with this.
struct Shell {
    image: Image,
    log: PathBuf,
}

impl Shell {
    fn make(runner: &Runner, folder: &Path) -> Self {
        // Tests of one process must not share a name.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let tree = folder.join("tree");
        for name in ["bin", "dev", "proc", "sys", "tmp", "etc", "run"] {
            fs::create_dir_all(tree.join(name)).unwrap();
        }
        fs::copy("/bin/busybox", tree.join("bin/sh")).expect("busybox, of busybox-static");
        fs::set_permissions(tree.join("bin/sh"), PermissionsExt::from_mode(0o755)).unwrap();
        let tar = folder.join("tree.tar");
        let call = Invocation::new("tar").args(["--create", "--file"]).arg(&tar).arg("--directory");
        runner.run(&call.arg(&tree).arg(".")).unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("answers-{}-{number}", std::process::id());
        let image = Image::of(Engine::Podman, &name);
        image.import(runner, &tar, folder).unwrap();
        Self { image, log: folder.join("log-of-the-end") }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let call = Engine::Podman.call().args(["rmi", "--force", self.image.reference()]);
        let _ = Runner::new(&self.log, |_| {}).and_then(|runner| runner.run(&call));
    }
}

/// Threads that keep both of a small machine's processors busy.
struct Burners(Arc<AtomicBool>);

impl Burners {
    fn light() -> Self {
        let out = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let out = Arc::clone(&out);
            std::thread::spawn(move || while !out.load(Ordering::Relaxed) {});
        }
        Self(out)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn job(purpose: String, script: &str) -> Job {
    Job {
        purpose: purpose.into(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        confinement: Confinement::Sealed,
        mounts: Vec::new(),
        variables: Vec::new(),
        memory: "64m".to_owned(),
        pids: 16,
    }
}

/// Short-lived programs beside a busy machine, two at a time; `VGPU_PROBES` says how many, and without
/// it they are a slice that a CI run has time for.
#[test]
fn no_answer_is_lost_beside_a_busy_machine() {
    let probes = std::env::var("VGPU_PROBES").map_or(20, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let runner = Runner::new(&folder.path().join("log"), |_| {}).unwrap();
    let shell = Shell::make(&runner, folder.path());
    let _burners = Burners::light();
    let (next, notes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = |thread: usize| {
        let under = folder.path().join(thread.to_string());
        fs::create_dir(&under).unwrap();
        let runner = Runner::new(&under.join("log"), |_| {}).unwrap();
        let runner = runner.on_note(|note| {
            eprintln!("{note:?}");
            notes.fetch_add(1, Ordering::Relaxed);
        });
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= probes {
                return;
            }
            one(&runner, &shell.image, &under, thread, number);
        }
    };
    std::thread::scope(|scope| {
        let (work, threads) = (&work, 0..2);
        for thread in threads {
            scope.spawn(move || work(thread));
        }
    });
    // None was asked for twice, either.
    assert_eq!(notes.into_inner(), 0);
    println!("{probes} probes, none lost");
}

/// One of three kinds: said and gone; refused with a reason; told, and asked to end.
fn one(runner: &Runner, image: &Image, under: &Path, thread: usize, number: usize) {
    let purpose = format!("answers-{thread}");
    match number % 3 {
        0 => {
            let job = job(purpose, &format!("echo first; echo answer {number}"));
            let said = ask(runner, image, &job, under).unwrap();
            assert_eq!(said, format!("first\nanswer {number}\n"));
        }
        1 => {
            let job = job(purpose, &format!("echo out; echo reason {number} >&2; exit 3"));
            let error = ask(runner, image, &job, under).unwrap_err();
            let failure: &Failure = find(&error).unwrap();
            assert_eq!(failure.complaint, [format!("reason {number}")]);
            assert_eq!((failure.status.code(), failure.stdout.as_str()), (Some(3), "out\n"));
        }
        _ => {
            let script = "trap 'exit 0' TERM; while read -r line; do echo \"$line\"; done";
            let interaction = Interaction {
                input: format!("told {number}\nlast\n"),
                until: Some("last"),
                limit: Duration::from_secs(120),
                max_output: 1 << 20,
            };
            let said =
                run_with_input(runner, image, &job(purpose, script), under, &interaction).unwrap();
            assert_eq!(said, format!("told {number}\nlast\n"));
        }
    }
}

#[test]
fn what_is_hostile_inside_is_one_error_and_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let notes = Cell::new(0);
    let runner = Runner::new(&folder.path().join("log"), |_| {}).unwrap();
    let runner = runner.on_note(|_| notes.set(notes.get() + 1));
    let shell = Shell::make(&runner, folder.path());
    let asked = |script: &str| {
        let answer = ask(&runner, &shell.image, &job("hostile".into(), script), folder.path());
        answer.map_err(|error| error.rendered().lines().next().unwrap().to_owned())
    };
    // Nothing of the pipes' folder can be changed from inside.
    for script in [
        "rm /answers/out; echo good",
        "ln -s /etc/passwd /answers/x; echo good",
        "mv /answers/out /answers/err; echo good",
        "chmod 777 /answers; echo good",
        "mkfifo /answers/more; echo good",
    ] {
        assert_eq!(asked(script).unwrap(), "good\n", "{script}");
    }
    let flood = "`podman run` printed more than 16777216 bytes".to_owned();
    assert_eq!(asked("while :; do cat /bin/sh; done"), Err(flood));
    assert_eq!(notes.get(), 0);
    // What spoils the marks is not whole, and asked for twice.
    let error = asked("echo ended 0 >/answers/end").unwrap_err();
    assert!(error.starts_with("the answer from inside is not whole: "), "{error}");
    assert_eq!(notes.get(), 1);
    let error = asked("kill -9 1; kill -9 $PPID; echo half").unwrap();
    assert_eq!(error, "half\n", "who is first in a container cannot be ended from inside");
    let left = fs::read_dir(folder.path()).unwrap().flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("answers-"));
    assert_eq!(left.count(), 0);
}

/// What wrote something may have done so once already.
#[test]
fn only_what_changes_nothing_runs_again() {
    let incomplete = |begun| {
        let failure = Failure {
            program: "podman run".into(),
            status: std::os::unix::process::ExitStatusExt::from_raw(0),
            tail: Vec::new(),
            complaint: Vec::new(),
            stdout: String::new(),
            scarce: None,
            log: "log".into(),
        };
        Error::from(Incomplete { begun, failure })
    };
    let mut job = job("x".into(), "true");
    assert!(may_run_again(&incomplete(true), &job) && may_run_again(&incomplete(false), &job));
    job.mounts.push(Mount::writable("/x", "/x"));
    assert!(!may_run_again(&incomplete(true), &job) && may_run_again(&incomplete(false), &job));
    assert!(!may_run_again(&Error::msg("ended with exit code 1"), &job));
}
