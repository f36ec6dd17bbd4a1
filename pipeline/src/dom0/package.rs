// SPDX-License-Identifier: GPL-2.0-or-later
//! The package `qemu-device-dom0`, by the `rpm` crate: the same files and contracts give the same bytes.

use super::assets::{ASSETS, Asset, Kind, MODULES};
use super::devices::ServedDevices;
use super::scriptlets;
use crate::config::{Integration, Python, Wrapper};
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use rpm::{
    BuildConfig, CompressionType, Dependency, FileOptions, Header, HeaderEntry, IndexData,
    IndexSignatureTag as Tag, Package, PackageBuilder,
};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// Two packages of one purpose: a host has one of them, and neither is an update of the other.
const DROP_IN: &str = "qemu-device-dom0";
const PATCH: &str = "qemu-device-dom0-patch";
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
const SUMMARY: &str = "Devices of one's own for the VMs of an XCP-ng host";
const DESCRIPTION: &str = "Starts VMs with the devices that their platform maps ask for, and brings \
    the command qemu-device. No file of another package is changed.";
const DESCRIPTION_OF_PATCH: &str = "Starts VMs with the devices that their platform maps ask for, and \
    brings the command qemu-device. It keeps a patch in the qemu-wrapper of the package xenopsd, which \
    rpm -V reports.";

/// Raised with every change of what the packages hold, with the time that everything in them has
/// (2026-11-22): a host with the last ones must be offered the new. A test knows the content. What a pipeline
/// says of its devices has the pipeline's `release-suffix`, as its QEMU has.
const RELEASE: u32 = 1;
const RELEASED: u32 = 1_795_305_600;

/// Writes it into a folder, and says its name.
pub fn write(wrapper: &Wrapper, served: &ServedDevices, folder: &Path) -> Result<String> {
    let package = package(wrapper, served).context("cannot make the package for dom0")?;
    let file = format!("{}-{VERSION}-{}.noarch.rpm", name(wrapper), release(wrapper, served));
    package.write(&mut fs_err::File::create(folder.join(&file))?)?;
    Ok(file)
}

/// Whether a file is the package that this program makes, byte for byte.
pub fn is(wrapper: &Wrapper, served: &ServedDevices, file: &Path) -> Result<bool> {
    let mut made = Vec::new();
    package(wrapper, served)?.write(&mut made)?;
    Ok(fs::read(file)? == made)
}

/// The package's name.
pub fn name(wrapper: &Wrapper) -> &'static str {
    match wrapper.integration {
        Integration::DropIn => DROP_IN,
        Integration::Patch => PATCH,
    }
}

fn release(wrapper: &Wrapper, served: &ServedDevices) -> String {
    let python = match wrapper.python {
        Python::Python3 => "",
        Python::Python2 => ".python2",
    };
    let suffix = served.release_suffix.as_deref().unwrap_or_default();
    format!("{RELEASE}{python}{suffix}")
}

fn package(wrapper: &Wrapper, served: &ServedDevices) -> Result<Package> {
    let config = BuildConfig::v4().compression(CompressionType::Gzip).source_date(RELEASED);
    let mut builder =
        PackageBuilder::new(name(wrapper), VERSION, "GPL-2.0-or-later", "noarch", SUMMARY);
    builder.release(release(wrapper, served));
    builder.using_config(config).build_host("vgpu-pipeline").group("System Environment/Base");
    let python = format!("/usr/bin/{}", wrapper.python.program());
    builder.requires(Dependency::any(python)).requires(Dependency::interp("/bin/sh"));
    match wrapper.integration {
        Integration::DropIn => builder
            .description(DESCRIPTION)
            .conflicts(Dependency::any(PATCH))
            .post_install_script(scriptlets::DROP_IN_POST)
            .pre_uninstall_script(scriptlets::DROP_IN_PREUN),
        Integration::Patch => builder
            .description(DESCRIPTION_OF_PATCH)
            .conflicts(Dependency::any(DROP_IN))
            .post_install_script(scriptlets::PATCH_POST)
            .trigger_in("xenopsd", None, scriptlets::PATCH_TRIGGER)
            .pre_uninstall_script(scriptlets::PATCH_PREUN),
    };
    builder.trigger_in("qemu", None, scriptlets::NOTICE);
    builder.trigger_postun("qemu", None, scriptlets::NOTICE);
    let files = ASSETS.iter().filter(|file| file.is_for(wrapper.integration));
    let mut folders = BTreeSet::new();
    let mut own = |path: &str| {
        // What is named after us is ours; /usr/sbin and the drop-ins' folder are not.
        let above = Path::new(path).ancestors().skip(1).map(|folder| folder.display().to_string());
        folders.extend(above.take_while(|folder| folder.contains("/qemu-device")));
    };
    for file in files {
        let path = file.path();
        own(&path);
        let options = FileOptions::new(path).permissions(file.permissions());
        let options = match file.kind {
            Kind::Setting => options.config().noreplace(),
            Kind::Document => options.doc(),
            _ => options,
        };
        builder.with_file_contents(text(file, wrapper.python), options)?;
    }
    for (name, text) in served.files() {
        let path = format!("{MODULES}/{name}");
        own(&path);
        builder.with_file_contents(text, FileOptions::new(path).permissions(0o644))?;
    }
    for folder in folders {
        builder.with_dir_entry(FileOptions::dir(folder).permissions(0o755))?;
    }
    with_archive_size(builder.build()?)
}

/// A program's first line names the Python of the hosts; the older one knows no `-I`.
fn text(file: &Asset, python: Python) -> String {
    match (file.kind, python) {
        (Kind::Program | Kind::Shim, Python::Python2) => {
            file.text.replacen("#!/usr/bin/python3 -IB", "#!/usr/bin/python2 -EsB", 1)
        }
        _ => file.text.to_owned(),
    }
}

/// rpm 4.11 reads the size of the unpacked archive, which the crate does not write down.
fn with_archive_size(mut package: Package) -> Result<Package> {
    let size = io::copy(&mut GzDecoder::new(package.payload.as_slice()), &mut io::sink())?;
    let size = IndexData::Int32(vec![u32::try_from(size)?]);
    let signature = &package.metadata.signature;
    let entries = signature.get_all_entries()?.into_iter();
    let entries = entries
        .filter(|(tag, _)| *tag != Tag::HEADER_SIGNATURES as u32)
        .chain([(Tag::RPMSIGTAG_PAYLOADSIZE as u32, size)])
        .map(|(tag, data)| HeaderEntry::new(tag, data))
        .collect::<Vec<_>>();
    package.metadata.signature = Header::from_entries(entries, Tag::HEADER_SIGNATURES);
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::VendorWrapper;
    use crate::project::Project;
    use rpm::IndexTag;

    fn wrapper(integration: Integration, python: Python) -> Wrapper {
        let vendor = serde_json::json!({"path": {"file": "w", "sha256": "0".repeat(64)}});
        let vendor: VendorWrapper = serde_json::from_value(vendor).unwrap();
        Wrapper { vendor, replace: Vec::new(), shipped: None, package: None, integration, python }
    }

    /// What the workstation's pipeline serves, of which the contract has `words` in the place of `from`.
    fn served(from: &str, words: &str) -> ServedDevices {
        let contract = include_str!("../../../device/vgpu-stub.yaml").replacen(from, words, 1);
        ServedDevices::of(&Project::with_contracts(&[&contract]).pipeline)
    }

    fn package(wrapper: &Wrapper) -> Result<Package> {
        super::package(wrapper, &served("", ""))
    }

    fn bytes(package: &Package) -> Vec<u8> {
        let mut bytes = Vec::new();
        package.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_files_give_the_same_package_and_each_host_its_own() {
        let drop_in = wrapper(Integration::DropIn, Python::Python3);
        let made = bytes(&package(&drop_in).unwrap());
        assert_eq!(made, bytes(&package(&drop_in).unwrap()));
        let patch = package(&wrapper(Integration::Patch, Python::Python2)).unwrap();
        assert_ne!(made, bytes(&patch));
        let requires = patch.metadata.get_requires().unwrap();
        assert!(requires.iter().any(|one| one.name == "/usr/bin/python2"));
        for path in patch.metadata.get_file_paths().unwrap() {
            assert!(!path.starts_with("/etc/xenopsd.conf.d"), "{}", path.display());
        }
        for file in ASSETS.iter().filter(|file| matches!(file.kind, Kind::Program | Kind::Shim)) {
            assert!(text(file, Python::Python3).starts_with("#!/usr/bin/python3 -IB\n"));
            assert!(text(file, Python::Python2).starts_with("#!/usr/bin/python2 -EsB\n"));
        }
    }

    #[test]
    fn a_contract_is_part_of_it() {
        let drop_in = wrapper(Integration::DropIn, Python::Python3);
        let made = package(&drop_in).unwrap();
        let other =
            super::package(&drop_in, &served("one-of: [A, B]", "one-of: [A, B, C]")).unwrap();
        assert_ne!(bytes(&made), bytes(&other));
        let paths = made.metadata.get_file_paths().unwrap();
        let device = Path::new("/usr/lib/qemu-device/devices/vgpu-stub.json");
        assert!(paths.iter().any(|path| path == device), "{paths:?}");
        assert_eq!(made.metadata.get_release().unwrap(), format!("{RELEASE}.vgpu1"));
    }

    #[test]
    fn what_changed_has_another_release() {
        let known = (1, "0.1.0", "e7a9812e3e3bc6f6");
        assert_eq!(
            (RELEASE, VERSION, &crate::dom0::assets::digest()[..16]),
            known,
            "raise RELEASE and RELEASED, unless no release has gone out with these, and put the digest here"
        );
    }

    #[test]
    fn no_clock_and_no_machine_is_in_it() {
        let made = package(&wrapper(Integration::DropIn, Python::Python3)).unwrap();
        let header = &made.metadata.header;
        assert_eq!(header.get_entry_data_as_u32(IndexTag::RPMTAG_BUILDTIME).unwrap(), RELEASED);
        let times = header.get_entry_data_as_u32_array(IndexTag::RPMTAG_FILEMTIMES).unwrap();
        assert!(times.iter().all(|time| *time == RELEASED));
        let host = header.get_entry_data_as_string(IndexTag::RPMTAG_BUILDHOST).unwrap();
        assert_eq!(host, "vgpu-pipeline");
    }
}
