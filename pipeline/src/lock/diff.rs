// SPDX-License-Identifier: GPL-2.0-or-later
//! Two locks side by side.

use crate::config::{Lock, LockedPackage};
use rpm_inspect::Evr;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is other in the new lock, a line each; nothing where they are the same.
pub fn between(old: Option<&Lock>, new: &Lock) -> Vec<String> {
    let Some(old) = old else {
        let (id, packages) = (&new.image.id, new.packages.len());
        return vec![format!("new       {} as {id}, {packages} packages", new.image.reference)];
    };
    let mut lines = Vec::new();
    if old.image != new.image {
        let (before, after) = (&old.image, &new.image);
        lines.push(format!("image     {} {}", before.reference, before.digest));
        lines.push(format!("       -> {} {}", after.reference, after.digest));
    }
    for key in &new.keys {
        if !old.keys.iter().any(|known| known.fingerprint == key.fingerprint) {
            lines.push(format!("key       {} is new", key.fingerprint));
        }
    }
    let (before, after) = (by_name(old), by_name(new));
    for (name, package) in &after {
        match before.get(name) {
            None => lines.push(format!("added     {}", package.nevra)),
            Some(known) if known.nevra != package.nevra => {
                lines.push(match order(known, package) {
                    Ordering::Greater => format!(
                        "OLDER     {} -> {} is a step back: withdrawn upstream, or somebody serves \
                         what has known holes",
                        known.nevra, package.nevra
                    ),
                    Ordering::Less | Ordering::Equal => {
                        format!("changed   {} -> {}", known.nevra, package.nevra)
                    }
                });
            }
            Some(known) if known.sha256 != package.sha256 => lines.push(format!(
                "OTHER     {} has other bytes under the same version: signed again, or altered",
                package.nevra
            )),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    lines.extend(gone.map(|(_, package)| format!("removed   {}", package.nevra)));
    if lines.is_empty() && old != new {
        lines.push("changed   what is declared, or where packages come from".to_owned());
    }
    lines
}

/// By name and architecture: a package may be there for two of them.
fn by_name(lock: &Lock) -> BTreeMap<(&str, &str), &LockedPackage> {
    lock.packages.iter().map(|package| ((package.name(), package.arch()), package)).collect()
}

/// By rpm's order of epoch, version and release.
fn order(one: &LockedPackage, other: &LockedPackage) -> Ordering {
    evr(one).cmp(&evr(other))
}

fn evr(package: &LockedPackage) -> Option<Evr<'_>> {
    let rest = package.nevra.strip_prefix(package.name()).unwrap_or_default();
    let rest = rest.strip_prefix('-').unwrap_or_default();
    let rest = rest.rsplit_once('.').map_or(rest, |(rest, _)| rest);
    Evr::parse(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(nevras: &[&str]) -> Lock {
        let digest = format!("sha256:{}", "a".repeat(64));
        let packages = nevras.iter().fold(String::new(), |all, nevra| {
            let (sha256, key) = ("b".repeat(64), "C".repeat(40));
            format!(
                "{all}- {{ nevra: '{nevra}', url: 'https://h/{nevra}.rpm', size: 1, \
                 sha256: {sha256}, key: {key} }}\n"
            )
        });
        serde_yaml::from_str(&format!("version: 1\ndeclaration: {{ reference: 'h/c:7', repositories: [], packages: [] }}\n\
             image: {{ reference: 'h/c:7', digest: '{digest}', id: '{digest}' }}\nkeys: []\npackages:\n{packages}")).unwrap()
    }

    #[test]
    fn a_step_back_is_called_one_by_rpms_order() {
        for (old, new, expected) in [
            ("a-1.9-1.x86_64", "a-1.10-1.x86_64", "changed   "),
            ("a-1.10-1.x86_64", "a-1.9-1.x86_64", "OLDER     "),
            ("a-1:1.0-1.x86_64", "a-2.0-1.x86_64", "OLDER     "),
            ("a-2.0-1.x86_64", "a-1:1.0-1.x86_64", "changed   "),
            ("a-0:1.0-2.x86_64", "a-1.0-10.x86_64", "changed   "),
            ("a-1.0-10.el7.x86_64", "a-1.0-2.el7.x86_64", "OLDER     "),
            ("a-1.0-1.x86_64", "a-1.0~rc1-1.x86_64", "OLDER     "),
            ("a-1.0-1.x86_64", "a-1.0^git1-1.x86_64", "changed   "),
            ("a-b-1.0-2.noarch", "a-b-1.0-1.noarch", "OLDER     "),
        ] {
            let lines = between(Some(&lock(&[old])), &lock(&[new]));
            let [line] = &lines[..] else { panic!("{lines:?}") };
            assert!(line.starts_with(&format!("{expected}{old} -> {new}")), "{line}");
        }
    }
}
