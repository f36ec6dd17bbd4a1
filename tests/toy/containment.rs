// SPDX-License-Identifier: GPL-2.0-or-later
//! What a build, a Containerfile or a killed run can do to anybody else: nothing. The jobs in here are
//! hostile and written for these tests; engine, rpmbuild and ccache are the real ones.

mod cache;
mod containerfile;
mod image;
mod killed;
mod namespace;
mod paths;

use crate::support::key;
use crate::support::{Toy, copy_tree, events, kept};
use std::fs;
use std::path::Path;
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

/// Whether a process has something below a folder open, or is in it.
fn is_used(folder: &Path) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let links = files.map(|file| file.path()).chain([process.path().join("cwd")]);
        links.filter_map(|link| fs::read_link(link).ok()).any(|place| place.starts_with(folder))
    })
}

/// Gives a store of a test's own the environment that all tests share.
fn with_environment(store: &Path) {
    let toy = Toy::new("environment-of-all");
    let events = events(&mut toy.until("environment"));
    let name = format!("environment-{}", key(&events, "environment"));
    fs::create_dir_all(store.join("results")).unwrap();
    copy_tree(&kept("store/results").join(&name), &store.join("results").join(&name));
    copy_tree(&kept("store/images"), &store.join("images"));
}
