// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use std::fs;

fn runner(folder: &tempfile::TempDir) -> Runner<'static> {
    Runner::new(&folder.path().join("log"), |_| {}).unwrap()
}

#[test]
fn output_is_kept_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let output = runner(&folder)
        .run(&Invocation::new("printf").args(["a\\nb\\n"]).capture_stdout())
        .unwrap();
    assert_eq!(output.stdout, "a\nb\n");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "$ printf 'a\\nb\\n'\na\nb\n");
}

#[test]
fn a_failure_names_the_command_its_end_and_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-file");
    let error = runner(&folder).run(&Invocation::new("ls").arg(&missing)).unwrap_err().rendered();
    assert!(error.starts_with("`ls` ended"), "{error}");
    assert!(error.contains("exit code 2"), "{error}");
    assert!(error.contains("  | ls: cannot access"), "{error}");
    assert!(error.contains("help: the whole output is in"), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = runner(&folder).run(&Invocation::new("no-such-program")).unwrap_err();
    assert!(error.rendered().starts_with("cannot start `no-such-program`"));
}

#[test]
fn a_child_sees_the_allow_list_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        runner(&folder).run(&Invocation::new("env").env("EXTRA", "1").capture_stdout()).unwrap();
    let names: Vec<&str> =
        output.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(names.contains(&"EXTRA") && names.contains(&"PATH"));
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
}

#[test]
fn passwords_in_urls_are_not_shown() {
    let call = Invocation::new("fetch").arg("deb http://me:secret@host/debian suite main");
    assert_eq!(call.to_string(), "fetch 'deb http://***@host/debian suite main'");
    assert_eq!(masked("see https://host/a@b"), "see https://host/a@b");
}

#[test]
fn all_missing_programs_are_in_one_message() {
    let error =
        require(&[&["no-such-a", "no-such-b"], &["ls"], &["createrepo_c_not"]]).unwrap_err();
    assert!(error.rendered().contains("`no-such-a` or `no-such-b`, `createrepo_c_not`"), "{error}");
    require(&[&["ls"]]).unwrap();
}

#[test]
fn what_takes_too_long_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let call = Invocation::new("sleep").arg("60").limit(Duration::from_millis(200));
    let error = runner(&folder).run(&call).unwrap_err().rendered();
    assert_eq!(error, "`sleep` did not end within 0 s");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_child_is_told_everything_and_its_input_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    // More than a pipe holds, both ways.
    let input = "a line of some length\n".repeat(20_000) + "last\n";
    let call = Invocation::new("cat")
        .stdin(&input)
        .stop_after_line("last")
        .capture_stdout()
        .limit(Duration::from_secs(60));
    assert_eq!(runner(&folder).run(&call).unwrap().stdout, input);
}

#[test]
fn a_child_that_has_said_everything_is_asked_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let call = Invocation::new("sh")
        .args(["-c", "echo done; exec sleep 60"])
        .stop_after_line("done")
        .capture_stdout();
    assert_eq!(runner(&folder).run(&call).unwrap().stdout, "done\n");
    assert!(began.elapsed() < GRACE);
    // One that does not listen is ended all the same.
    let script = "trap '' TERM; echo done; while true; do sleep 0.1; done";
    let call = Invocation::new("sh").args(["-c", script]).stop_after_line("done").capture_stdout();
    assert_eq!(runner(&folder).run(&call).unwrap().stdout, "done\n");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_flood_is_ended_with_or_without_lines() {
    let folder = tempfile::tempdir().unwrap();
    let call = Invocation::new("yes").max_output(1 << 20).capture_stdout();
    let error = runner(&folder).run(&call).unwrap_err().rendered();
    assert_eq!(error, "`yes` printed more than 1048576 bytes");
    let call = Invocation::new("cat").arg("/dev/zero").max_output(4 << 20).capture_stdout();
    let error = runner(&folder).run(&call).unwrap_err().rendered();
    assert_eq!(error, "`cat` printed more than 4194304 bytes");
}

#[test]
fn a_line_beyond_all_measure_arrives_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    let script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo y";
    let call = Invocation::new("sh").args(["-c", script]).capture_stdout();
    let stdout = runner(&folder).run(&call).unwrap().stdout;
    assert_eq!(stdout.lines().map(str::len).collect::<Vec<_>>(), [3_000_000, 1]);
}

/// Whoever reads a log, or an answer, has whole characters where a line was taken in pieces.
#[test]
fn a_character_is_not_cut_in_two() {
    let folder = tempfile::tempdir().unwrap();
    let script = "printf x; yes € | head -n 100000 | tr -d '\\n'";
    let call = Invocation::new("sh").args(["-c", script]).capture_stdout();
    let stdout = runner(&folder).run(&call).unwrap().stdout;
    assert!(stdout == format!("x{}\n", "€".repeat(100_000)), "{}", stdout.len());
    // What is no text arrives too, also where it ends in the middle of a character.
    let call = Invocation::new("printf").arg("a\\342\\202").capture_stdout();
    assert_eq!(runner(&folder).run(&call).unwrap().stdout, "a\u{fffd}\n");
}

#[test]
fn what_nobody_bounds_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let said = |call: &Invocation| runner(&folder).run(call).unwrap_err().rendered();
    let flood = Invocation::new("sh").args(["-c", "yes $(head -c 4000 /dev/zero | tr '\\0' x)"]);
    assert_eq!(said(&flood), "`sh` printed more than 268435456 bytes");
    let answer = "`sh` printed more than the 33554432 bytes that are read of an answer";
    assert_eq!(said(&flood.capture_stdout()), answer);
    assert!(fs::metadata(folder.path().join("log")).unwrap().len() < 40 << 20);
}

/// A number of seconds that nobody else sleeps for.
fn sleepers(seconds: u32) -> usize {
    let wanted = format!("sleep\0{seconds}\0").into_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter(|it| fs::read(it.path().join("cmdline")).is_ok_and(|l| l == wanted)).count()
}

/// One that leads a group of its own, one that a dead parent left, and one that does not listen.
const FAMILY: &str =
    "setsid sleep 86301 & (sleep 86302 &) ; trap '' TERM; sleep 86303 & sleep 86304";

#[test]
fn everything_that_a_child_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let call = Invocation::new("sh").args(["-c", FAMILY]).limit(Duration::from_millis(500));
    runner(&folder).run(&call).unwrap_err();
    assert_eq!([86301, 86302, 86303, 86304].map(sleepers), [0; 4]);
}

/// Whoever is input of a line may have a fault of its own: nothing goes on behind its back.
#[test]
fn everything_that_a_child_started_ends_where_this_program_panics() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("cleaned up");
    let panics = Runner::new(&folder.path().join("log"), |line| panic!("a fault at `{line}`"));
    let script = FAMILY.replace("8630", "8631").replace("trap", "echo x; trap");
    let call = Invocation::new("sh").args(["-c", &script]);
    let call = call.on_kill(Invocation::new("touch").arg(&mark));
    let panics = panics.unwrap();
    let run = std::panic::AssertUnwindSafe(|| panics.run(&call));
    assert!(std::panic::catch_unwind(run).is_err());
    assert_eq!([86311, 86312, 86313, 86314].map(sleepers), [0; 4]);
    assert!(mark.exists());
    // And where the call itself cannot be started, nobody stands by for it any more.
    let began = Instant::now();
    let missing = Invocation::new("no-such-program").on_kill(Invocation::new("touch").arg(&mark));
    runner(&folder).run(&missing).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(10));
    let ours = std::process::id().to_string();
    let stands_by = |pid: &Path| {
        let stat = fs::read_to_string(pid.join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        parent == Some(&ours)
            && fs::read(pid.join("cmdline"))
                .is_ok_and(|line| line.ends_with(mark.as_os_str().as_encoded_bytes()))
    };
    assert!(!fs::read_dir("/proc").unwrap().flatten().any(|it| stands_by(&it.path())));
}

#[test]
fn a_child_that_ended_well_is_not_cleaned_up_and_another_is() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("cleaned up");
    let touch = || Invocation::new("touch").arg(&mark);
    runner(&folder).run(&Invocation::new("true").on_kill(touch())).unwrap();
    assert!(!mark.exists());
    let slow = Invocation::new("sleep").arg("60").limit(Duration::from_millis(200));
    runner(&folder).run(&slow.on_kill(touch())).unwrap_err();
    assert!(mark.exists());
}
