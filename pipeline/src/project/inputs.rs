// SPDX-License-Identifier: GPL-2.0-or-later
//! What a pipeline reads of this machine besides itself: read once, looked at before any work.

use super::{LockState, Project};
use crate::config::{self, LocalFile, LocalRole, Mistakes, Pipeline, Unusable};
use crate::error::{Help, Reason};
use crate::files;
use crate::text;
use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};

/// The local inputs of a pipeline.
pub struct Inputs {
    /// The text of the Containerfile, which may be another by the time that its stage comes.
    pub containerfile: String,
    /// The spec, unless it comes with the git source.
    pub spec: Option<Vec<u8>>,
    /// Each device's C file, in the pipeline's order.
    pub devices: Vec<DeviceFile>,
    /// The list of what the hosts have, where the pipeline names one.
    pub installed: Option<String>,
    pub lock: LockState,
}

/// A device's C file: where it is, and its bytes.
pub struct DeviceFile {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl Inputs {
    pub fn read(project: &Project) -> Result<Self> {
        let Project { pipeline, base_dir, text, file, .. } = project;
        let shown = file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        refuse_unusable(pipeline, text, &shown, base_dir, |_| true)?;
        let path = files::join(base_dir, &pipeline.environment.containerfile);
        let containerfile = files::read_text(&path, &files::CONTAINERFILE)?;
        let mut devices = Vec::new();
        for device in &pipeline.device {
            let path = files::join(base_dir, &device.source);
            let bytes = files::read_any_text(&path, &files::DEVICE)
                .and_then(|bytes| refuse_no_device(bytes, &path.display().to_string()));
            let bytes = bytes.with_context(|| format!("source of device `{}`", device.qom_type))?;
            devices.push(DeviceFile { path, bytes });
        }
        let installed = pipeline.verify.installed.as_ref();
        let installed = installed.map(|file| {
            files::read_text(&files::join(base_dir, file), &files::INSTALLED)
                .context("`verify.installed`")
        });
        Ok(Self {
            containerfile,
            spec: project.local_spec()?,
            devices,
            installed: installed.transpose()?,
            lock: project.lock_state()?,
        })
    }
}

/// Refuses a pipeline that names files which cannot be used, all in one message. `which` are looked at.
pub fn refuse_unusable(
    pipeline: &Pipeline,
    text: &str,
    shown: &str,
    base_dir: &Path,
    which: impl Fn(&LocalFile) -> bool,
) -> Result<(), Mistakes> {
    let look = |it: &LocalFile| {
        let path = files::join(base_dir, it.file);
        let error = files::look(&path, kind(it.role)).err()?;
        let Reason { message, mut helps } = Reason::of(&error);
        let help = helps.pop().or_else(|| what_is_there(&path));
        Some(it.unusable(message, help))
    };
    let unusable: Vec<Unusable> =
        pipeline.local_files().iter().filter(|it| which(it)).filter_map(look).collect();
    if unusable.is_empty() {
        return Ok(());
    }
    Err(config::unusable_files(text, shown, unusable))
}

/// What to try where a file is not there.
fn what_is_there(path: &Path) -> Option<String> {
    if path.symlink_metadata().is_ok() {
        return None;
    }
    let Ok(entries) = std::fs::read_dir(path.parent()?) else {
        return Some("a path starts from the folder of the pipeline file".to_owned());
    };
    let names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let name = path.file_name()?.to_str()?;
    let near = config::nearest(name, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{}`?", text::excerpt(near)))
}

fn kind(role: LocalRole) -> &'static files::Kind {
    match role {
        LocalRole::Source => &files::SOURCE,
        LocalRole::Containerfile => &files::CONTAINERFILE,
        LocalRole::Device => &files::DEVICE,
        LocalRole::Spec => &files::SPEC,
        LocalRole::VendorWrapper => &files::WRAPPER,
        LocalRole::Contract => &files::CONTRACT,
        LocalRole::Installed => &files::INSTALLED,
    }
}

/// Refuses a file that cannot be a device's: a compiler shows the lines that it stumbles over, and what was
/// named in a source's place may be a secret that looks like none. Nothing in QEMU can be declared, and no
/// type registered, without its headers.
fn refuse_no_device(bytes: Vec<u8>, display_name: &str) -> Result<Vec<u8>> {
    let includes = |line: &[u8]| {
        let rest = line.trim_ascii().strip_prefix(b"#").map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| rest.starts_with(b"include"))
    };
    if !bytes.split(|byte| *byte == b'\n').any(includes) {
        return Err(anyhow!(
            "`{display_name}` has no `#include`, so it is no device, and nothing of it is shown"
        )
        .help("`device.source` names the C file, which begins with `#include \"qemu/osdep.h\"`"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::render;

    #[test]
    fn a_device_is_c_of_qemus_or_is_not_shown() {
        for text in [
            "CANARY\n",
            "",
            "int CANARY;\n",
            "// #include CANARY\n",
            "- include: CANARY\n",
            "#define CANARY 1\n",
            "include CANARY\n",
        ] {
            let error = render(&refuse_no_device(text.into(), "key").unwrap_err());
            assert!(error.starts_with("`key` has no `#include`, so it is no device"), "{error}");
            assert!(error.contains("\nhelp: ") && !error.contains("CANARY"), "{error}");
        }
        for text in [
            "#include \"qemu/osdep.h\"\n",
            "/* é */\r\n  #  include <a>\r\n",
            "#include_next <a>",
            include_str!("../../../device/vgpu-stub.c"),
        ] {
            refuse_no_device(text.into(), "a.c").unwrap();
        }
    }
}
