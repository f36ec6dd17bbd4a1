// SPDX-License-Identifier: GPL-2.0-or-later
//! The packages that rpmbuild left: what each is and what it is called stands in its header, and not
//! in the folder or the name that the build gave it.

use super::{Folder, Limits, shown};
use crate::error::Help;
use crate::package_file;
use anyhow::{Context, Result, bail, ensure};
use rpm_inspect::Kind;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The folders of a build, and of what is taken of it.
const RPMS: &str = "RPMS";
const SRPMS: &str = "SRPMS";

/// Ten times the packages of QEMU in a distribution, in folders by architecture; what rpm 4.11 can sign.
const LIMITS: Limits = Limits { entries: 1000, depth: 1, bytes: u32::MAX as u64 };
/// All packages together.
const MOST_BYTES: u64 = 8 << 30;
/// What a file's name may have (`NAME_MAX`).
const LONGEST_NAME: usize = 255;

/// A package that was copied and read.
struct Taken {
    /// Where the build left it, for messages.
    left_as: String,
    kind: Kind,
    /// The source package's file, as a binary package names it.
    source: Option<String>,
}

/// Takes the packages in the folders `RPMS` and `SRPMS` of a build into those of `to`: binary and source
/// packages as their headers have it, under the names that their headers give.
pub fn packages(top: &Path, to: &Path) -> Result<()> {
    for folder in [RPMS, SRPMS] {
        fs::create_dir(to.join(folder))?;
    }
    let mut taken: BTreeMap<String, Taken> = BTreeMap::new();
    let mut bytes = 0;
    for name in [RPMS, SRPMS] {
        let folder = Folder::open(&top.join(name), name, LIMITS)?;
        for path in folder.files()? {
            let left_as = format!("{name}/{}", shown(&path));
            let copy = to.join("incoming");
            bytes += folder.take(&path, &copy, false)?.size;
            ensure!(bytes <= MOST_BYTES, "the packages have more than {MOST_BYTES} bytes together");
            let (file_name, package) = read(&copy, left_as.clone())
                .with_context(|| format!("`{left_as}` is no package that can leave a build"))
                .with_help(|| {
                    format!(
                        "nothing else belongs in `{RPMS}` and `{SRPMS}`: look for it in the spec"
                    )
                })?;
            let folder = if package.kind == Kind::Source { SRPMS } else { RPMS };
            fs::rename(&copy, to.join(folder).join(&file_name))?;
            if let Some(other) = taken.insert(file_name.clone(), package) {
                bail!("`{}` and `{left_as}` are both called `{file_name}`", other.left_as);
            }
        }
    }
    of_one_source(&taken)
}

/// What a package is called, as a file of a repository.
fn read(copy: &Path, left_as: String) -> Result<(String, Taken)> {
    let file = package_file::open(copy)?;
    let (kind, id) = (file.kind()?, file.nevra()?);
    let name = format!("{}-{}-{}.{}.rpm", id.name, id.version, id.release, id.arch);
    ensure!(name.len() <= LONGEST_NAME, "its name has {} bytes", name.len());
    ensure!(kind == Kind::Source || id.arch != "src", "a binary package of the architecture `src`");
    Ok((name, Taken { left_as, kind, source: file.source_package()?.map(str::to_owned) }))
}

/// One build makes one source package, and everything else out of it.
fn of_one_source(taken: &BTreeMap<String, Taken>) -> Result<()> {
    let is_source = |(_, package): &(&String, &Taken)| package.kind == Kind::Source;
    let (sources, binaries): (Vec<_>, Vec<_>) = taken.iter().partition(is_source);
    let [(source, _)] = sources[..] else {
        let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
        bail!("the build left {} source packages, not one: {}", names.len(), names.join(", "));
    };
    for (name, package) in binaries {
        let from = package.source.as_deref().unwrap_or_default();
        // So it is called where a source is left out of it (`NoSource`).
        let same =
            from == source || from.strip_suffix(".nosrc.rpm") == source.strip_suffix(".src.rpm");
        ensure!(
            same,
            "`{name}` says that it was built from `{}`, and this build's source package is `{source}`",
            shown(Path::new(from))
        );
    }
    Ok(())
}
