// SPDX-License-Identifier: GPL-2.0-or-later
//! A first device of somebody's own: its C file, its contract, and a pipeline that names both.

use crate::config::{self, QomType};
use crate::error::Help;
use crate::project::{CARRIED, DEFAULT};
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const DEVICE: &str = include_str!("device.c");
const CONTRACT: &str = include_str!("contract.yaml");
/// The longest name: it is in the name of a package's file, and in lines of a host's log.
const LONGEST: usize = 40;

/// A distribution that a device can be built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Workstation,
    XcpNg83,
    XcpNg9Dev,
}

impl Target {
    /// The name of the pipeline that a new one is made from.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workstation => "workstation",
            Self::XcpNg83 => "xcp-ng-8.3",
            Self::XcpNg9Dev => "xcp-ng-9-dev",
        }
    }

    fn pipeline(self) -> &'static str {
        match self {
            Self::Workstation => include_str!("../../workstation.yaml"),
            Self::XcpNg83 => include_str!("../../xcp-ng-8.3.yaml"),
            Self::XcpNg9Dev => include_str!("../../xcp-ng-9-dev.yaml"),
        }
    }

    /// What its pipeline names besides the device, by the place in a tree.
    fn needed(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Workstation => {
                // But for the device, its contract and the pipeline itself.
                let own = |name: &str| name.contains("vgpu-stub") || name == DEFAULT;
                CARRIED.iter().copied().filter(|(name, _)| !own(name)).collect()
            }
            Self::XcpNg83 | Self::XcpNg9Dev => vec![(
                "containers/xcp-ng-8.3.Containerfile",
                include_str!("../../../containers/xcp-ng-8.3.Containerfile"),
            )],
        }
    }

    /// What a pipeline of a device for it is called.
    fn product(self, device: &str) -> String {
        match self {
            Self::Workstation => device.to_owned(),
            Self::XcpNg83 | Self::XcpNg9Dev => format!("{device}-{}", self.name()),
        }
    }

    /// Whether its environment has to be locked before a run.
    pub fn wants_lock(self) -> bool {
        self != Self::Workstation
    }
}

/// What was written, and what was there before.
#[derive(Debug)]
pub struct Written {
    pub files: Vec<PathBuf>,
    pub kept: Vec<PathBuf>,
    pub pipeline: PathBuf,
}

/// Writes the files of a device into a folder; none where one of them would take another's place.
pub fn write(name: &str, target: Target, folder: &Path) -> Result<Written> {
    let name = name_of(name)?;
    let pipeline = Path::new("pipeline").join(format!("{}.yaml", target.product(&name)));
    let device = [
        (Path::new("device").join(format!("{name}.c")), filled(DEVICE, &name)),
        (Path::new("device").join(format!("{name}.yaml")), filled(CONTRACT, &name)),
    ];
    let there = |path: &Path| fs::symlink_metadata(folder.join(path)).is_ok();
    if there(&pipeline) {
        return Err(taken(&pipeline));
    }
    // A device that somebody has worked on gets a pipeline for another distribution.
    let kept: Vec<PathBuf> =
        device.iter().map(|(path, _)| path.clone()).filter(|path| there(path)).collect();
    if kept.len() == 1 {
        return Err(taken(&kept[0]));
    }
    let needed = target.needed().into_iter().map(|(path, text)| (path.into(), text.to_owned()));
    let own = device.into_iter().filter(|_| kept.is_empty());
    let text = pipeline_of(&name, target)?;
    let files = needed.filter(|(path, _): &(PathBuf, _)| !there(path)).chain(own);
    let files: BTreeMap<PathBuf, String> = files.chain([(pipeline.clone(), text)]).collect();
    let mut written = Vec::new();
    for (path, text) in &files {
        if let Err(error) = put(&folder.join(path), text) {
            for path in &written {
                let _ = fs::remove_file(folder.join(path));
            }
            return Err(error);
        }
        written.push(path.clone());
    }
    Ok(Written { files: written, kept, pipeline })
}

fn taken(path: &Path) -> anyhow::Error {
    anyhow!("`{}` is there already", path.display())
        .help("`init` writes over nothing: give the device another name, or move that away")
}

/// Writes a file that is not there yet, whole or not at all.
fn put(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)?;
    let mut file = match fs::File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(path)),
        other => other?,
    };
    let whole = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    whole.inspect_err(|_| {
        let _ = fs::remove_file(path);
    })?;
    Ok(())
}

/// A name that can be a type, a platform key and a word of C.
fn name_of(name: &str) -> Result<String> {
    let help =
        "such as `my-device`: letters, digits and `-`, as it will stand in `qemu-device attach`";
    let known = QomType::try_from(name.to_owned()).map_err(|why| anyhow!(why).help(help))?;
    // `-device help` is a question.
    if name == "help" || known.as_str().contains('.') || name.ends_with('-') || name.contains("--")
    {
        return Err(anyhow!("`{name}` cannot be the name of a device").help(help));
    }
    if config::is_platform_key(name) {
        return Err(anyhow!("`{name}` is a key of XAPI's own in a VM's platform map")
            .help("give the device another name: it is the key that VMs get it by"));
    }
    if name.len() > LONGEST {
        bail!("the name has {} characters, and {LONGEST} are the most", name.len());
    }
    Ok(name.to_owned())
}

/// A template in a device's name.
fn filled(template: &str, name: &str) -> String {
    let lower = name.replace('-', "_");
    let camel = name.split('-').map(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    });
    let camel: String = camel.collect();
    template
        .replace("@NAME@", name)
        .replace("@UPPER@", &lower.to_ascii_uppercase())
        .replace("@LOWER@", &lower)
        .replace("@CAMEL@", &camel)
}

/// The target's own pipeline with the device in the place of `vgpu-stub`.
fn pipeline_of(name: &str, target: Target) -> Result<String> {
    let text = target.pipeline();
    let (_, body) = text.split_once("\nversion:").context("a pipeline begins with its version")?;
    let product = target.product(name);
    let body =
        body.replacen(&format!("\nname: {}\n", target.name()), &format!("\nname: {product}\n"), 1);
    let body = body.replace("vgpu-stub", name);
    let lock = if target.wants_lock() {
        format!(
            "#\n# `vgpu-pipeline lock pipeline/{product}.yaml` pins its environment, once, before the first run.\n"
        )
    } else {
        String::new()
    };
    let text = format!(
        "# The QEMU of the pipeline {} with the device {name}; written by `vgpu-pipeline init`.\n{lock}\nversion:{body}",
        target.name()
    );
    // What is written can be read.
    let contract = config::parse_contract(&filled(CONTRACT, name), "contract")?;
    config::parse(&text, "pipeline")?.with_contracts(vec![contract], &text, "pipeline")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn every_target_gets_what_can_be_read_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        for target in [Target::Workstation, Target::XcpNg83, Target::XcpNg9Dev] {
            let written = write("my-device", target, folder.path()).unwrap();
            assert!(folder.path().join(&written.pipeline).exists());
            let again = write("my-device", target, folder.path()).unwrap_err().to_string();
            assert!(again.contains("is there already"), "{again}");
            let project = crate::project::Project::read(&folder.path().join(&written.pipeline));
            project.unwrap_or_else(|error| panic!("{error:#}"));
        }
        let device = folder.path().join("device/my-device.c");
        let read = || files::read_text(&device, &files::CONTRACT).unwrap();
        let text = read();
        assert!(!text.contains('@') && text.contains("MyDeviceState"), "{text}");
        fs::write(&device, "mine").unwrap();
        fs::remove_file(folder.path().join("pipeline/my-device.yaml")).unwrap();
        let written = write("my-device", Target::Workstation, folder.path()).unwrap();
        assert_eq!(written.kept.len(), 2);
        assert_eq!(read(), "mine");
        fs::remove_file(folder.path().join("device/my-device.yaml")).unwrap();
        fs::remove_file(folder.path().join("pipeline/my-device.yaml")).unwrap();
        let error = write("my-device", Target::Workstation, folder.path()).unwrap_err();
        assert!(error.to_string().contains("device/my-device.c` is there already"), "{error}");
        assert!(!folder.path().join("pipeline/my-device.yaml").exists());
    }

    #[test]
    fn names_that_are_none() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "",
            "A",
            "a_b",
            "a.b",
            "../x",
            "-a",
            "a-",
            "a--b",
            "help",
            "vga",
            "viridian",
            &"a".repeat(41),
        ] {
            assert!(write(name, Target::Workstation, folder.path()).is_err(), "{name}");
        }
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
