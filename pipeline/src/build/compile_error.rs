//! A compiler's complaint about a device, with the path as its author knows it.

use crate::cmd::interrupted;
use anyhow::{Error, anyhow};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of the compiler that are shown.
const SHOWN: usize = 20;

/// A device's file: where it is in QEMU's tree, and where it came from.
#[derive(Debug, Clone)]
pub struct SourceName {
    directory: String,
    file: String,
    origin: PathBuf,
}

impl SourceName {
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
pub fn explain(error: Error, log: &Path, names: &[SourceName]) -> Error {
    if interrupted(&error).is_some() {
        return error;
    }
    let text = fs::read_to_string(log).unwrap_or_default();
    let Some((name, lines)) = names.iter().find_map(|name| Some((name, complaint(&text, name)?)))
    else {
        return match first_error(&text) {
            Some(line) => error.context(format!("the log's first error: {line}")),
            None => error,
        };
    };
    anyhow!(
        "`{}` does not compile\n{}\n\
         help: mend the device and run again; the whole output is in {}",
        name.origin.display(),
        lines.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n"),
        log.display()
    )
}

/// A parallel make goes on for a while after what broke it, so that the last lines need not show it.
fn first_error(log: &str) -> Option<&str> {
    log.lines().find(|line| {
        [": error: ", ": fatal error: ", "ERROR: "].iter().any(|mark| line.contains(mark))
    })
}

/// From the first line that speaks of the device to the last of what belongs to it.
fn complaint(log: &str, name: &SourceName) -> Option<Vec<String>> {
    let lines: Vec<&str> = log.lines().collect();
    let speaks = |line: &&str| {
        name.translate(line).is_some_and(|line| {
            [": error:", ": fatal error:", ": warning:", ": In function"]
                .iter()
                .any(|mark| line.contains(mark))
        })
    };
    let has_error = lines.iter().any(|line| speaks(line) && line.contains("error:"));
    let first = lines.iter().position(speaks).filter(|_| has_error)?;
    let belongs =
        |line: &&&str| speaks(line) || line.starts_with([' ', '\t']) || line.contains("note:");
    Some(
        lines[first..]
            .iter()
            .take_while(belongs)
            .take(SHOWN)
            .map(|line| name.translate(line).unwrap_or_else(|| (*line).to_owned()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let names = [SourceName::new("hw/misc", file, Path::new("my").join(file))];
        (explain(anyhow!("rpmbuild failed"), &log, &names).to_string(), log)
    }

    #[test]
    fn the_compilers_lines_are_shown_with_the_authors_path() {
        let (error, log) = explained("vgpu-stub.c");
        let expected = "`my/vgpu-stub.c` does not compile\n\
             \x20 | my/vgpu-stub.c: In function 'f':\n\
             \x20 | my/vgpu-stub.c:7:5: error: unknown type name 'x'\n\
             \x20 |     7 |     x y;\n\
             \x20 |       |     ^\n\
             help: mend the device and run again; the whole output is in ";
        assert_eq!(error, format!("{expected}{}", log.display()));
    }

    #[test]
    fn another_failure_names_the_first_error_of_the_log() {
        let error = explained("other.c").0;
        assert!(error.starts_with("the log's first error: ") && error.contains("'x'"), "{error}");
    }
}
