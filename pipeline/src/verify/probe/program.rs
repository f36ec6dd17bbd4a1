// SPDX-License-Identifier: GPL-2.0-or-later
//! A QEMU in the sandbox: one session with it, and how it ended.

use crate::process::{Failure, Runner};
use crate::sandbox::{self, Confinement, Image, Interaction, Job, Mount};
use anyhow::{Context, Result};
use fs_err as fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// A session takes a second; this is for a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(120);
/// A list of all types has a tenth of a megabyte.
const MOST_OUTPUT: u64 = 16 << 20;
/// What the shell says of a program that was never run, or was ended for its memory.
const ENGINES_OWN: [i32; 4] = [125, 126, 127, 137];

/// A binary, and where it runs.
pub struct Program<'a> {
    /// What is inside under `/probe`.
    pub folder: &'a Path,
    pub name: &'a str,
    /// As messages call it.
    pub display_name: String,
    pub image: &'a Image,
    pub runner: &'a Runner<'a>,
}

/// What a session is.
#[derive(Default)]
pub struct Session<'a> {
    pub args: Vec<&'a str>,
    /// What it is told.
    pub input: String,
    /// The line after which it has said everything; without it, it ends by itself.
    pub until: Option<&'static str>,
    pub limit: Option<Duration>,
}

/// A program that gave up by itself.
pub struct QemuExit {
    /// The last of its standard error.
    complaint: Vec<String>,
    stdout: String,
    name: String,
}

impl QemuExit {
    /// Whether it had got so far as to greet (QEMU, docs/interop/qmp-spec.txt, 2.2).
    pub fn greeted(&self) -> bool {
        self.stdout.lines().any(|line| line.starts_with("{\"QMP\""))
    }

    /// The reason that it gave: the last complaint with its name, or the last one at all, or the last
    /// word otherwise. The two streams are never mixed: how they interleave is different each time.
    pub fn words(&self) -> String {
        let complaint = || self.complaint.iter().rev().map(|line| line.trim());
        let complaint = || complaint().filter(|line| is_said(line));
        let prefix = format!("{}: ", self.name);
        let named = complaint().find_map(|line| line.strip_prefix(&prefix));
        let otherwise = || self.stdout.lines().rev().map(str::trim).find(|line| is_said(line));
        let words = named.or_else(|| complaint().next()).or_else(otherwise);
        words.unwrap_or("it gave no reason").chars().take(300).collect()
    }
}

/// Answers of a protocol are no reasons.
fn is_said(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('{') && !line.starts_with("OK")
}

impl Program<'_> {
    /// What it calls itself.
    pub fn own_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }

    /// Runs a session, which has to go well; what it printed.
    pub fn say(&self, session: Session) -> Result<String> {
        let asked = session.args.join(" ");
        self.run_with_input(session)
            .with_context(|| format!("{} with `{asked}`, in the sandbox", self.display_name))
    }

    /// Runs a session that the program may refuse.
    pub fn attempt(&self, session: Session) -> Result<Result<String, QemuExit>> {
        match self.say(session) {
            Ok(said) => Ok(Ok(said)),
            Err(error) => match crate::error::find::<Failure>(&error) {
                Some(Failure { status, complaint, stdout, .. })
                    if status.code().is_some_and(|code| !ENGINES_OWN.contains(&code)) =>
                {
                    Ok(Err(QemuExit {
                        complaint: complaint.clone(),
                        stdout: stdout.clone(),
                        name: self.own_name().to_owned(),
                    }))
                }
                _ => Err(error),
            },
        }
    }

    fn run_with_input(&self, session: Session) -> Result<String> {
        let Session { args, input, until, limit } = session;
        let program = format!("/probe/{}", self.name);
        let argv = std::iter::once(program.as_str()).chain(args);
        let job = Job {
            purpose: "probe".into(),
            argv: argv.map(str::to_owned).collect(),
            confinement: Confinement::Sealed,
            mounts: vec![Mount::read_only(self.folder, "/probe")],
            variables: Vec::new(),
            memory: "1g".to_owned(),
            pids: 64,
        };
        let interaction =
            Interaction { input, until, limit: limit.unwrap_or(LIMIT), max_output: MOST_OUTPUT };
        // Beside what it may read: in there, an answer would be an input.
        let under = self.folder.parent().unwrap_or(self.folder);
        sandbox::run_with_input(self.runner, self.image, &job, under, &interaction)
    }
}

/// Copies a file to where the sandbox can read it; its name there.
pub fn bring(path: &Path, folder: &Path, inside: &str) -> Result<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let to = folder.join(inside);
    fs::create_dir_all(&to)?;
    let file = to.join(&*name);
    fs::copy(path, &file).with_context(|| format!("`{}`", path.display()))?;
    fs::set_permissions(&file, PermissionsExt::from_mode(0o755))?;
    Ok(format!("{inside}/{name}"))
}
