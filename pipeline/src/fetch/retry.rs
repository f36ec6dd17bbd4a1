// SPDX-License-Identifier: GPL-2.0-or-later
//! Trying again, where the trouble is one that passes.

use crate::error::find;
use crate::process::{Failure, Runner, interrupt};
use anyhow::{Error, Result};
use std::time::Duration;

/// How often something is tried at most.
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(50);

/// What curl's exit codes say of a network that may be better in a moment (curl(1), EXIT CODES):
/// names that do not resolve (5, 6), no connection (7), a transfer that broke off (18), a time that
/// ran out (28), a handshake that broke off (35), an empty answer (52), sending (55) and receiving
/// (56) that failed, and an HTTP/2 stream that was reset (92).
const CURL_PASSING: &[i32] = &[5, 6, 7, 18, 28, 35, 52, 55, 56, 92];

/// What curl and git say of a server that is busy or going down, and of connections that break.
const PASSING: &[&str] = &[
    "returned error: 408",
    "returned error: 429",
    "returned error: 500",
    "returned error: 502",
    "returned error: 503",
    "returned error: 504",
    "Could not resolve host",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Failed to connect",
    "Operation too slow",
    "early EOF",
    "unexpected disconnect",
    "the remote end hung up",
    "RPC failed",
    "transfer closed",
];

/// Runs `attempt` until it works, fails for good, or has failed often enough.
pub fn run<T>(runner: &Runner, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if passing(&error) => {
                runner.write(&format!("trying again in {} s", pause.as_secs()));
                wait(pause)?;
                pause *= 2;
            }
            result => return result,
        }
    }
    attempt()
}

/// Whether an error is of the kind that passes. One that nobody recognises is not.
fn passing(error: &Error) -> bool {
    let Some(failure) = find::<Failure>(error) else { return false };
    let by_code = failure.program == "curl"
        && failure.status.code().is_some_and(|code| CURL_PASSING.contains(&code));
    by_code || failure.tail.iter().any(|line| PASSING.iter().any(|known| line.contains(known)))
}

fn wait(pause: Duration) -> Result<()> {
    for _ in 0..pause.as_millis() / TICK.as_millis() {
        interrupt::check()?;
        std::thread::sleep(TICK);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn failure(program: &str, code: i32, line: &str) -> Error {
        let status = ExitStatus::from_raw(code << 8);
        let (program, tail) = (program.to_owned(), vec![line.to_owned()]);
        let (complaint, stdout, log) = (tail.clone(), String::new(), "l".into());
        Failure { program, status, tail, complaint, stdout, scarce: None, log }.into()
    }

    #[test]
    fn only_what_is_recognised_is_tried_again() {
        assert!(passing(&failure("curl", 28, "")));
        assert!(passing(&failure("curl", 22, "The requested URL returned error: 503")));
        assert!(passing(&failure("git fetch", 128, "fatal: early EOF")));
        assert!(!passing(&failure("curl", 22, "The requested URL returned error: 404")));
        assert!(!passing(&failure("git fetch", 28, "fatal: not found")));
        assert!(!passing(&anyhow!("early EOF")));
    }

    #[test]
    fn it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner::new(&folder.path().join("log"), |_| {}).unwrap();
        let mut tries = 0;
        let result: Result<()> = run(&runner, || {
            tries += 1;
            Err(failure("curl", 7, ""))
        });
        assert!(result.is_err());
        assert_eq!(tries, ATTEMPTS);
    }
}
