// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `publish`: the yum repository, whole or not at all.
//!
//! It is made in the store from signed packages, and an output folder is a copy of it. Metadata is
//! deterministic: the same packages and key give the same bytes.

mod manifest;
mod metadata;
mod output;
mod step;

use crate::config::{Client, Name, PackagePattern, Publish};
use crate::error::Help;
use crate::process::Invocation;
use crate::sign::{Signed, SignedPackage, Signer};
use crate::stage::{Context as StageContext, Value};
use crate::store::Stored;
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use manifest::Provenance;
pub use output::{Consent, Output, examine, is_current, write};
use output::{Content, Facts};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
pub use step::PublishStep;

const REPOMD: &str = "repodata/repomd.xml";

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
    provenance: &Provenance,
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
    manifest::write(&tree, signed.stored().files(), provenance)?;
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
