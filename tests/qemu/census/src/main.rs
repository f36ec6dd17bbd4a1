// SPDX-License-Identifier: GPL-2.0-or-later
//! Holds the census against two truths, for any QEMU binary.
//!
//!     census BINARY…                     against what the binary says of itself over QMP
//!     census --dwarf UNSTRIPPED STRIPPED against the variables of type `TypeInfo`
//!
//! The first prints a table in Markdown. It fails where the census claims a type that the binary
//! does not know and for which it names no condition; where the parent of one is another; and where
//! a property of a device is not there, or of another kind. A binary for another machine is run by
//! the command in `CENSUS_RUN`, to which the path is added: `CENSUS_RUN="chroot ROOT"` runs
//! `/usr/bin/…` of a root filesystem, and `CENSUS_ROOT=ROOT` says where its files are.

mod dwarf;
mod qmp;

use anyhow::{Context, Result, bail};
use qmp::Truth;
use qom_census::{Census, Qom, QomType};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["--dwarf", unstripped, stripped] => against_dwarf(unstripped, stripped),
        [] | ["--help"] => {
            Err(anyhow::anyhow!("usage: census BINARY… | --dwarf UNSTRIPPED STRIPPED"))
        }
        binaries => against_binaries(binaries),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> Result<Qom> {
    let file = fs::read(path).with_context(|| format!("`{path}`"))?;
    Census::read(&file).map(Census::report).with_context(|| format!("`{path}`"))
}

fn against_dwarf(unstripped: &str, stripped: &str) -> Result<()> {
    let known: HashSet<String> =
        read(stripped)?.types.into_iter().map(|type_| type_.name).collect();
    let variables = dwarf::names(&fs::read(unstripped)?).with_context(|| unstripped.to_owned())?;
    let missing: Vec<&String> = variables.iter().filter(|name| !known.contains(*name)).collect();
    println!("{} of {} types found", variables.len() - missing.len(), variables.len());
    if !missing.is_empty() {
        bail!("`{stripped}` has types that the census did not find: {missing:?}");
    }
    Ok(())
}

fn against_binaries(binaries: &[&str]) -> Result<()> {
    println!(
        "| binary | types at run time | found | of those in families | false | \
         only under a condition | in modules | not found | properties right | \
         tables not settled |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    let mut wrong = Vec::new();
    for binary in binaries {
        wrong.extend(one(binary).with_context(|| format!("`{binary}`"))?);
    }
    if !wrong.is_empty() {
        bail!("the census is wrong:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// Prints the row of one binary, and returns what is wrong.
fn one(binary: &str) -> Result<Vec<String>> {
    let root = std::env::var("CENSUS_ROOT").unwrap_or_default();
    let path = format!("{root}{binary}");
    let census = read(&path)?;
    let truth = qmp::ask(binary)?;

    let types: BTreeMap<&str, &QomType> =
        census.types.iter().map(|type_| (type_.name.as_str(), type_)).collect();
    let of_modules: HashSet<&str> =
        census.modules.iter().flat_map(|module| &module.types).map(String::as_str).collect();
    let found: Vec<&&QomType> =
        types.values().filter(|type_| truth.types.contains_key(&type_.name)).collect();
    let missing: Vec<&String> =
        truth.types.keys().filter(|name| !types.contains_key(name.as_str())).collect();
    let in_modules = missing.iter().filter(|name| of_modules.contains(name.as_str())).count();
    let claimed = || types.values().filter(|type_| !truth.types.contains_key(&type_.name));

    let mut wrong = Vec::new();
    for type_ in claimed().filter(|type_| type_.conditional.is_none()) {
        wrong.push(format!("`{}` is not known to `{binary}`", type_.name));
    }
    for type_ in found.iter().filter(|type_| type_.conditional.is_none()) {
        // Older versions do not tell.
        match truth.types.get(&type_.name) {
            Some(Some(parent)) if *parent != type_.parent => {
                let name = &type_.name;
                wrong.push(format!("`{name}` derives from `{parent}`, not `{}`", type_.parent));
            }
            _ => {}
        }
    }
    let false_ones = wrong.len();
    let (held, failed) = properties(&types, &truth);
    wrong.extend(failed);
    let families = found.iter().filter(|type_| type_.family.is_some()).count();
    let open = found.iter().filter(|type_| type_.properties.is_none()).count();
    println!(
        "| `{}` {} | {} | {} ({:.1} %) | {} | {} | {} | {} | {} | {held} | {open} |",
        binary.rsplit('/').next().unwrap_or_default(),
        truth.version,
        truth.types.len(),
        found.len(),
        percent(found.len(), truth.types.len()),
        families,
        false_ones,
        claimed().filter(|type_| type_.conditional.is_some()).count(),
        in_modules,
        missing.len() - in_modules,
    );
    let shown = missing.iter().filter(|name| !of_modules.contains(name.as_str()));
    let shown: Vec<&str> = shown.map(|name| name.as_str()).collect();
    if !shown.is_empty() {
        eprintln!("{binary}: not found: {}", shown.join(" "));
    }
    Ok(wrong)
}

fn percent(part: usize, whole: usize) -> f64 {
    let [part, whole] =
        [part, whole].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    part * 100.0 / whole
}

/// How many properties of devices the binary has as the census says, and what is wrong.
fn properties(types: &BTreeMap<&str, &QomType>, truth: &Truth) -> (usize, Vec<String>) {
    let (mut held, mut wrong) = (0, Vec::new());
    for (device, present) in &truth.properties {
        let Some(type_) = types.get(device.as_str()) else { continue };
        let present: &HashMap<String, String> = present;
        // QMP does not list those.
        let listed = type_.properties.iter().flatten().filter(|p| !p.name.starts_with("legacy-"));
        for property in listed {
            match (present.get(&property.name), &property.kind) {
                (None, _) => wrong.push(format!("`{device}` has no property `{}`", property.name)),
                (Some(kind), Some(claimed)) if kind != claimed => wrong.push(format!(
                    "`{}` of `{device}` is of kind `{kind}`, not `{claimed}`",
                    property.name
                )),
                _ => held += 1,
            }
        }
    }
    (held, wrong)
}
