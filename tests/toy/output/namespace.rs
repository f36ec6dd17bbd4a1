// SPDX-License-Identifier: GPL-2.0-or-later
//! A mount namespace of a test's own: what is mounted in it is gone with it, however the test ends.

use crate::support::{ends_with, root};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub struct Namespace(Child);

impl Namespace {
    /// None, aloud, where this user may not make one.
    pub fn new() -> Option<Self> {
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation=private", "sh", "-c", "echo ready; read _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line == "ready\n" {
            return Some(Self(child));
        }
        let _ = child.wait();
        crate::support::skip::skipped!("only root can mount in a namespace");
        None
    }

    /// A command, in here.
    pub fn command(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--target={}", self.0.id()))
            .arg("--mount")
            .arg(format!("--wdns={}", root().display()))
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// A script that has to succeed, in here; `$1` and on are the paths.
    pub fn sh(&self, script: &str, paths: &[&Path]) -> Output {
        let mut sh = Command::new("sh");
        sh.args(["-euc", script, "sh"]).args(paths);
        ends_with(0, &mut self.command(&sh))
    }

    /// Where a path of in here is for who is outside.
    pub fn path(&self, path: &Path) -> PathBuf {
        let inside = path.strip_prefix("/").unwrap();
        Path::new("/proc").join(self.0.id().to_string()).join("root").join(inside)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
