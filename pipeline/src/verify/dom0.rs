// SPDX-License-Identifier: GPL-2.0-or-later
//! What goes into a dom0 beside QEMU: the package fits every dom0 and keeps to itself, and the patched
//! qemu-wrapper is the vendor's but for the device's lines.

use crate::config::{Integration, Wrapper};
use crate::dom0::{BEGIN, END, ServedDevices, is_package_of, package_name};
use crate::rules::InspectedPackage;
use anyhow::{Context, Result, bail, ensure};
use rpm_inspect::FileEntry;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the package may have files, besides `/usr/sbin/qemu-device*`.
const OURS: [&str; 6] = [
    "/etc/qemu-device",
    "/etc/xenopsd.conf.d/qemu-device.conf",
    "/usr/lib/qemu-device",
    "/usr/libexec/qemu-device",
    "/usr/share/doc/qemu-device",
    "/usr/share/bash-completion/completions/qemu-device",
];
const DROP_IN: &str = OURS[1];

/// What it may require. Anything else, our QEMU above all, would make yum fail a host's whole update on
/// the day when that package is replaced.
const REQUIRES: [&str; 5] =
    ["/bin/sh", "/usr/bin/python2", "/usr/bin/python3", "config(", "rpmlib("];

/// What it asks of its package besides the rules for `el7`, which every package is held to.
pub fn check(
    patched: &Path,
    wrapper: &Wrapper,
    served: &ServedDevices,
    (file, package): (&PathBuf, &InspectedPackage),
) -> Result<()> {
    header(package, wrapper)?;
    files(&package.files, wrapper.integration)?;
    let ours = is_package_of(wrapper, served, file)?;
    ensure!(ours, "the package for dom0 is not what this program makes");
    let text = fs::read_to_string(patched).context("the patched qemu-wrapper")?;
    let genuine = without_ours(&text)?;
    let found = format!("{:x}", Sha256::digest(genuine));
    if found != wrapper.shipped().as_str() {
        bail!("the patched qemu-wrapper differs from the vendor's beyond the device's lines");
    }
    Ok(())
}

fn header(package: &InspectedPackage, wrapper: &Wrapper) -> Result<()> {
    let (name, expected) = (&package.id.name, package_name(wrapper));
    if package.id.arch != "noarch" || name != expected {
        bail!("the package for dom0 is `{name}` and not `{expected}` for every machine");
    }
    let foreign =
        package.requires.iter().find(|one| !REQUIRES.iter().any(|known| one.starts_with(known)));
    if let Some(foreign) = foreign {
        bail!("the package for dom0 requires `{foreign}`, which an update may take away");
    }
    Ok(())
}

fn files(files: &[FileEntry], integration: Integration) -> Result<()> {
    for file in files {
        let path = Path::new(&file.path);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let program =
            path.parent() == Some(Path::new("/usr/sbin")) && name.starts_with("qemu-device");
        if !program && !OURS.iter().any(|place| path.starts_with(place)) {
            bail!("the package for dom0 has `{}`, which is not its own", file.path);
        }
        // The rules let a group write.
        ensure!(
            file.mode & 0o7022 == 0,
            "`{}` of the package for dom0 is not root's alone to change",
            file.path
        );
    }
    let drop_in = files.iter().find(|file| file.path == DROP_IN);
    // rpm would leave a `.rpmsave` beside it, which xenopsd would read.
    let config = drop_in.is_some_and(|file| file.has("config"));
    ensure!(!config, "`{DROP_IN}` must not be %config");
    if drop_in.is_some() != (integration == Integration::DropIn) {
        bail!("the package for dom0 does not fit `wrapper.integration`");
    }
    Ok(())
}

/// A patched wrapper with our lines taken out, by a reading of its own.
fn without_ours(text: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |wanted: &dyn Fn(&str) -> bool| {
        let found: Vec<usize> =
            (0..lines.len()).filter(|index| wanted(lines[*index].trim())).collect();
        match found[..] {
            [index] => Ok(index),
            _ => bail!("the patched qemu-wrapper has our lines {} times, not once", found.len()),
        }
    };
    let begin = at(&|line| line.starts_with(BEGIN))?;
    let end = at(&|line| line == END)?;
    ensure!(begin < end, "the end of our lines stands before their beginning");
    Ok([&lines[..begin], &lines[end + 1..]].concat().concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_lines_are_taken_out_and_nothing_else() {
        let text = "a\n    # qemu-device begin, version 1\n    x\n    # qemu-device end\n  b\n";
        assert_eq!(without_ours(text).unwrap(), "a\n  b\n");
        for broken in ["a\n", "# qemu-device end\n# qemu-device begin, v\n", &text.repeat(2)] {
            assert!(without_ours(broken).is_err(), "{broken}");
        }
    }
}
