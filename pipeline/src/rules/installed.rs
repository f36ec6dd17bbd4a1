// SPDX-License-Identifier: GPL-2.0-or-later
//! What is on the hosts already: a list of their files, each with its package.

use super::InspectedPackage;
use crate::error::Help;
use anyhow::{Result, anyhow, ensure};
use rpm_inspect::{FileEntry, mode};
use std::borrow::Cow;
use std::collections::HashMap;

const HELP: &str = "make it on a host, by \
    `rpm -qa --qf '[%{=NAME} %{FILEMODES:octal} %{FILENAMES}\\n]'`";

/// The files of a host.
#[derive(Debug, Default)]
pub struct Installed {
    text: String,
}

/// Who owns a path, and what it is.
type Owner<'a> = (&'a str, u16);

impl Installed {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lines of a package's name, a mode in octal, and a path.
    pub fn parse(text: String) -> Result<Self> {
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            ensure!(
                entry(line).is_some(),
                anyhow!("line {number} is not a name, a mode in octal and a path").help(HELP)
            );
        }
        ensure!(!text.is_empty(), anyhow!("it is empty").help(HELP));
        Ok(Self { text })
    }

    /// The files that belong to another package there. One of the same name, or that ours obsoletes,
    /// is gone when ours comes.
    pub fn conflicts(&self, package: &InspectedPackage) -> Vec<String> {
        let replaced = |name: &str| {
            let obsoleted =
                package.obsoletes.iter().any(|text| text.split(' ').next() == Some(name));
            name == package.id.name || obsoleted
        };
        let mut owners: HashMap<Cow<str>, Vec<Owner>> = HashMap::new();
        for (name, mode, path) in self.text.lines().filter_map(entry) {
            if !replaced(name) {
                owners.entry(merged(path)).or_default().push((name, mode));
            }
        }
        let files = package.files.iter().filter(|_| !package.source);
        let each = files.filter_map(|file| Some((file, owners.get(&merged(&file.path))?)));
        each.flat_map(|(file, owners)| owners.iter().filter_map(|owner| conflict(file, owner)))
            .collect()
    }
}

/// A path as it is where `/bin`, `/sbin`, `/lib` and `/lib64` are links into `/usr`, as they have been
/// since CentOS 7.
fn merged(path: &str) -> Cow<'_, str> {
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "bin" | "sbin" | "lib" | "lib64" => Cow::Owned(format!("/usr{path}")),
        _ => Cow::Borrowed(path),
    }
}

fn conflict(file: &FileEntry, (name, there): &Owner) -> Option<String> {
    let path = file.path.escape_debug();
    if !file.is_directory() || there & mode::KIND != mode::DIRECTORY {
        return Some(format!("`{path}` is a file of the package `{name}`"));
    }
    // Folders are shared; rpm gives them the mode of who came last.
    let (ours, theirs) = (file.mode & !mode::KIND, there & !mode::KIND);
    (ours != theirs).then(|| {
        format!("`{path}` would have the mode {ours:04o}, and the package `{name}` has it with {theirs:04o}")
    })
}

fn entry(line: &str) -> Option<(&str, u16, &str)> {
    let (name, rest) = line.split_once(' ')?;
    let (mode, path) = rest.split_once(' ')?;
    let mode = u16::from_str_radix(mode, 8).ok()?;
    (!name.is_empty() && path.starts_with('/')).then_some((name, mode, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_none_says_which_line() {
        Installed::parse("qemu 100755 /usr/bin/a b\nxen 40755 /usr/share\n".to_owned()).unwrap();
        for bad in ["qemu", "qemu 9 /a", "qemu 100644 a", " 100644 /a", "qemu /a"] {
            let message =
                Installed::parse(format!("a 100644 /a\n{bad}\n")).unwrap_err().to_string();
            assert!(message.starts_with("line 2 is not a name, a mode"), "{message}");
        }
        assert!(Installed::parse(String::new()).is_err());
    }
}
