// SPDX-License-Identifier: GPL-2.0-or-later
//! The lines of %prep that put a device into QEMU's tree.
//!
//! They run in the tree's top under `sh -e` of any kind and age, and find out there how this
//! version of QEMU registers: by `Makefile.objs` up to 5.1, by `meson.build` after, whose set of
//! sources was renamed around 8.1. A `%` would be a macro's to rpm, so they do without. What comes
//! from the pipeline file consists of characters that need no quoting anywhere.

use crate::config::{Device, FileName};
use crate::error::Help;
use anyhow::{Context, Result};

/// The lines for `device`, whose file the spec declares as the source `number`.
pub fn lines(device: &Device, number: u32) -> Result<Vec<String>> {
    let name = device.qom_type.as_str();
    let file = device.file_name();
    let stem = stem(file)
        .with_context(|| {
            format!("`{file}` of the device `{name}` is not the plain name of a C file")
        })
        .help("letters, digits, `_`, `.`, `+`, `~` and `-`, ending in `.c`")?;
    let (folder, condition) = (device.directory.as_str(), device.condition.as_str());
    let (makefile, meson) = (format!("{folder}/Makefile.objs"), format!("{folder}/meson.build"));
    let addition = format!("$qemu_ss.add(when: '{condition}', if_true: files('{file}'))");
    let target = format!("{folder}/{file}");
    // A line break comes first in what is appended: the file may end without one.
    let mut lines = vec![
        format!(
            "# the device {name}: copied in, and registered the way this tree registers its own"
        ),
        format!("if [ -e {target} ]; then"),
        format!("  echo \"{name}: this tree has a {target} of its own\" >&2"),
        "  exit 1".to_owned(),
        "fi".to_owned(),
    ];
    lines.extend(copy(device, number, &target));
    lines.extend([
        format!("if [ -f {makefile} ]; then"),
        format!("  printf '\\ncommon-obj-$({condition}) += {stem}.o\\n' >> {makefile}"),
        "elif qemu_ss=$(sed -n -e '/^softmmu_ss[.]add(/{s/[.].*//p;q;}' \\".to_owned(),
        format!("    -e '/^system_ss[.]add(/{{s/[.].*//p;q;}}' {meson} | grep .); then"),
        format!("  printf \"\\n{addition}\\n\" >> {meson}"),
        "else".to_owned(),
        format!("  echo \"{name}: {folder} has no Makefile.objs, and no meson.build that\" \\"),
        "    \"adds to softmmu_ss or system_ss; the device cannot be registered\" >&2".to_owned(),
        "  exit 1".to_owned(),
        "fi".to_owned(),
    ]);
    Ok(lines)
}

/// The file as it is, or behind its defines: those hold for both ways of registering, and for this
/// file alone. `#line` gives what follows the numbers that its author knows.
fn copy(device: &Device, number: u32, target: &str) -> Vec<String> {
    let source = format!("\"%{{SOURCE{number}}}\"");
    if device.defines.is_empty() {
        return vec![format!("cp -p {source} {target}")];
    }
    let mut lines = vec!["{".to_owned()];
    let defines = device.defines.iter();
    lines.extend(defines.map(|(name, value)| format!("  echo '#define {name} {value}'")));
    lines.push("  echo '#line 1'".to_owned());
    lines.push(format!("  cat {source}"));
    lines.push(format!("}} > {target}"));
    lines
}

/// The name without `.c`.
fn stem(file: &str) -> Option<&str> {
    let plain = FileName::try_from(file.to_owned()).is_ok();
    file.strip_suffix(".c").filter(|stem| plain && !stem.is_empty())
}
