// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::{Rendered, find};
use crate::process::{Failure, Incomplete, Invocation, Output, Runner};
use std::fs;
use std::time::{Duration, Instant};

/// Runs a script on pipes, under a stand-in for an engine: what that does with the line that runs it.
fn under(
    engine: &str,
    stdin: bool,
    script: &str,
    with: impl Fn(Invocation) -> Invocation,
) -> Result<Output> {
    let folder = tempfile::tempdir()?;
    let pipes = Pipes::make(folder.path())?;
    let here = |text: &str| text.replace(Pipes::INSIDE, &pipes.folder().display().to_string());
    let from = if stdin { here(Pipes::STDIN) } else { "/dev/null".to_owned() };
    let call =
        Invocation::new("sh").args(["-c", engine, "engine", "sh", "-c", &here(Pipes::RUN), "sh"]);
    let call = call.arg(from).args(["sh", "-c", &here(script)]).capture_stdout();
    let call = call.limit(Duration::from_secs(60)).pipes(pipes);
    Runner::new(&folder.path().join("log"), |_| {})?.run(&with(call))
}

fn run(script: &str) -> Result<Output> {
    under("exec \"$@\"", false, script, |call| call)
}

#[track_caller]
fn incomplete(result: Result<Output>) -> bool {
    let error = result.unwrap_err();
    find::<Incomplete>(&error).unwrap_or_else(|| panic!("{error:#}")).begun
}

#[test]
fn an_end_is_the_two_marks_and_nothing_else() {
    let heard = |lines: &[&str]| {
        let mut marks = Marks::default();
        for line in lines {
            marks.hear(line);
        }
        (marks.begun(), marks.ended())
    };
    assert_eq!(heard(&[]), (false, None));
    assert_eq!(heard(&["begun"]), (true, None));
    assert_eq!(heard(&["begun", "ended 3"]), (true, Some(3)));
    for spoilt in [
        &["begun", "ended 0", "ended 0"][..],
        &["begun", "begun", "ended 0"],
        &["ended 0"],
        &["begun", "ended 256"],
        &["begun", "ended -1"],
        &["begun", "ended 99999999999999999999"],
        &["begun", "ended "],
        &["begun", "ended 0 "],
        &["begun", "", "ended 0"],
        &["begun\u{fffd}", "ended 0"],
    ] {
        assert_eq!(heard(spoilt), (true, None), "{spoilt:?}");
    }
}

#[test]
fn what_is_said_arrives_whole_whatever_the_one_between_does() {
    for engine in [
        "exec \"$@\"",
        // Its streams are lost, its end is another.
        "\"$@\" >/dev/null 2>&1; exit 125",
        "\"$@\"; kill -9 $$",
        // It goes first, or is silent first, once it has started what it should.
        "\"$@\" >/dev/null 2>&1 & sleep 1; exit 1",
        "\"$@\" & sleep 1; exec >&- 2>&-; sleep 1",
    ] {
        let script =
            "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i + 1)); done; echo last >&2";
        let output = under(engine, false, script, |call| call).unwrap();
        assert_eq!(output.stdout.lines().count(), 500, "{engine}");
        assert_eq!(output.stdout.lines().last(), Some("line 499"), "{engine}");
    }
}

#[test]
fn how_it_ended_is_what_the_mark_says() {
    let error = run("echo out; echo why >&2; exit 3").unwrap_err();
    let failure = find::<Failure>(&error).unwrap();
    assert_eq!(failure.status.code(), Some(3));
    assert_eq!(
        (failure.stdout.as_str(), &failure.complaint[..]),
        ("out\n", &["why".to_owned()][..])
    );
    let error = run("kill -9 $$").unwrap_err();
    assert_eq!(find::<Failure>(&error).unwrap().status.code(), Some(137));
    let error = under("\"$@\"; exit 0", false, "exit 1", |call| call).unwrap_err();
    assert_eq!(find::<Failure>(&error).unwrap().status.code(), Some(1));
}

#[test]
fn without_its_marks_an_answer_is_not_whole() {
    assert!(!incomplete(under("exit 125", false, "true", |call| call)));
    assert!(!incomplete(under("exit 0", false, "true", |call| call)));
    assert!(!incomplete(under("echo begun; echo ended 0", false, "true", |call| call)));
    assert!(!incomplete(under("kill -9 $$", true, "true", |call| call.stdin("said"))));
    // The shell that would say it is ended.
    assert!(incomplete(run("echo half an; kill -9 $PPID")));
    assert!(incomplete(run("echo forged; echo ended 0 >/answers/end")));
    assert!(incomplete(run("echo >/answers/end; exit 3")));
    let error = run("kill -9 $PPID").unwrap_err().rendered();
    assert!(error.starts_with("the answer from inside is not whole: `sh`"), "{error}");
}

#[test]
fn it_is_told_everything_and_what_is_told_nothing_finds_the_end() {
    let input = "a line of some length\n".repeat(20_000) + "last\n";
    let said = |call: Invocation| call.stdin(&input).stop_after_line("last");
    let output = under("exec \"$@\"", true, "trap 'exit 0' TERM; cat", said).unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(run("cat; echo end").unwrap().stdout, "end\n");
    // Nobody reads it.
    let began = Instant::now();
    under("exec \"$@\"", true, "exit 0", |call| call.stdin(&input)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_signal_that_asks_to_end_is_handed_on() {
    let script = "trap 'echo asked >&2; exit 4' TERM; echo done; while :; do sleep 0.05; done";
    let began = Instant::now();
    let output = under("exec \"$@\"", false, script, |call| call.stop_after_line("done")).unwrap();
    assert_eq!(output.stdout, "done\n");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_flood_of_any_bytes_is_ended() {
    for script in ["exec yes", "exec cat /dev/zero", "exec cat /dev/urandom", "exec yes >&2"] {
        let error = under("exec \"$@\"", false, script, |call| call.max_output(2 << 20));
        let error = error.unwrap_err().rendered();
        assert_eq!(error, "`sh` printed more than 2097152 bytes", "{script}");
    }
}

/// In a container the folder is read-only; what could be done to it does nothing to us even if not.
#[test]
fn pipes_that_are_taken_away_or_replaced_are_still_ours() {
    for script in [
        "rm /answers/*; echo good",
        "for f in out err end in; do ln -sf /etc/passwd /answers/$f; done; echo good",
        "for f in out err end; do rm /answers/$f; mkfifo /answers/$f; done; echo good",
        "rm -r /answers; echo good",
        "echo bad >/dev/tty 2>/dev/null || true; echo good",
    ] {
        assert_eq!(run(script).unwrap().stdout, "good\n", "{script}");
    }
}

#[test]
fn they_are_gone_with_the_call() {
    let folder = tempfile::tempdir().unwrap();
    drop(Pipes::make(folder.path()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
