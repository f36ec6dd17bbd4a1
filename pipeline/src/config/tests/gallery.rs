// SPDX-License-Identifier: GPL-2.0-or-later
//! The gallery of mistakes: each a slip in a file of ours, with all that is said of it, as a snapshot in
//! the folder beside this file. They are the documentation of the messages, and no test but this one writes
//! them: `INSTA_UPDATE=always cargo test gallery` does, and with `CI` set nothing is ever written.

use crate::config::{Lock, Mistakes, Settings, parse, parse_contract};
use similar::TextDiff;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

mod between;
mod contracts;
mod files;
mod keys;
mod layout;
mod traps;
mod values;

/// Which file the slip is made in.
#[derive(Debug, Clone, Copy)]
enum In {
    Workstation,
    XcpNg,
    Contract,
    Lock,
    Settings,
    /// Another text, read as if it were that file.
    Text(&'static str, &'static In),
}

use In::{Contract, Lock as LockFile, Settings as SettingsFile, Workstation, XcpNg};

/// The name of a mistake, its file, what is replaced there, and by what.
type Slip = (&'static str, In, &'static [(&'static str, &'static str)]);

const LOCK: &str = "\
version: 1
declaration: { reference: 'docker.io/library/centos:7.5.1804', repositories: [], packages: [gcc] }
image:
  reference: docker.io/library/centos:7.5.1804
  digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  id: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
keys: []
packages:
- nevra: gcc-4.8.5-28.el7.x86_64
  url: http://vault.centos.org/7.5.1804/os/x86_64/Packages/gcc-4.8.5-28.el7.x86_64.rpm
  size: 17057268
  sha256: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
  key: 6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5
";

const SETTINGS: &str = "\
mirrors:
  - /srv/mirror
  - https://mirror.example/files
";

impl In {
    fn text(self) -> &'static str {
        match self {
            Workstation => include_str!("../../../workstation.yaml"),
            XcpNg => include_str!("../../../xcp-ng-8.3.yaml"),
            Contract => include_str!("../../../../device/vgpu-stub.yaml"),
            LockFile => LOCK,
            SettingsFile => SETTINGS,
            In::Text(text, _) => text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Workstation => "pipeline/workstation.yaml",
            XcpNg => "pipeline/xcp-ng-8.3.yaml",
            Contract => "device/vgpu-stub.yaml",
            LockFile => "pipeline/xcp-ng-8.3.lock",
            SettingsFile => "config.yaml",
            In::Text(_, file) => file.name(),
        }
    }

    fn read(self, text: &str) -> Result<(), Mistakes> {
        match self {
            Workstation | XcpNg => parse(text, self.name()).map(drop),
            Contract => parse_contract(text, self.name()).map(drop),
            LockFile => Lock::parse(text, self.name()).map(drop),
            SettingsFile => Settings::parse(text, self.name()).map(drop),
            In::Text(_, file) => file.read(text),
        }
    }
}

/// What was changed, and what is said of it.
fn picture(name: &str, file: In, changes: &[(&str, &str)]) -> String {
    let good = file.text();
    let mut text = good.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{name}: {from}");
        text = text.replacen(from, to, 1);
    }
    let diff = TextDiff::from_lines(good, &text);
    let diff = diff.unified_diff().context_radius(2).to_string();
    let diff: Vec<&str> = diff.lines().filter(|line| !line.starts_with("@@")).collect();
    let said = match file.read(&text) {
        Ok(()) => panic!("{name}: nothing is wrong with it"),
        Err(mistakes) => mistakes.to_string(),
    };
    let picture = format!("{}\n\nerror: {said}", diff.join("\n"));
    let lines = picture.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

fn all() -> impl Iterator<Item = &'static Slip> {
    [
        traps::SLIPS,
        layout::SLIPS,
        files::SLIPS,
        keys::SLIPS,
        values::SLIPS,
        between::SLIPS,
        contracts::SLIPS,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn every_mistake_has_its_picture() {
    let mut wrong = Vec::new();
    for (name, file, changes) in all() {
        let picture = picture(name, *file, changes);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("gallery");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_description(name.replace('-', " "));
        let look = || settings.bind(|| insta::assert_snapshot!(*name, picture));
        if std::panic::catch_unwind(AssertUnwindSafe(look)).is_err() {
            wrong.push(*name);
        }
    }
    assert!(wrong.is_empty(), "{} differ: {wrong:?}", wrong.len());
}

#[test]
fn every_picture_has_its_mistake() {
    let names: BTreeSet<String> = all().map(|(name, ..)| format!("{name}.snap")).collect();
    assert_eq!(names.len(), all().count(), "a name is given twice");
    assert!(names.len() >= 60, "{}", names.len());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/pipeline/src/config/tests/gallery");
    let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let found = found
        .map(|name| name.into_string().unwrap())
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "snap"));
    assert_eq!(found.collect::<BTreeSet<String>>(), names);
}

/// The place that is said is the place of the words, by a look at the text alone.
#[test]
fn every_mistake_is_in_the_line_that_was_changed() {
    for (name, file, changes) in all() {
        let [(from, to)] = changes else { continue };
        let good = file.text();
        let text = good.replacen(from, to, 1);
        let first = good.split(from).next().unwrap().matches('\n').count() + 1;
        let last = first + to.matches('\n').count() + 1;
        let mistakes = file.read(&text).unwrap_err();
        let mistake = serde_json::to_value(&mistakes).unwrap()["mistakes"][0].clone();
        let line = usize::try_from(mistake["line"].as_u64().unwrap()).unwrap();
        // What is missing is said where it is wanted, which is above.
        let message = mistake["message"].as_str().unwrap();
        let above = ["missing", "does not name", "nothing says", "says which"]
            .iter()
            .any(|word| message.contains(word));
        assert!((first..=last).contains(&line) || above, "{name}: {line}, not {first} to {last}");
    }
}
