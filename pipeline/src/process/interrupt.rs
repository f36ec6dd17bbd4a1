// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGINT, SIGTERM and SIGHUP as something to look at, so that whoever waits can clean up first.

use anyhow::Result;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static FLAGS: OnceLock<Vec<(i32, Arc<AtomicBool>)>> = OnceLock::new();
/// Whether the next of them ends the program at once.
static IMPATIENT: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The run was asked to stop.
#[derive(Debug, Clone, Copy)]
pub struct Interrupted(pub i32);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// From now on the signals set flags instead of ending the process.
pub fn listen() -> Result<()> {
    let flags: Vec<_> = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP))
        .map(|signal| (signal, Arc::new(AtomicBool::new(false))))
        .collect();
    let impatient = IMPATIENT.get_or_init(Arc::default);
    for (signal, flag) in &flags {
        // The second one, whichever it is, ends this at once; what this has started is ended
        // by what stands by for that.
        let ends = Arc::clone(impatient);
        signal_hook::flag::register_conditional_shutdown(*signal, 128 + signal, ends)?;
        signal_hook::flag::register(*signal, Arc::clone(flag))?;
        signal_hook::flag::register(*signal, Arc::clone(impatient))?;
    }
    let _ = FLAGS.set(flags);
    // A file beyond `ulimit -f` is an error of the write then, and not the end without a word.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
}

/// Whether whoever started this wants it to go on after a signal, as `nohup` does with SIGHUP. A shell ignores
/// SIGINT for whatever it starts in the background, and means nothing by it.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Has the very next signal end the program at once, as where nothing is there to be cleaned up; or, from
/// then on, only the one after it.
pub fn end_at_once(yes: bool) {
    if let Some(impatient) = IMPATIENT.get() {
        impatient.store(yes, Ordering::Relaxed);
    }
}

/// An error once a signal has come.
pub fn check() -> Result<(), Interrupted> {
    for (signal, flag) in FLAGS.get().into_iter().flatten() {
        if flag.load(Ordering::Relaxed) {
            return Err(Interrupted(*signal));
        }
    }
    Ok(())
}
