// SPDX-License-Identifier: GPL-2.0-or-later
//! The files on this machine that a pipeline names, each with the place where it is named: one that cannot be
//! read is a mistake of that line.

use super::file::{File, Violation};
use super::path::Path;
use super::{Mistakes, Pipeline, formats};

/// What a file is for, which decides what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalRole {
    Source,
    Containerfile,
    Device,
    Spec,
    VendorWrapper,
    Contract,
    Installed,
}

/// A file that a pipeline names.
#[derive(Debug)]
pub struct LocalFile<'p> {
    pub role: LocalRole,
    pub file: &'p std::path::Path,
    place: Path,
}

/// Why such a file cannot be used.
#[derive(Debug)]
pub struct Unusable {
    place: Path,
    what: String,
    help: Option<String>,
}

impl LocalFile<'_> {
    pub fn unusable(&self, what: String, help: Option<String>) -> Unusable {
        Unusable { place: self.place.clone(), what, help }
    }
}

impl Pipeline {
    /// The files on this machine that it names, in the order of its sections.
    pub fn local_files(&self) -> Vec<LocalFile<'_>> {
        use LocalRole::{Containerfile, Contract, Device, Installed, Source, Spec, VendorWrapper};
        let mut files = Vec::new();
        let mut add = |role, file, place| files.push(LocalFile { role, file, place });
        for (number, source) in self.source.iter().enumerate() {
            if let Some((file, place)) = source.local_file(&Path::of("source").item(number)) {
                add(Source, file, place);
            }
        }
        let place = Path::of("environment").key("containerfile");
        add(Containerfile, self.environment.containerfile.as_path(), place);
        for (number, device) in self.device.iter().enumerate() {
            add(Device, &device.source, Path::of("device").item(number).key("source"));
        }
        if let Some(file) = &self.spec.file {
            add(Spec, file, Path::of("spec").key("file"));
        }
        if let Some(file) = self.wrapper.as_ref().and_then(|wrapper| wrapper.vendor.path()) {
            let place = Path::of("wrapper").key("vendor").key("path").key("file");
            add(VendorWrapper, file, place);
        }
        for (number, file) in self.verify.contracts.iter().enumerate() {
            add(Contract, file, Path::of("verify").key("contracts").item(number));
        }
        if let Some(file) = &self.verify.installed {
            add(Installed, file, Path::of("verify").key("installed"));
        }
        files
    }
}

/// The mistakes of a pipeline whose `text` names files that cannot be used.
pub fn unusable_files(text: &str, name: &str, files: Vec<Unusable>) -> Mistakes {
    let mut file = File::read(text, name, formats::pipeline());
    file.report(files.into_iter().map(|Unusable { place, what, help }| {
        let violation = Violation::new(place, what);
        help.into_iter().fold(violation, Violation::help)
    }));
    file.mistakes()
}
