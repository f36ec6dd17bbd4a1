// SPDX-License-Identifier: GPL-2.0-or-later
//! What only several fields together can show. A rule is asked where nothing is wrong with the sections that
//! it compares.

use super::contract;
use super::file::{File, Violation};
use super::nearest::{nearest, quoted};
use super::path::Path;
use super::scalars::FileName;
use super::{
    Base, Build, Device, Edit, Environment, ExpectedType, GitSource, Insert, Integration, Python,
    Source, Spec, Verify, Wrapper,
};
use std::collections::BTreeMap;

/// The sections with which nothing is wrong.
#[derive(Debug, Default)]
struct Sections {
    source: Option<Vec<Source>>,
    environment: Option<Environment>,
    device: Option<Vec<Device>>,
    spec: Option<Spec>,
    build: Option<Build>,
    wrapper: Option<Wrapper>,
    verify: Option<Verify>,
}

/// Everything that is wrong between the sections of a pipeline.
pub fn check(file: &File) -> Vec<Violation> {
    let Sections { source, environment, device, spec, build, wrapper, verify } = Sections {
        source: file.section("source"),
        environment: file.section("environment"),
        device: file.section("device"),
        spec: file.section("spec"),
        build: file.section("build"),
        wrapper: file.section("wrapper"),
        verify: file.section("verify"),
    };
    let mut violations = Vec::new();
    if let Some(source) = &source {
        violations.extend(sources(source));
        violations.extend(spec.iter().filter_map(|spec| where_the_spec_is(spec, source)));
    }
    violations.extend(environment.iter().flat_map(repositories));
    if let Some(device) = &device {
        violations.extend(devices(device));
        violations.extend(edits(spec.as_ref(), build.as_ref(), device));
    }
    violations.extend(wrapper.iter().flat_map(wrappers));
    if let Some(verify) = &verify {
        violations.extend(stock(verify));
        violations.extend(device.iter().flat_map(|device| not_added(verify, device)));
        for (number, expected) in verify.types.iter().enumerate() {
            let path = Path::of("verify").key("types").item(number);
            violations.extend(contract::check(expected, &path));
        }
        if let (true, Some(device)) = (verify.contracts.is_empty(), &device) {
            violations.extend(types(&verify.types, &[], device));
        }
    }
    violations
}

/// Names that are given twice, with both places.
#[derive(Default)]
struct Names(BTreeMap<String, Path>);

impl Names {
    fn take(&mut self, name: &str, path: Path, what: &str) -> Option<Violation> {
        if let Some(first) = self.0.get(name) {
            let violation = Violation::new(path, format!("{what} `{name}` is given twice"));
            return Some(
                violation.other(first.clone(), "here first").help("leave out one of them"),
            );
        }
        self.0.insert(name.to_owned(), path);
        None
    }
}

fn sources(sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut names = Names::default();
    let mut git: Option<Path> = None;
    for (number, source) in sources.iter().enumerate() {
        let path = Path::of("source").item(number);
        for (name, path) in source.named_files(&path) {
            violations.extend(names.take(name, path, "source file"));
        }
        if let Source::Git(source) = source {
            let path = path.key("git");
            violations.extend(lookaside(source, &path));
            match &git {
                None => git = Some(path),
                Some(first) => violations.push(
                    Violation::new(path, "a second `git:`, and the spec comes from one alone")
                        .on_key()
                        .other(first.clone(), "the first one")
                        .help("further files can be an `archive:` or a `path:`"),
                ),
            }
        }
    }
    violations
}

/// What a lookaside cache is asked for is made of its address and of the package's name.
fn lookaside(git: &GitSource, path: &Path) -> Option<Violation> {
    git.lookaside.as_ref()?;
    if FileName::rule().admits(git.package()) {
        return None;
    }
    let what = format!("`{}` does not end in the name of a package", git.url);
    Some(Violation::new(path.key("url"), what).help("say it: `lookaside: { package: …, url: … }`"))
}

/// There is one spec, and where it is in a git source there is one of those.
fn where_the_spec_is(spec: &Spec, sources: &[Source]) -> Option<Violation> {
    let is_git = |source: &Source| matches!(source, Source::Git(_));
    let path = Path::of("spec");
    match (&spec.file, &spec.git) {
        (Some(_), None) => None,
        (None, Some(_)) if sources.iter().any(is_git) => None,
        (None, Some(_)) => Some(
            Violation::new(path.key("git"), "a path in a git source, and `source` has none")
                .help("`file:` names a spec on this machine"),
        ),
        (Some(_), Some(_)) => Some(
            Violation::new(path.key("git"), "the spec is given twice")
                .on_key()
                .other(path.key("file"), "here first")
                .help("leave out `file:` or `git:`"),
        ),
        (None, None) => Some(
            Violation::new(path, "nothing says where the spec is")
                .on_key()
                .help("add `file:` for one on this machine, or `git:` for one of the git source"),
        ),
    }
}

fn repositories(environment: &Environment) -> Vec<Violation> {
    let Base::Image(image) = &environment.base else { return Vec::new() };
    let mut names = Names::default();
    let path = Path::of("environment").key("base").key("image").key("repositories");
    let repositories = image.repositories.iter().enumerate();
    repositories
        .filter_map(|(number, repository)| {
            let path = path.item(number).key("id");
            names.take(repository.id.as_str(), path, "repository")
        })
        .collect()
}

fn devices(devices: &[Device]) -> Vec<Violation> {
    let (mut types, mut files) = (Names::default(), Names::default());
    let mut violations = Vec::new();
    for (number, device) in devices.iter().enumerate() {
        let path = Path::of("device").item(number);
        violations.extend(types.take(device.qom_type.as_str(), path.key("type"), "device"));
        violations.extend(files.take(device.file_name(), path.key("source"), "device source"));
    }
    violations
}

fn edits(spec: Option<&Spec>, build: Option<&Build>, devices: &[Device]) -> Vec<Violation> {
    let of_spec = spec.map(|spec| (Path::of("spec").key("edits"), &spec.edits));
    let binary = build.and_then(|build| build.test_binary.as_ref());
    let of_binary =
        binary.map(|binary| (Path::of("build").key("test-binary").key("edits"), &binary.edits));
    let mut violations = Vec::new();
    for (path, edits) in of_spec.into_iter().chain(of_binary) {
        for (number, edit) in edits.iter().enumerate() {
            let path = path.item(number);
            violations.extend(refers_to_nothing(edit, &path, devices));
        }
    }
    violations
}

fn refers_to_nothing(edit: &Edit, path: &Path, devices: &[Device]) -> Option<Violation> {
    let device = |insertion: &super::Insertion, name: &str| match &insertion.insert {
        Insert::Device(device) => {
            let known = devices.iter().map(|device| device.qom_type.as_str());
            let path = path.key(name).key("insert").key("device");
            refers_to(device.as_str(), known, path, "a device of this pipeline")
        }
        Insert::Lines(_) => None,
    };
    match edit {
        Edit::AddSource(file) => {
            let known = devices.iter().map(Device::file_name);
            refers_to(file.as_str(), known, path.key("add-source"), "the source of a device")
        }
        Edit::InsertAfter(insertion) => device(insertion, "insert-after"),
        Edit::InsertBefore(insertion) => device(insertion, "insert-before"),
        _ => None,
    }
}

fn refers_to<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    path: Path,
    what: &str,
) -> Option<Violation> {
    if known.clone().any(|candidate| candidate == word) {
        return None;
    }
    let help = match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", quoted(known)),
    };
    Some(Violation::new(path, format!("`{word}` is not {what}")).help(help))
}

fn wrappers(wrapper: &Wrapper) -> Vec<Violation> {
    let path = Path::of("wrapper");
    let mut violations = Vec::new();
    if !FileName::rule().admits(wrapper.vendor.file_name()) {
        let place = match wrapper.vendor.path() {
            Some(_) => path.key("vendor").key("path").key("file"),
            None => path.key("vendor").key("web").key("url"),
        };
        violations.push(
            Violation::new(place, "this does not end in a plain file name")
                .help("letters, digits, `_`, `.`, `+`, `~` and `-` are plain"),
        );
    }
    if wrapper.integration == Integration::DropIn && wrapper.python == Python::Python2 {
        violations.push(
            Violation::new(path.key("python"), "`python2` is for `integration: patch`")
                .help("a xenopsd with drop-ins has Python 3: leave out one, or say the other too"),
        );
    }
    if !wrapper.replace.is_empty() && wrapper.shipped.is_none() {
        violations.push(
            Violation::new(
                path.key("replace"),
                "it makes another file, and no `shipped` says which",
            )
            .on_key()
            .help(
                "`shipped` is the sha256 of /usr/lib64/xen/bin/qemu-wrapper on an untouched host",
            ),
        );
    }
    violations
}

/// Every device has its type, and no type has two declarations: those of the pipeline, and then those of
/// its contracts.
pub fn types(
    own: &[ExpectedType],
    contracts: &[ExpectedType],
    devices: &[Device],
) -> Vec<Violation> {
    let path = Path::of("verify");
    let mut names = Names::default();
    let mut violations = Vec::new();
    let own = own.iter().enumerate();
    let own = own.map(|(number, it)| (it, path.key("types").item(number).key("name")));
    let contracts = contracts.iter().enumerate();
    let contracts = contracts.map(|(number, it)| (it, path.key("contracts").item(number)));
    for (expected, path) in own.chain(contracts) {
        let name = expected.name.as_str();
        violations.extend(names.take(name, path, "what is said of the type"));
    }
    for (number, device) in devices.iter().enumerate() {
        let name = device.qom_type.as_str();
        if names.0.contains_key(name) {
            continue;
        }
        let what =
            format!("`verify` does not name `{name}`, so nothing would prove that it is there");
        let help = match nearest(name, names.0.keys().map(String::as_str)) {
            Some(near) => format!("`verify` names `{near}`: one of the two is mistyped"),
            None => {
                "name its contract in `verify.contracts`, or add it to `verify.types`".to_owned()
            }
        };
        let path = Path::of("device").item(number).key("type");
        violations.push(Violation::new(path, what).help(help));
    }
    violations
}

/// A device is a type that the stock package does not have, so a list of all that ours may have more has it.
fn not_added(verify: &Verify, devices: &[Device]) -> Vec<Violation> {
    let Some(only_adds) = &verify.only_adds else { return Vec::new() };
    let mut violations = Vec::new();
    for (number, device) in devices.iter().enumerate() {
        let name = &device.qom_type;
        if !only_adds.contains(name) {
            let path = Path::of("verify").key("only-adds");
            violations.push(
                Violation::new(path, format!("the list does not have `{name}`, which is added"))
                    .on_key()
                    .other(Path::of("device").item(number).key("type"), "added here")
                    .help(format!("add `{name}` to it")),
            );
        }
    }
    violations
}

/// What is asserted about the stock package wants one to compare with.
fn stock(verify: &Verify) -> Option<Violation> {
    let wanting = verify.only_adds.is_some() && verify.stock.is_none();
    wanting.then(|| {
        let path = Path::of("verify").key("only-adds");
        Violation::new(path, "there is no stock package to compare with")
            .on_key()
            .help("`stock: { build: {} }` builds the spec as it came")
    })
}
