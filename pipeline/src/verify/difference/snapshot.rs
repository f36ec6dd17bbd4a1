// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of a package or a binary, as a flat table.

use super::{Area, Attribute};
use crate::rules::{BuildIdPath, InspectedPackage, build_id_path, debug_promise};
use qom_census::{ElfInfo, Qom, QomType};
use rpm::IndexTag as Tag;
use rpm_inspect::{FileEntry, mode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::path::Path;

const BUILD_IDS: &str = "/usr/lib/.build-id";
/// Tags with an entry for each file.
const OF_FILES: [Tag; 6] = [
    Tag::RPMTAG_FILERDEVS,
    Tag::RPMTAG_FILEVERIFYFLAGS,
    Tag::RPMTAG_FILELANGS,
    Tag::RPMTAG_FILEDEPENDSN,
    Tag::RPMTAG_FILEDEPENDSX,
    Tag::RPMTAG_FILEMODES,
];

/// Every line that could differ, and all that is said of each: whoever says it a second time, or says
/// another thing, is neither hidden nor hides the first.
#[derive(Debug, Default)]
pub struct Snapshot(BTreeMap<Attribute, Vec<String>>);

impl Snapshot {
    pub fn of_binary(elf: &ElfInfo, qom: &Qom) -> Self {
        let mut snapshot = Self::default();
        snapshot.types("", qom);
        snapshot.elf("", elf);
        snapshot
    }

    pub fn of_package(facts: &InspectedPackage) -> Self {
        let mut snapshot = Self::default();
        snapshot.package("", facts);
        snapshot
    }

    /// Several packages of one source, each under its own name.
    pub fn of_packages<'a>(all: impl IntoIterator<Item = &'a InspectedPackage>) -> Self {
        let mut snapshot = Self::default();
        for facts in all {
            snapshot.package(&facts.id.name, facts);
        }
        snapshot
    }

    /// In no order of the packages, for two builds may list them in two ways.
    pub(super) fn lines(&self) -> BTreeMap<&Attribute, String> {
        let line = |texts: &Vec<String>| {
            let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            texts.sort_unstable();
            match texts[..] {
                ["", .., ""] => format!("{} times", texts.len()),
                _ => texts.join(", and "),
            }
        };
        self.0.iter().map(|(attribute, texts)| (attribute, line(texts))).collect()
    }

    pub(super) fn put(
        &mut self,
        place: &str,
        area: Area,
        name: impl Into<String>,
        text: impl Into<String>,
    ) {
        let attribute = Attribute { place: place.to_owned(), area, name: name.into() };
        self.0.entry(attribute).or_default().push(text.into());
    }

    fn package(&mut self, place: &str, facts: &InspectedPackage) {
        let id = &facts.id;
        let version = id.evr().to_string();
        self.put(place, Area::Package, "name", &id.name);
        self.put(place, Area::Package, "architecture", &id.arch);
        self.put(place, Area::Package, "version", &version);
        self.put(place, Area::Package, "format", facts.format.to_string());
        self.put(place, Area::Package, "payload", &facts.payload.compressor);
        self.put(place, Area::Package, "file digests", facts.file_digest_name());
        let debuggers = is_kept_promise(facts);
        // A package provides itself, and its parts require each other, in their one version.
        let without_epoch = format!("{}-{}", id.version, id.release);
        let own = |text: &String| match text.rsplit_once(' ') {
            Some((rest, last)) if last == version || last == without_epoch => {
                format!("{rest} (its version)")
            }
            _ => text.clone(),
        };
        for (area, all) in [
            (Area::Provides, &facts.provides),
            (Area::Requires, &facts.requires),
            (Area::Requires, &facts.weak),
            (Area::Conflicts, &facts.conflicts),
            (Area::Obsoletes, &facts.obsoletes),
        ] {
            // One for each program, and made of its bytes.
            let by_bytes = |text: &&String| debuggers && text.starts_with("debuginfo(build-id)");
            for text in all.iter().filter(|text| !by_bytes(text)) {
                self.put(place, area, own(text), "");
            }
        }
        for script in &facts.scriptlets {
            let text = scripted(&script.interpreter.join(" "), &script.text);
            self.put(place, Area::Scriptlet, &script.kind, text);
        }
        for (index, trigger) in facts.triggers.iter().enumerate() {
            let kind = trigger.kind.name();
            let name = format!("{kind} trigger {}, {}", index + 1, trigger.on.join(", "));
            self.put(place, Area::Scriptlet, name, scripted(&trigger.interpreter, &trigger.text));
        }
        for change in &facts.changelog {
            let first = change.text.lines().next().unwrap_or_default();
            self.put(place, Area::Changelog, format!("{} {}", change.author, first), &change.text);
        }
        let of_files = |tag: &u32| OF_FILES.iter().any(|known| *known as u32 == *tag);
        for (tag, value) in facts.extra_tags.iter().filter(|(tag, _)| !debuggers || !of_files(tag))
        {
            self.put(place, Area::Package, format!("tag {tag}"), value);
        }
        if debuggers {
            return;
        }
        self.files(place, facts);
        for file in &facts.elf {
            if let Some(elf) = &file.info {
                self.elf(&file.path.display().to_string(), elf);
            }
        }
        for binary in &facts.binaries {
            self.types(&binary.path.display().to_string(), &binary.qom);
        }
    }

    fn files(&mut self, place: &str, facts: &InspectedPackage) {
        // By what is in them: a hard link is a program too.
        let known = facts.elf.iter().filter(|file| file.info.is_some());
        let known: HashSet<&Path> = known.map(|file| &*file.path).collect();
        let read = |file: &&FileEntry| known.contains(Path::new(&file.path));
        let programs: BTreeSet<&str> =
            facts.files.iter().filter(read).filter_map(|file| file.sha256.as_deref()).collect();
        // Links by build id say only that a program is another one; so do the folders that they are in.
        let own: BTreeSet<&str> =
            facts.files.iter().filter(|file| file.is_regular()).map(|file| &*file.path).collect();
        let by_build_id = |file: &&FileEntry| match build_id_path(&file.path, BUILD_IDS) {
            Some(BuildIdPath::Folder) => file.mode == mode::DIRECTORY | 0o755 && is_as_made(file),
            Some(BuildIdPath::Id) if is_as_made(file) => file.link.as_deref().is_some_and(|link| {
                // From `/usr/lib/.build-id/ab/cdef`, to a program of the same package.
                link.strip_prefix("../../../..").is_some_and(|path| own.contains(path))
            }),
            _ => false,
        };
        let files = facts.files.iter().filter(|file| !by_build_id(file));
        for file in files {
            let mut text = format!("{:06o} {}:{}", file.mode, file.user, file.group);
            for more in file.flags.iter().chain(&file.capabilities) {
                text.push(' ');
                text.push_str(more);
            }
            if file.colour > 0 {
                let _ = write!(text, " colour {}", file.colour);
            }
            if let Some(target) = &file.link {
                text.push_str(" → ");
                text.push_str(target);
            }
            self.put(place, Area::File, &file.path, text);
            if file.is_regular() {
                // Of the bytes, and not what the header says of them: by MD5 that is one of two files.
                let sha256 = file.sha256.as_deref().unwrap_or("not in the payload");
                let area = if programs.contains(sha256) { Area::Binary } else { Area::Content };
                let text = format!("{} bytes, {sha256}", file.size);
                self.put(place, area, &file.path, text);
            }
        }
    }

    fn types(&mut self, place: &str, qom: &Qom) {
        for found in &qom.types {
            self.put(place, Area::Type, &found.name, described(found));
            for property in found.properties.iter().flatten() {
                let name = format!("{}.{}", found.name, property.name);
                self.put(place, Area::Property, name, property.kind.as_deref().unwrap_or("?"));
            }
        }
    }

    /// Each field by its own name, so that one that comes later is compared too.
    fn elf(&mut self, place: &str, elf: &ElfInfo) {
        let Ok(Value::Object(fields)) = serde_json::to_value(elf) else { return };
        for (name, value) in fields {
            // It is made of the bytes, which differ in any case.
            if name == "build_id" {
                continue;
            }
            match value {
                Value::Null => {}
                Value::Array(items) if items.iter().all(Value::is_string) => {
                    for item in items {
                        self.put(place, Area::Elf, format!("{name} {}", plain(&item)), "");
                    }
                }
                // A version.
                Value::Array(numbers) => {
                    let numbers: Vec<String> = numbers.iter().map(plain).collect();
                    self.put(place, Area::Elf, name, numbers.join("."));
                }
                value => self.put(place, Area::Elf, name, plain(&value)),
            }
        }
    }
}

/// A package for debuggers that is one: what is in it differs with every build, and it has one file more
/// for a device.
fn is_kept_promise(facts: &InspectedPackage) -> bool {
    facts.is_for_debuggers() && debug_promise(facts).is_empty()
}

/// Whether rpmbuild put it there: it gives such a file to root, and marks it as no work of the spec's.
fn is_as_made(file: &FileEntry) -> bool {
    file.user == "root" && file.group == "root" && file.flags.iter().all(|flag| flag == "artifact")
}

/// A script in one line: nobody reads two of them beside each other in a table.
fn scripted(interpreter: &str, text: &str) -> String {
    let digest = blake3::hash(text.as_bytes()).to_hex();
    format!("{interpreter}, {} lines, {digest}", text.lines().count())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A type in one line, without what its properties say.
fn described(found: &QomType) -> String {
    let mut text = found.parent.clone();
    for interface in &found.interfaces {
        text.push_str(", ");
        text.push_str(interface);
    }
    if found.is_abstract {
        text.push_str(", abstract");
    }
    if found.conditional.is_some() {
        text.push_str(", conditional");
    }
    for (what, size) in [("instance", found.instance_size), ("class", found.class_size)] {
        if size > 0 {
            text = format!("{text}, {what} of {size} bytes");
        }
    }
    text
}
