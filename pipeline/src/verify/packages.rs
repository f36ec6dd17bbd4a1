//! The packages of a run, read one after the other and held to the rules that the pipeline sets.
//!
//! What breaks a rule is told all at once: who builds a package for minutes wants one list, not the
//! first entry of it.

use super::elf::{Census, QomType};
use super::expect;
use super::rpm::{self, Finding, Installed, PackageFacts, Policy, Signing};
use crate::config::{Edit, ExpectedType, Level, Pipeline, Target};
use crate::openpgp::Certificate;
use crate::rpmfile::Nevra;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// The type that every device derives from: who has it can have devices, and qemu-img, which has
/// other types, cannot.
const DEVICE: &str = "device";

/// Reads a package and demands the expected types of every system emulator in it.
pub fn read(path: &Path, expected: &[ExpectedType], keys: &[Certificate]) -> Result<PackageFacts> {
    rpm::read(path, keys, &mut |_, content| emulator(content, expected))
}

/// The expected types of a system emulator; nothing of another program. That it cannot be read is
/// told where an emulator is missed.
fn emulator(image: &[u8], expected: &[ExpectedType]) -> Result<Option<Vec<QomType>>> {
    let Ok(census) = Census::read(image) else { return Ok(None) };
    if !census.names().any(|name| name == DEVICE) {
        return Ok(None);
    }
    expected.iter().map(|expected| expect(&census, expected)).collect::<Result<_>>().map(Some)
}

pub fn no_emulator(packages: &[&PackageFacts]) -> String {
    let names: Vec<&str> = packages.iter().map(|facts| facts.nevra.as_str()).collect();
    let programs = packages.iter().map(|facts| facts.elf.len()).sum::<usize>();
    format!(
        "no system emulator among the {programs} ELF files of {}\n\
         help: is it the package with QEMU's binary?",
        names.join(", ")
    )
}

/// Holds the packages to the rules: the warnings, by package, where nothing refuses one.
pub fn hold(
    packages: &[PackageFacts],
    pipeline: &Pipeline,
    beside: &Path,
) -> Result<BTreeMap<String, Vec<Finding>>> {
    let verify = &pipeline.verify;
    let installed = match &verify.installed {
        Some(list) => Some(Installed::read(&beside.join(list)).context("`verify.installed`")?),
        None => None,
    };
    let paths: Option<Vec<String>> =
        verify.paths.as_ref().map(|paths| paths.iter().map(ToString::to_string).collect());
    let mut refused = Vec::new();
    let mut warnings = BTreeMap::new();
    for facts in packages {
        let stock = stock(facts, pipeline);
        let policy = Policy {
            target: verify.target,
            rules: Some(&verify.rules),
            paths: paths.as_deref(),
            installed: installed.as_ref(),
            stock: stock.as_ref(),
            signing: Signing::ToCome,
        };
        // The package for dom0 is not the pipeline's own: it goes into every dom0, and has its places.
        let carried = pipeline.wrapper.is_some() && facts.binaries.is_empty() && is_for_all(facts);
        let policy = if carried {
            Policy { target: Some(Target::El7), paths: None, stock: None, ..policy }
        } else {
            policy
        };
        let findings = rpm::judge(facts, &policy);
        let (require, warn): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.level == Level::Require);
        refused.extend(require.into_iter().map(|finding| (facts, policy.target, finding)));
        if !warn.is_empty() {
            warnings.insert(facts.nevra.clone(), warn);
        }
    }
    if !refused.is_empty() {
        bail!("{}", refusal(&refused));
    }
    Ok(warnings)
}

fn is_for_all(facts: &PackageFacts) -> bool {
    facts.id.arch == "noarch"
}

/// The package that ours is made from, by the suffix that tells them apart.
fn stock(facts: &PackageFacts, pipeline: &Pipeline) -> Option<Nevra> {
    let suffix = pipeline.spec.edits.iter().find_map(|edit| match edit {
        Edit::ReleaseSuffix(suffix) => Some(suffix.as_str()),
        _ => None,
    })?;
    let release = facts.id.release.strip_suffix(suffix)?.to_owned();
    Some(Nevra { release, ..facts.id.clone() })
}

/// One line for each finding, and each help once.
fn refusal(refused: &[(&PackageFacts, Option<Target>, Finding)]) -> String {
    let mut lines = Vec::new();
    let mut helps: Vec<String> = Vec::new();
    let mut last = "";
    for (facts, target, finding) in refused {
        if last != facts.nevra {
            last = &facts.nevra;
            let target = target.map(|target| format!(" for `{target}`")).unwrap_or_default();
            lines.push(format!("{last} breaks rules of a package{target}:"));
        }
        lines.push(format!("  {}: {}", finding.rule, finding.what));
        let help = format!("help: {}: {}", finding.rule, finding.help);
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    lines.extend(helps);
    lines.join("\n")
}
