// SPDX-License-Identifier: GPL-2.0-or-later
//! A compiler's complaint about a device, with the path as its author knows it.

use super::build_log::clipped;
use super::log_lines::log_lines;
use crate::error::Help;
use crate::process::interrupted;
use anyhow::{Error, anyhow};
use std::path::{Path, PathBuf};

/// Lines of the compiler that are shown.
const SHOWN: usize = 20;

/// A device's file: where it is in QEMU's tree, and where it came from.
#[derive(Debug, Clone)]
pub struct DevicePath {
    directory: String,
    file: String,
    origin: PathBuf,
}

impl DevicePath {
    pub fn new(directory: &str, file: &str, origin: PathBuf) -> Self {
        Self { directory: directory.to_owned(), file: file.to_owned(), origin }
    }

    /// The file's name without `.c`, as objects are named after it.
    pub fn stem(&self) -> &str {
        self.file.strip_suffix(".c").unwrap_or(&self.file)
    }

    /// The line with the tree's path, and whatever folders stand before it, replaced.
    fn translate(&self, line: &str) -> Option<String> {
        let inside = format!("{}/{}", self.directory, self.file);
        let at = line.find(&inside)?;
        let before = line[..at].rfind([' ', '\t']).map_or(0, |space| space + 1);
        let rest = &line[at + inside.len()..];
        Some(format!("{}{}{rest}", &line[..before], self.origin.display()))
    }
}

/// The error of a failed build: the compiler's own lines where it complained about a device.
pub fn explain(error: Error, log: &Path, names: &[DevicePath]) -> Error {
    if interrupted(&error).is_some() {
        return error;
    }
    let mut complaints: Vec<Complaint> = names.iter().map(Complaint::about).collect();
    let mut first_error = None;
    for line in log_lines(log).into_iter().flatten() {
        for complaint in &mut complaints {
            complaint.hear(&line);
        }
        if first_error.is_none() && is_error(&line) {
            first_error = Some(clipped(&line));
        }
    }
    let Some(Complaint { name, lines, .. }) = complaints.into_iter().find(|it| it.has_error) else {
        return match first_error {
            Some(line) => error.context(format!("the log's first error: {line}")),
            None => error,
        };
    };
    anyhow!(
        "`{}` does not compile\n{}",
        name.origin.display(),
        lines.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
    )
    .help(format!("fix the device and run again; the whole output is in {}", log.display()))
}

/// A parallel make goes on for a while after what broke it, so that the last lines need not show it.
fn is_error(line: &str) -> bool {
    [": error: ", ": fatal error: ", "ERROR: "].iter().any(|mark| line.contains(mark))
}

/// What a log says of one device: from the first line that speaks of it to the last of what belongs to
/// that.
struct Complaint<'a> {
    name: &'a DevicePath,
    lines: Vec<String>,
    ended: bool,
    has_error: bool,
}

impl<'a> Complaint<'a> {
    fn about(name: &'a DevicePath) -> Self {
        Self { name, lines: Vec::new(), ended: false, has_error: false }
    }

    fn hear(&mut self, line: &str) {
        let translated = self.name.translate(line);
        let speaks = translated.as_ref().is_some_and(|line| {
            [": error:", ": fatal error:", ": warning:", ": In function"]
                .iter()
                .any(|mark| line.contains(mark))
        });
        self.has_error |= speaks && line.contains("error:");
        let belongs = speaks
            || !self.lines.is_empty() && (line.starts_with([' ', '\t']) || line.contains("note:"));
        if belongs && !self.ended && self.lines.len() < SHOWN {
            self.lines.push(clipped(translated.as_deref().unwrap_or(line)));
        } else if !self.lines.is_empty() {
            self.ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const LOG: &str = "[1/2] Compiling C object hw_misc_vgpu-stub.c.o\n\
        FAILED: hw_misc_vgpu-stub.c.o\n\
        ../hw/misc/vgpu-stub.c: In function 'f':\n\
        ../hw/misc/vgpu-stub.c:7:5: error: unknown type name 'x'\n    7 |     x y;\n      |     ^\n\
        ninja: build stopped: subcommand failed.\n";

    /// What is made of a failure whose log is [`LOG`].
    fn explained(file: &str) -> (String, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, LOG).unwrap();
        let names = [DevicePath::new("hw/misc", file, Path::new("my").join(file))];
        (crate::error::render(&explain(anyhow!("rpmbuild failed"), &log, &names)), log)
    }

    #[test]
    fn the_compilers_lines_are_shown_with_the_authors_path() {
        let (error, log) = explained("vgpu-stub.c");
        let expected = "`my/vgpu-stub.c` does not compile\n\
             \x20 | my/vgpu-stub.c: In function 'f':\n\
             \x20 | my/vgpu-stub.c:7:5: error: unknown type name 'x'\n\
             \x20 |     7 |     x y;\n\
             \x20 |       |     ^\n\
             help: fix the device and run again; the whole output is in ";
        assert_eq!(error, format!("{expected}{}", log.display()));
    }

    #[test]
    fn another_failure_names_the_first_error_of_the_log() {
        let error = explained("other.c").0;
        assert!(error.starts_with("the log's first error: ") && error.contains("'x'"), "{error}");
    }
}
