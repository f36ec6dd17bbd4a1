// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `publish`: the yum repository, whole or not at all.
//!
//! It is made in the store from signed packages, and an output folder is a copy of it. Metadata is
//! deterministic: the same packages and key give the same bytes.

mod manifest;
mod metadata;
mod output;
mod sbom;
mod statement;
mod step;

use crate::config::{Client, Name, PackagePattern, Publish};
use crate::error::Help;
use crate::package_file;
use crate::process::Invocation;
use crate::sign::{Signed, SignedPackage, Signer};
use crate::stage::{Context as StageContext, Material, Value};
use crate::store::Stored;
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use manifest::Provenance;
pub use output::{Consent, Output, examine, is_current, write};
use output::{Content, Facts};
use rpm_inspect::Nevra;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
pub use step::PublishStep;

const REPOMD: &str = "repodata/repomd.xml";
/// What says of each release what it was made of.
const RELEASES: &str = "releases";

/// A repository in the store.
#[derive(Debug)]
pub struct Published {
    stored: Stored,
}

/// What the repository is called and where it will be served.
struct Repository<'a> {
    name: &'a Name,
    publish: &'a Publish,
}

/// Makes the repository.
fn make_repository(
    signed: &Signed,
    signer: &Signer,
    repository: &Repository,
    made_of: &MadeOf,
    cx: &StageContext,
) -> Result<Published> {
    require_taken(signed.packages(), &repository.publish.client)?;
    let (work, runner) = (cx.store().work()?, cx.runner());
    let tree = work.files();
    // The packages and what lies beside them, each by its place in the repository.
    for name in signed.stored().names() {
        let to = tree.join(name);
        fs::create_dir_all(to.parent().unwrap_or(&tree))?;
        signed.stored().copy_out(name, &to)?;
        // primary.xml carries each package's mtime.
        let time = UNIX_EPOCH + Duration::from_secs(signed.time().into());
        File::options().write(true).open(&to)?.set_modified(time)?;
    }
    describe(&tree, signed, signer, made_of)?;
    let expected = metadata::expected(&tree, signed.packages())?;
    runner.run(
        &Invocation::new("createrepo_c")
            .args(["--checksum=sha256", "--repomd-checksum=sha256", "--general-compress-type=gz"])
            .args(["--no-database", "--set-timestamp-to-revision", "--workers=1"])
            .arg(format!("--revision={}", signed.time()))
            .arg(&tree),
    )?;
    let repomd = fs::read(tree.join(REPOMD)).context(REPOMD)?;
    let signature = signer.detached(&repomd, signed.time())?;
    fs::write(tree.join(format!("{REPOMD}.asc")), signature)?;
    let name = repository.name;
    fs::write(tree.join(key_name(name)), signer.public_armored())?;
    fs::write(tree.join(format!("{name}.repo")), repo_file(repository, signer))?;
    if signer.is_development() {
        fs::write(tree.join("DEVELOPMENT-KEY.txt"), development_notice(signer))?;
    }
    manifest::write(&tree, signed.stored().files(), made_of.provenance)?;
    // By now a disk that is full has said so: createrepo_c ends well then too.
    metadata::check(&tree, &repomd, expected)?;
    let sums = fs::read(tree.join(manifest::SUMS))?;
    let signature = signer.detached(&sums, signed.time())?;
    fs::write(tree.join(format!("{}.asc", manifest::SUMS)), signature)?;
    let packages = signed.packages().iter().map(|package| {
        let content = Content {
            file: package.file.clone(),
            header_sha256: package.header_sha256.clone(),
            payload_sha256: package.payload_sha256.clone(),
        };
        (package.nevra.clone(), content)
    });
    let facts = Facts {
        pipeline: name.to_string(),
        signer: signer.fingerprint(),
        development_key: signer.is_development(),
        packages: packages.collect(),
    };
    Ok(Published { stored: cx.keep(work, &facts)? })
}

/// What a release was made of, and what people wrote of it.
struct MadeOf<'a> {
    provenance: &'a Provenance,
    environment: statement::Environment<'a>,
    /// The pipeline file and others that it names, by their places.
    texts: Vec<(String, &'a str)>,
}

/// Lays out what says what a release was made of, each file with a signature of its own.
fn describe(tree: &Path, signed: &Signed, signer: &Signer, made_of: &MadeOf) -> Result<()> {
    let MadeOf { provenance, environment, texts } = made_of;
    let folder = tree.join(RELEASES).join(release_name(signed.packages())?);
    let mut outputs = Vec::new();
    for name in signed.stored().names() {
        outputs.push(manifest::output(name, &tree.join(name))?);
    }
    let mut leaving = Vec::new();
    let is_package = |it: &&Material| signed.packages().iter().any(|one| one.file == it.name);
    for output in outputs.iter().filter(is_package) {
        let package = package_file::open(&tree.join(&output.name))?;
        let nevra = package.nevra()?;
        leaving.push(sbom::Leaving {
            output,
            version: nevra.evr().to_string(),
            license: package
                .header
                .text(rpm::IndexTag::RPMTAG_LICENSE as u32)?
                .unwrap_or_default()
                .to_owned(),
            source: nevra.arch == "src",
            name: nevra.name,
        });
    }
    let time = signed.time();
    for (name, text) in [
        ("provenance.json", statement::write(provenance, environment, &outputs)?),
        ("sbom.spdx.json", sbom::of_packages(&leaving, provenance, time)?),
        ("environment.spdx.json", sbom::of_environment(environment, provenance, time)?),
    ] {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), &text)?;
        fs::write(folder.join(format!("{name}.asc")), signer.detached(text.as_bytes(), time)?)?;
    }
    for (place, text) in texts {
        let mut to = folder.join("inputs").join(place);
        // Two contracts of one name, out of two folders.
        while to.exists() {
            to.as_mut_os_string().push("-");
        }
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        fs::write(to, text)?;
    }
    Ok(())
}

/// A release by the version and release of its source package.
fn release_name(packages: &[SignedPackage]) -> Result<String> {
    let nevras = packages.iter().filter_map(|package| package.nevra.parse::<Nevra>().ok());
    let source = nevras.into_iter().find(|nevra| nevra.arch == "src");
    let nevra = source.context("no source package leaves")?;
    Ok(format!("{}-{}", nevra.version, nevra.release))
}

/// What a reader of a repository signed by the development key must know.
fn development_notice(signer: &Signer) -> String {
    format!(
        "This repository is signed by a development key that vgpu-pipeline made on the machine that \
         built it,\nbecause no signing key was configured. Do not trust it beyond that machine.\n\
         Fingerprint: {}\n",
        signer.fingerprint()
    )
}

fn key_name(name: &Name) -> String {
    format!("RPM-GPG-KEY-{name}")
}

fn repo_file(repository: &Repository, signer: &Signer) -> String {
    let Repository { name, publish } = repository;
    let url = publish.base_url.as_str().trim_end_matches('/');
    let warning = if signer.is_development() {
        "# Signed by a development key: see DEVELOPMENT-KEY.txt.\n"
    } else {
        ""
    };
    let client = &publish.client;
    let mut lines = vec![
        format!("{warning}[{name}]"),
        format!("name=QEMU of the vgpu-pipeline `{name}`"),
        format!("baseurl={url}"),
        format!("enabled={}", u8::from(client.enabled)),
        "gpgcheck=1\nrepo_gpgcheck=1".to_owned(),
        format!("gpgkey={url}/{}", key_name(name)),
    ];
    for (option, names) in [("includepkgs", &client.includepkgs), ("exclude", &client.exclude)] {
        let names = names.as_ref().map(|names| names.iter().map(PackagePattern::as_str));
        let names = names.map(|names| names.collect::<Vec<_>>().join(" "));
        lines.extend(names.map(|names| format!("{option}={names}")));
    }
    let skip = client.skip_if_unavailable.map(u8::from);
    for (option, value) in [("skip_if_unavailable", skip), ("priority", client.priority)] {
        lines.extend(value.map(|value| format!("{option}={value}")));
    }
    lines.join("\n") + "\n"
}

/// Refuses what no client would take that goes by the published `.repo` file.
fn require_taken(packages: &[SignedPackage], client: &Client) -> Result<()> {
    for package in packages {
        // Version and release have no `-`.
        let name = package.nevra.rsplitn(3, '-').nth(2).unwrap_or(&package.nevra);
        if !client.takes(name) {
            return Err(anyhow!(
                "`publish.client` keeps `{name}` from clients, which is published"
            )
            .help("add it to `includepkgs`, or take it out of `exclude`"));
        }
    }
    Ok(())
}

/// Every file of a folder, as paths relative to it with `/` between folders, sorted.
fn listing(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        for entry in fs::read_dir(folder.join(&prefix))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                bail!("`{}` is not UTF-8", entry.path().display());
            };
            let name = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                open.push(format!("{name}/"));
            } else {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}
