//! SIGINT and SIGTERM as something to look at, so that whoever waits can clean up first.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static FLAGS: OnceLock<[(i32, Arc<AtomicBool>); 2]> = OnceLock::new();

/// The run was asked to stop.
#[derive(Debug, Clone, Copy)]
pub struct Interrupted(pub i32);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// From now on the two signals set flags instead of ending the process.
pub fn listen() -> Result<()> {
    let flags = [SIGINT, SIGTERM].map(|signal| (signal, Arc::new(AtomicBool::new(false))));
    for (signal, flag) in &flags {
        // The second one ends this at once; what it has started is ended by what stands by for that.
        signal_hook::flag::register_conditional_shutdown(*signal, 128 + signal, Arc::clone(flag))?;
        signal_hook::flag::register(*signal, Arc::clone(flag))?;
    }
    let _ = FLAGS.set(flags);
    // A file beyond `ulimit -f` is an error of the write then, and not the end without a word.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
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
