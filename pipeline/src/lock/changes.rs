//! Two locks side by side.

use crate::config::{Lock, LockedPackage};
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
                lines.push(format!("changed   {} -> {}", known.nevra, package.nevra));
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
