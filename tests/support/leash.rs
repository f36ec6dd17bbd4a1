// SPDX-License-Identifier: GPL-2.0-or-later
//! What has to end with the tests, however they end. A `static` is never dropped, and a test that is
//! killed drops nothing: a shell holds the program, waits for the end of a pipe that only this process
//! writes to, then ends the program and removes its folder.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Its arguments are the folder and the program.
const HOLDER: &str = r#"
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 & job=$!
echo "$job" >"$folder/pid"
while read -r _; do :; done
kill "$job" 2>/dev/null; wait "$job"
rm -rf "$folder"
"#;

/// A program and a folder, which are gone with this or with the tests, whatever comes first.
pub struct Leash {
    folder: PathBuf,
    holder: Child,
}

impl Leash {
    /// Starts a program, whose output is in the folder's `log`.
    pub fn on(folder: &Path, program: &[&str]) -> Self {
        let mut holder = Command::new("sh");
        holder.args(["-c", HOLDER, "sh"]).arg(folder).args(program);
        // A terminal's Ctrl-C is for the tests; the holder still has work to do then.
        holder.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self { folder: folder.to_owned(), holder: holder.spawn().unwrap() }
    }

    /// A folder alone.
    pub fn folder_alone() -> Self {
        Self::on(&crate::support::scratch().keep(), &["sleep", "infinity"])
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that the program has said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Whether the program has ended by itself.
    pub fn has_ended(&self) -> bool {
        let Ok(pid) = fs::read_to_string(self.folder.join("pid")) else { return false };
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        state.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z"))
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
