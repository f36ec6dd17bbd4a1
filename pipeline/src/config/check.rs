//! What only several fields together can show.

use super::contract;
use super::source::PinnedFile;
use super::words::{FileName, LONGEST_NAME, SourceFile};
use super::{Base, Edit, GitSource, Insert, Integration, Pipeline, Python, Source, error::nearest};
use anyhow::{Error, anyhow};
use std::collections::BTreeSet;

/// A problem, and the scalar in the file that shows it.
pub struct Problem {
    what: String,
    scalar: Scalar,
}

enum Scalar {
    Text(String),
    /// However it is spelled.
    Number(u64),
}

impl Problem {
    pub(super) fn new(scalar: impl Into<String>, what: impl Into<String>) -> Self {
        Self { what: what.into(), scalar: Scalar::Text(scalar.into()) }
    }

    pub(super) fn number(number: u64, what: impl Into<String>) -> Self {
        Self { what: what.into(), scalar: Scalar::Number(number) }
    }

    /// The reader keeps no positions once types are built, so the scalar's last mention is the place:
    /// what is checked here refers back to a declaration above it.
    pub fn at(self, text: &str, file: &str) -> Error {
        let place = text.lines().enumerate().filter_map(|(line, content)| {
            let column = match &self.scalar {
                Scalar::Text(scalar) => content.find(scalar),
                Scalar::Number(number) => find_number(content, *number),
            };
            Some((line + 1, column? + 1))
        });
        match place.last() {
            Some((line, column)) => anyhow!("{file}:{line}:{column}: {}", self.what),
            None => anyhow!("{file}: {}", self.what),
        }
    }
}

/// Where a line has a number, in decimal or in hexadecimal.
fn find_number(line: &str, number: u64) -> Option<usize> {
    let code = line.split('#').next().unwrap_or_default();
    let mut words = code.split(|c: char| !c.is_ascii_alphanumeric());
    let read = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    let word = words.rfind(|word| read(word) == Some(number))?;
    Some(word.as_ptr() as usize - line.as_ptr() as usize)
}

pub fn check(pipeline: &Pipeline) -> Result<(), Problem> {
    sources(pipeline)?;
    spec(pipeline)?;
    repositories(pipeline)?;
    devices(pipeline)?;
    edits(pipeline)?;
    wrapper(pipeline)?;
    stock(pipeline)?;
    paths(pipeline)?;
    pipeline.verify.types.iter().try_for_each(contract::check)?;
    if pipeline.verify.contracts.is_empty() { types(pipeline) } else { Ok(()) }
}

fn sources(pipeline: &Pipeline) -> Result<(), Problem> {
    if pipeline.source.is_empty() {
        return Err(Problem::new("source:", "`source` names nothing to build"));
    }
    let mut seen = BTreeSet::new();
    for source in &pipeline.source {
        let names: Vec<&str> = match source {
            Source::Debian(debian) => debian.files.iter().map(|file| file.name.as_str()).collect(),
            Source::Path(path) => vec![source_name(&path.file)?],
            Source::Archive(archive) => {
                let url = archive.url.as_str();
                if SourceFile::try_from(archive.file_name().to_owned()).is_err() {
                    return Err(Problem::new(
                        url,
                        format!("`{url}` does not end in the name of a file"),
                    ));
                }
                vec![archive.file_name()]
            }
            Source::Git(git) => {
                let pinned = lookaside(git)?.iter().map(|file| file.name.as_str());
                git.lfs.iter().map(|object| object.file.as_str()).chain(pinned).collect()
            }
        };
        for name in names {
            if !seen.insert(name.to_owned()) {
                return Err(Problem::new(name, format!("source file `{name}` is given twice")));
            }
        }
    }
    Ok(())
}

/// What a lookaside cache is asked for is made of its address and of the package's name.
fn lookaside(git: &GitSource) -> Result<&[PinnedFile], Problem> {
    let Some(lookaside) = &git.lookaside else { return Ok(&[]) };
    if FileName::try_from(git.package().to_owned()).is_err() {
        return Err(Problem::new(
            "lookaside:",
            format!(
                "`{}` does not end in the name of a package\n\
                 help: say it: `lookaside: {{ package: …, url: … }}`",
                git.url
            ),
        ));
    }
    Ok(&lookaside.pins)
}

/// There is one spec, and where it is in a git source there is one of those.
fn spec(pipeline: &Pipeline) -> Result<(), Problem> {
    let repositories =
        pipeline.source.iter().filter(|source| matches!(source, Source::Git(_))).count();
    if repositories > 1 {
        return Err(Problem::new("source:", "`source` has more than one `git:`"));
    }
    match (&pipeline.spec.file, &pipeline.spec.git) {
        (Some(file), None) => plain_name(file).map(|_| ()),
        (None, Some(_)) if repositories == 1 => Ok(()),
        (None, Some(path)) => Err(Problem::new(
            path.as_str(),
            "`spec.git` is a path in a git source, and `source` has none\n\
             help: `spec.file` names a spec on this machine",
        )),
        _ => Err(Problem::new("spec:", "`spec` wants either `file:` or `git:`")),
    }
}

fn repositories(pipeline: &Pipeline) -> Result<(), Problem> {
    let Base::Image(image) = &pipeline.environment.base else { return Ok(()) };
    let mut seen = BTreeSet::new();
    for repository in &image.repositories {
        let id = repository.id.as_str();
        if !seen.insert(id) {
            return Err(Problem::new(id, format!("repository `{id}` is given twice")));
        }
    }
    Ok(())
}

fn devices(pipeline: &Pipeline) -> Result<(), Problem> {
    if pipeline.device.is_empty() {
        return Err(Problem::new("device:", "`device` names no device"));
    }
    let mut seen = BTreeSet::new();
    for device in &pipeline.device {
        let name = plain_name(&device.source)?;
        if std::path::Path::new(name).extension().is_none_or(|extension| extension != "c") {
            return Err(Problem::new(name, format!("device source `{name}` is not a .c file")));
        }
        // What QEMU's build makes of it has the folder's name before it, and endings.
        if name.len() > LONGEST_NAME {
            return Err(Problem::new(
                name,
                format!("device source `{name}` has a name of more than {LONGEST_NAME} letters"),
            ));
        }
        for word in [device.qom_type.as_str(), name] {
            if !seen.insert(word.to_owned()) {
                return Err(Problem::new(word, format!("device `{word}` is given twice")));
            }
        }
    }
    Ok(())
}

fn edits(pipeline: &Pipeline) -> Result<(), Problem> {
    let for_tests = pipeline.build.test_binary.iter().flat_map(|binary| &binary.edits);
    for edit in pipeline.spec.edits.iter().chain(for_tests) {
        match edit {
            Edit::AddSource(file) => {
                let known = pipeline.device.iter().map(super::Device::file_name);
                refers_to(file.as_str(), known, "the source of a device")?;
            }
            Edit::InsertAfter(insertion) | Edit::InsertBefore(insertion) => {
                if let Insert::Device(device) = &insertion.insert {
                    let known = pipeline.device.iter().map(|device| device.qom_type.as_str());
                    refers_to(device.as_str(), known, "a device of this pipeline")?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn wrapper(pipeline: &Pipeline) -> Result<(), Problem> {
    let Some(wrapper) = &pipeline.wrapper else { return Ok(()) };
    let name = wrapper.vendor.file_name();
    if FileName::try_from(name.to_owned()).is_err() {
        return Err(Problem::new("vendor:", "`wrapper.vendor` does not end in a plain file name"));
    }
    if wrapper.integration == Integration::DropIn && wrapper.python == Python::Python2 {
        return Err(Problem::new(
            "python:",
            "`wrapper.python: python2` is for `integration: patch`: a xenopsd with drop-ins has Python 3",
        ));
    }
    if !wrapper.replace.is_empty() && wrapper.shipped.is_none() {
        return Err(Problem::new(
            "replace:",
            "`wrapper.replace` makes another file, and no `wrapper.shipped` says which\n\
             help: `shipped` is the sha256 of /usr/lib64/xen/bin/qemu-wrapper on an untouched host",
        ));
    }
    Ok(())
}

/// Every device has its type, and no type has two declarations.
pub fn types(pipeline: &Pipeline) -> Result<(), Problem> {
    let types = &pipeline.verify.types;
    let mut seen = BTreeSet::new();
    for expected in types {
        let name = expected.name.as_str();
        if !seen.insert(name) {
            return Err(Problem::new(
                "verify:",
                format!("`verify` says twice what the type `{name}` must be"),
            ));
        }
    }
    for device in &pipeline.device {
        let name = device.qom_type.as_str();
        if !seen.contains(name) {
            return Err(Problem::new(
                "verify:",
                format!(
                    "`verify.types` does not name `{name}`, so nothing would prove that it is there"
                ),
            ));
        }
    }
    Ok(())
}

/// What is asserted about the stock package wants one to compare with.
fn stock(pipeline: &Pipeline) -> Result<(), Problem> {
    let verify = &pipeline.verify;
    if verify.only_adds.is_some() && verify.stock.is_none() {
        return Err(Problem::new(
            "only-adds:",
            "`verify.only-adds` has no stock package to compare with\n\
             help: `stock: { build: {} }` builds the spec as it came",
        ));
    }
    Ok(())
}

/// A list that allows no folder would refuse every package with a file in it.
fn paths(pipeline: &Pipeline) -> Result<(), Problem> {
    if pipeline.verify.paths.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::new(
            "paths:",
            "`verify.paths` allows no folder at all\n\
             help: name some, or leave it out for those that packages commonly have",
        ));
    }
    Ok(())
}

fn refers_to<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Result<(), Problem> {
    if known.clone().any(|candidate| candidate == word) {
        return Ok(());
    }
    let help = match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Err(Problem::new(word, format!("`{word}` is not {what}\nhelp: {help}")))
}

/// The last part of a path, where it is one that rpmbuild's SOURCES can have.
fn source_name(path: &std::path::Path) -> Result<&str, Problem> {
    let shown = path.display().to_string();
    path.file_name()
        .and_then(|name| name.to_str())
        .filter(|name| SourceFile::try_from((*name).to_owned()).is_ok())
        .ok_or_else(|| {
            Problem::new(&shown, format!("`{shown}` does not end in the name of a file"))
        })
}

/// The last part of a path, where it is one that a spec and a shell line can carry.
fn plain_name(path: &std::path::Path) -> Result<&str, Problem> {
    let shown = path.display().to_string();
    path.file_name()
        .and_then(|name| name.to_str())
        .filter(|name| FileName::try_from((*name).to_owned()).is_ok())
        .ok_or_else(|| Problem::new(&shown, format!("`{shown}` does not end in a plain file name")))
}
