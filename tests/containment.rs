//! What a build, a Containerfile or a killed run can do to anybody else: nothing. The jobs in here are
//! hostile and written for these tests; engine, rpmbuild and ccache are the real ones.

mod cache;
mod containerfile;
mod image;
mod killed;
mod namespace;
mod paths;

use crate::support::{Toy, ends_with, kept};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The processes of this machine, those of containers among them, that sleep so many seconds.
fn sleepers(seconds: u32) -> Vec<u32> {
    let wanted = format!("sleep\0{seconds}\0").into_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|it| fs::read(it.path().join("cmdline")).is_ok_and(|line| line == wanted))
        .filter_map(|it| it.file_name().to_str()?.parse().ok())
        .collect()
}

fn wait_for(what: &str, seconds: u64, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Gives a store of a test's own the environment that all tests share, without a copy.
fn with_environment(store: &Path) {
    let toy = Toy::new("environment-of-all");
    ends_with(0, &mut toy.until("environment"));
    let results = store.join("results");
    fs::create_dir_all(&results).unwrap();
    ends_with(0, Command::new("cp").arg("-a").arg(kept("store/images")).arg(store));
    for entry in fs::read_dir(kept("store/results")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("environment-") {
            ends_with(0, Command::new("cp").arg("-al").arg(entry.path()).arg(&results));
        }
    }
}
