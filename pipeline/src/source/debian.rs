// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian source packages, through apt and a scratch configuration: the machine's own sources plus
//! `deb-src`, which a fresh Debian does not have. apt checks the archive's signatures on the way.

use super::kind::{BringContext, SourceKind};
use super::{Brought, SourceFact};
use crate::apt;
use crate::config::DebianSource;
use crate::error::{Help, Reason};
use crate::fetch::{Fetch, FileRequest, Pin};
use crate::process::{Invocation, Runner};
use crate::purl;
use crate::stage::{KeyBuilder, Network};
use crate::store::Work;
use anyhow::{Context, Result};
use fs_err as fs;
use std::path::{Path, PathBuf};

impl SourceKind for DebianSource {
    fn recipe(&self, key: KeyBuilder) -> KeyBuilder {
        key.text("debian", self.package.as_str())
            .text("version", self.version.as_str())
            .config("files", &self.files)
    }

    fn tools(&self, network: Network) -> &'static [&'static str] {
        match network {
            Network::On => &["apt-get", "apt-cache"],
            Network::Off => &[],
        }
    }

    fn pins(&self) -> Vec<(Pin, String)> {
        let files = self.files.iter();
        files.map(|file| (Pin::Sha256(file.sha256.clone()), file.name.to_string())).collect()
    }

    /// apt is asked for what is neither in the store nor in a mirror.
    fn bring(&self, cx: &BringContext, brought: &mut Brought) -> Result<()> {
        let Self { package, version, suite, .. } = self;
        let downloads = cx.work.scratch("downloads")?;
        let origin = purl::debian(package.as_str(), version.as_str(), "source", suite.as_str());
        for file in &self.files {
            let name = file.name.as_str();
            let request = FileRequest { display_name: name, sha256: &file.sha256, size: None };
            let from = cx.fetch.file(&request, |to| {
                if !downloads.join(name).exists() {
                    download(self, cx.work, &downloads, cx.fetch)?;
                }
                fs::rename(downloads.join(name), to)
                    .with_context(|| format!("`{name}` is not a file of {package} {version}"))
                    .with_help(|| format!("it has {}", listing(&downloads)))
            })?;
            let to = cx.place_of(name);
            super::place(&from, &to)?;
            brought.files.push(SourceFact::of(name, &to, Some(origin.clone()))?);
        }
        Ok(())
    }
}

/// Has apt download all files of the package.
fn download(package: &DebianSource, work: &Work, into: &Path, fetch: &Fetch) -> Result<()> {
    let runner = fetch.runner();
    let apt = Apt::configure(package, &work.scratch("apt")?, fetch)?;
    let served = apt.served(runner)?;
    if !served.iter().any(|entry| entry.version == package.version.as_str()) {
        return Err(gone(package, &served, newest(&served, runner)).into());
    }
    let wanted = format!("{}={}", package.package, package.version);
    runner.run(
        &apt.call("apt-get")
            .args(["source", "--download-only", "--only-source", "-q", &wanted])
            .current_dir(into),
    )?;
    Ok(())
}

/// Whether the archive still has the pinned version, and which is its newest.
pub fn served(package: &DebianSource, fetch: &Fetch) -> Result<(bool, String)> {
    let work = fetch.store().work()?;
    let apt = Apt::configure(package, &work.scratch("apt")?, fetch)?;
    let served = apt.served(fetch.runner())?;
    let newest = newest(&served, fetch.runner()).context("apt lists no version")?;
    let pinned = served.iter().any(|entry| entry.version == package.version.as_str());
    Ok((pinned, newest.version.clone()))
}

/// apt with a configuration of its own.
struct Apt {
    options: Vec<String>,
    package: String,
}

/// A version that the archive has, with the sha256 of its files.
#[derive(Debug, PartialEq, Eq)]
struct Served {
    version: String,
    files: Vec<(String, String)>,
}

impl Apt {
    fn configure(package: &DebianSource, folder: &Path, fetch: &Fetch) -> Result<Self> {
        let runner = fetch.runner();
        let origins = apt::origins(runner, package.suite.as_str())?;
        for origin in &origins {
            fetch.will_contact(origin.uri());
        }
        let lines: Vec<String> = origins.iter().map(apt::Origin::source_line).collect();
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        fs::write(folder.join("sources.list"), lines.join("\n") + "\n")?;
        let path = |name: &str| folder.join(name).display().to_string();
        let mut options = vec![
            format!("Dir::Etc::SourceList={}", path("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", path("lists")),
            format!("Dir::Cache={}", path("cache")),
            // apt's own unprivileged user cannot enter a folder of the store.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ];
        if let Some(keyring) = apt::keyring() {
            options.push(format!("Dir::Etc::Trusted={}", keyring.display()));
        }
        let apt = Self { options, package: package.package.to_string() };
        // An index that could not be fetched is an error, not a reason to know fewer versions.
        runner.run(&apt.call("apt-get").args(["update", "-q", "--error-on=any"]))?;
        Ok(apt)
    }

    fn call(&self, program: &str) -> Invocation {
        let options = self.options.iter().flat_map(|option| ["-o", option]);
        Invocation::new(PathBuf::from(program)).args(options).limit(apt::LIMIT)
    }

    fn served(&self, runner: &Runner) -> Result<Vec<Served>> {
        let call = self.call("apt-cache").args(["showsrc", "--only-source", &self.package]);
        let output = runner
            .run(&call.capture_stdout())
            .with_context(|| format!("no source package `{}` is served", self.package))?;
        Ok(parse(&output.stdout))
    }
}

/// Reads the paragraphs of `apt-cache showsrc` (deb-src-control, Checksums-Sha256).
fn parse(text: &str) -> Vec<Served> {
    let mut entries: Vec<Served> = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut version = None;
        let mut files = Vec::new();
        let mut in_checksums = false;
        for line in paragraph.lines() {
            if let Some(item) = line.strip_prefix(' ') {
                if in_checksums && let [sha256, _, name] = item.split(' ').collect::<Vec<_>>()[..] {
                    files.push((name.to_owned(), sha256.to_owned()));
                }
                continue;
            }
            in_checksums = line.starts_with("Checksums-Sha256:");
            if let Some(value) = line.strip_prefix("Version: ") {
                version = Some(value.to_owned());
            }
        }
        if let Some(version) = version
            && entries.iter().all(|entry| entry.version != version)
        {
            entries.push(Served { version, files });
        }
    }
    entries
}

/// The newest version by Debian's own order (Debian policy 5.6.12), which dpkg knows.
fn newest<'a>(served: &'a [Served], runner: &Runner) -> Option<&'a Served> {
    served.iter().reduce(|a, b| {
        let comparison = ["--compare-versions", &a.version, "lt", &b.version];
        if runner.run(&Invocation::new("dpkg").args(comparison)).is_ok() { b } else { a }
    })
}

/// The pinned version is gone: say what is there, in the form that the pipeline file wants.
fn gone(package: &DebianSource, served: &[Served], newest: Option<&Served>) -> Reason {
    let versions: Vec<&str> = served.iter().map(|entry| entry.version.as_str()).collect();
    let why = Reason::new(format!(
        "{} {} is no longer served by `{}`; served: {}",
        package.package,
        package.version,
        package.suite,
        versions.join(", ")
    ));
    let Some(Served { version, files }) = newest else { return why };
    let files = files
        .iter()
        .map(|(name, sha256)| format!("\n      - {{ name: {name}, sha256: {sha256} }}"));
    let files: String = files.collect();
    why.help(format!("pin what is served:\n    version: {version}\n    files:{files}"))
}

fn listing(folder: &Path) -> String {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWSRC: &str = "Package: qemu\nVersion: 1:7.2+dfsg-7\nFiles:\n 00 1 x.dsc\n\
        Checksums-Sha256:\n aa 1 x.dsc\n bb 2 x.tar.xz\nHomepage: h\n\n\
        Package: qemu\nVersion: 1:7.2+dfsg-8\nChecksums-Sha256:\n cc 1 y.dsc\n\n";

    #[test]
    fn showsrc_is_read() {
        let entries = parse(SHOWSRC);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].files[1], ("x.tar.xz".to_owned(), "bb".to_owned()));
    }

    #[test]
    fn a_version_that_is_gone_names_what_is_served() {
        let package: DebianSource = serde_yaml::from_str(
            "{ package: qemu, version: '1:7.2+dfsg-6', suite: bookworm, files: [] }",
        )
        .unwrap();
        let served = parse(SHOWSRC);
        let text = gone(&package, &served, served.last()).to_string();
        assert!(text.starts_with(
            "qemu 1:7.2+dfsg-6 is no longer served by `bookworm`; \
             served: 1:7.2+dfsg-7, 1:7.2+dfsg-8\nhelp: "
        ));
        assert!(text.ends_with("- { name: y.dsc, sha256: cc }"), "{text}");
    }
}
