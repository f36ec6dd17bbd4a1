// SPDX-License-Identifier: GPL-2.0-or-later
//! The packages of a run, read one after the other and held to the rules that the pipeline sets.
//!
//! What breaks a rule is told all at once: who builds a package for minutes wants one list, not the
//! first entry of it.

use super::cut::Cut;
use super::expect;
use super::package;
use crate::config::{Edit, ExpectedType, Pipeline};
use crate::error::{Help, Reason};
use crate::openpgp::Certificate;
use crate::rules::{
    Binary, ElfNames, Finding, InspectedPackage, Installed, Level, Policy, SignatureCheck, Target,
    is_among_symbols, judge, shared_folders,
};
use anyhow::{Result, anyhow, ensure};
use qom_census::{Census, Executable, Qom, executable, is_for_debuggers};
use rpm_inspect::Nevra;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// What only system emulators have. `device` is no sign: the CPUs of user-mode emulators derive from it.
const OF_SYSTEMS: [&str; 3] = ["machine", "pci-device", "sys-bus-device"];
/// What the types of all programs of a package may take, as text: QEMU's largest take 200 KB.
const MOST_TEXT: usize = 32 << 20;
/// A kernel with all its modules has more; nothing that carries a device does, with the symbols of each
/// program in a package beside it.
const MOST_ELF_FILES: usize = 4096;
/// As many as one package may have, of all packages together: what is known of them stays in memory.
const MOST_FILES: usize = rpm_inspect::MOST_FILES;

/// What cannot be read cannot be proven.
const CANNOT: &str = "it cannot be told whether it is an emulator without the device";

/// Reads packages, and requires the expected types of every system emulator in them.
pub struct Reader<'a> {
    expected: &'a [ExpectedType],
    keys: &'a [Certificate],
    /// How long the binaries took.
    pub census: Duration,
    /// How much text the types were so far.
    text: usize,
    /// How many ELF files there were so far.
    elf: usize,
    /// How many files.
    files: usize,
}

impl<'a> Reader<'a> {
    pub fn new(expected: &'a [ExpectedType], keys: &'a [Certificate]) -> Self {
        Self { expected, keys, census: Duration::ZERO, text: 0, elf: 0, files: 0 }
    }

    pub fn read(&mut self, path: &Path) -> Result<InspectedPackage> {
        // Before it is read, while it takes no memory.
        self.files += package::count(path)?;
        ensure!(self.files <= MOST_FILES, anyhow!("with the package `{}` there are more than {MOST_FILES} files, the most that are looked at", path.file_name().unwrap_or_default().display()).help("is it the package with QEMU's binary?"));
        let facts = package::read(path, self.keys, &mut |path, bytes| {
            self.elf += 1;
            ensure!(self.elf <= MOST_ELF_FILES, anyhow!("with it there are more than {MOST_ELF_FILES} ELF files, the most that are looked at").help("is it the package with QEMU's binary?"));
            let began = Instant::now();
            let types = self.types(path, bytes);
            self.census += began.elapsed();
            types
        })?;
        if !self.expected.is_empty() {
            no_short_program(&facts)?;
        }
        Ok(facts)
    }

    /// The types of a program that has some; those that are expected have to be among them where it is
    /// a system emulator. Where types are expected, a program that cannot be read may be a second
    /// emulator without them, and is refused; firmware is ELF too, and is none.
    fn types(&mut self, path: &Path, bytes: &[u8]) -> Result<Option<Qom>> {
        let census = match Census::read(bytes) {
            Ok(census) => census,
            Err(error) if !self.expected.is_empty() && is_long(path, bytes) => {
                return Err(anyhow::Error::from(error).context(CANNOT));
            }
            Err(_) => return Ok(None),
        };
        if census.names().any(|name| OF_SYSTEMS.contains(&name)) {
            self.expected.iter().try_for_each(|expected| expect::check_type(&census, expected))?;
        }
        let qom = census.report();
        self.text += qom.text();
        ensure!(
            self.text <= MOST_TEXT,
            "the types of its programs take more than {MOST_TEXT} bytes to tell"
        );
        Ok((!qom.types.is_empty()).then_some(qom))
    }

    /// Refuses packages without an emulator, where types are expected of one.
    pub fn require_emulator(&self, packages: &[&InspectedPackage]) -> Result<()> {
        if self.expected.is_empty() || packages.iter().any(|facts| emulators(facts).count() > 0) {
            return Ok(());
        }
        let names: Vec<&str> = packages.iter().map(|facts| facts.nevra.as_str()).collect();
        let programs = packages.iter().map(|facts| facts.elf.len()).sum::<usize>();
        Err(anyhow!("no system emulator among the {programs} ELF files of {}", names.join(", "))
            .help("is it the package with QEMU's binary?"))
    }
}

/// Whether a host would run a file, or load it into what it runs. One for debuggers is not asked where it
/// belongs: the rule `unread-program` sees to it that nobody starts it from there.
fn is_long(path: &Path, bytes: &[u8]) -> bool {
    let aside = path.to_str().is_some_and(is_among_symbols) && is_for_debuggers(bytes);
    executable(bytes) == Some(Executable::Elf64) && !aside
}

/// Refuses programs of 32 bits, which hosts of 64 bits start and nothing here reads: one that may be
/// executed, or asks for a loader, as no firmware does. A library of 32 bits, and firmware, pass.
fn no_short_program(facts: &InspectedPackage) -> Result<()> {
    let names = ElfNames::of(facts);
    for file in facts.elf.iter().filter(|file| !names.is_symbols(file)) {
        let Some(Executable::Elf32 { loader }) = file.starts else { continue };
        if loader || names.is_executable(file) {
            return Err(anyhow!(
                "package `{}`: `{}`: {CANNOT}: it is a program of 32 bits",
                facts.nevra,
                file.path.display().to_string().escape_debug()
            )
            .help("leave it out of the package; firmware is not executable"));
        }
    }
    Ok(())
}

/// Refuses two packages of one name, whatever their architectures and versions are: a host installs one of
/// them, and which one that is nobody here decides. The package for dom0 counts too.
pub fn each_name_once(packages: &[InspectedPackage]) -> Result<()> {
    let mut names = BTreeSet::new();
    if let Some(twice) = packages.iter().find(|facts| !names.insert(&facts.id.name)) {
        return Err(anyhow!(
            "two packages are called `{}`, one of them for `{}`",
            twice.id.name,
            twice.id.arch
        )
        .help("one build makes one package of a name: look for the other in the spec"));
    }
    Ok(())
}

/// The programs of a package that run machines, and that a host can start.
pub fn emulators(facts: &InspectedPackage) -> impl Iterator<Item = &Binary> {
    let programs = facts.files.iter().filter(|file| file.is_program());
    let programs: HashSet<&Path> = programs.map(|file| Path::new(&file.path)).collect();
    facts.binaries.iter().filter(move |binary| {
        let of_systems = |name: &str| OF_SYSTEMS.contains(&name);
        binary.qom.types.iter().any(|found| of_systems(&found.name))
            && programs.contains(&*binary.path)
    })
}

/// The build ids of all programs and libraries of a package.
fn build_ids(facts: &InspectedPackage) -> impl Iterator<Item = &str> {
    facts.elf.iter().filter_map(|file| file.info.as_ref()?.build_id.as_deref())
}

/// What a build made, read, and the stock packages to hold it against.
pub struct Judged<'a> {
    pub built: &'a [InspectedPackage],
    /// The package for dom0: it is not the pipeline's own, goes into every dom0, and has its places.
    pub carried: &'a [InspectedPackage],
    pub sources: &'a [InspectedPackage],
    pub stock: &'a [InspectedPackage],
}

/// Holds the packages to the rules: the warnings, by package, where nothing refuses one.
pub fn enforce(
    judged: &Judged,
    pipeline: &Pipeline,
    installed: Option<&Installed>,
) -> Result<BTreeMap<String, Vec<Finding>>> {
    let Judged { built, carried, .. } = judged;
    let verify = &pipeline.verify;
    let paths: Option<Vec<String>> =
        verify.paths.as_ref().map(|paths| paths.iter().map(ToString::to_string).collect());
    let mut refused = Vec::new();
    let mut warnings = BTreeMap::new();
    let build_ids: BTreeSet<&str> = built.iter().chain(*carried).flat_map(build_ids).collect();
    let common = Policy {
        build_ids: Some(&build_ids),
        levels: Some(&verify.rules),
        installed,
        signature: SignatureCheck::Deferred,
        ..Policy::default()
    };
    let every_dom0 = Policy { target: Some(Target::El7), ..common };
    let stock_of: Vec<Option<Nevra>> =
        built.iter().map(|facts| judged.stock_of(facts, pipeline)).collect();
    let shared = shared_folders(judged.stock);
    let ours = stock_of.iter().map(|stock| Policy {
        shared: Some(&shared),
        target: verify.target,
        paths: paths.as_deref(),
        stock: stock.as_ref(),
        siblings: judged.siblings(),
        suffix: suffix(pipeline),
        ..common
    });
    let held = built.iter().zip(ours).chain(carried.iter().map(|facts| (facts, every_dom0)));
    for (facts, policy) in held {
        let findings = judge(facts, &policy);
        let (require, warn): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.level == Level::Require);
        refused.extend(require.into_iter().map(|finding| (facts, policy.target, finding)));
        if !warn.is_empty() {
            warnings.insert(facts.nevra.clone(), warn);
        }
    }
    if !refused.is_empty() {
        return Err(refusal(&refused).into());
    }
    Ok(warnings)
}

impl Judged<'_> {
    /// The package that one of ours is made from: the stock one of its name, or else one that differs by
    /// the suffix that tells ours apart. A package that stock does not have may not overtake either: it has
    /// to fit in between as the others do.
    fn stock_of(&self, facts: &InspectedPackage, pipeline: &Pipeline) -> Option<Nevra> {
        let same = |stock: &&InspectedPackage| stock.id.name == facts.id.name;
        if let Some(stock) = self.stock.iter().find(same).or(self.stock.first()) {
            return Some(Nevra { name: facts.id.name.clone(), ..stock.id.clone() });
        }
        let release = facts.id.release.strip_suffix(suffix(pipeline)?)?.to_owned();
        Some(Nevra { release, ..facts.id.clone() })
    }

    /// What the build's packages agree on, where no stock package says more of each.
    fn siblings(&self) -> Option<&Nevra> {
        self.sources.first().map(|source| &source.id).filter(|_| self.stock.is_empty())
    }
}

/// What the edits end the release of each package with.
fn suffix(pipeline: &Pipeline) -> Option<&str> {
    pipeline.spec.edits.iter().find_map(|edit| match edit {
        Edit::ReleaseSuffix(suffix) => Some(suffix.as_str()),
        _ => None,
    })
}

/// A package that breaks a rule, for which hosts, and how.
type Refused<'a> = (&'a InspectedPackage, Option<Target>, Finding);

/// One line for each finding, as many as anybody reads, and each help once.
fn refusal(refused: &[Refused]) -> Reason {
    let mut lines = Vec::new();
    let mut helps: Vec<String> = Vec::new();
    let mut last = "";
    let mut cut = Cut::default();
    let of_rule = |(facts, _, one): &Refused, (other, _, next): &Refused| {
        (&facts.nevra, one.rule) == (&other.nevra, next.rule)
    };
    for all in refused.chunk_by(of_rule) {
        let (facts, target, finding) = &all[0];
        if last != facts.nevra {
            last = &facts.nevra;
            let target = target.map(|target| format!(" for `{target}`")).unwrap_or_default();
            lines.push(format!("{last} breaks rules of a package{target}:"));
        }
        let what = cut.lines(all, |(_, _, finding)| finding.what.clone());
        lines.extend(what.iter().map(|what| format!("  {}: {what}", finding.rule)));
        let help = format!("{}: {}", finding.rule, finding.help);
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    helps.into_iter().fold(Reason::new(lines.join("\n")), Reason::help)
}

#[cfg(test)]
mod tests;
