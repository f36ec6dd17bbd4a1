// SPDX-License-Identifier: GPL-2.0-or-later
//! What a yum repository says it holds: `repomd.xml`, and the list of packages that it names.
//!
//! Pure reading of bytes that somebody fetched and compares with their digests. Anybody may have
//! written them, so everything is bounded: what they unpack to, how many packages they list, how long
//! a name is.
//!
//! One entry that cannot be read is no reason to refuse the others: it is kept with its names and the
//! reason, for whoever asks for one of those. That hides nothing which a server could not as well leave
//! out of its list.
//!
//! What never enters: dependencies (yum resolves them), lists of files, databases, addresses outside
//! of the repository.

#[cfg(test)]
mod tests;
mod unpack;
mod xml;

use crate::error::Help;
use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use rpm_inspect::Nevra;
use std::fmt;
use std::mem::take;
use unpack::unpack;
use xml::{Element, Node, walk};

/// More than twice what the largest distributions list.
const MOST_PACKAGES: usize = 250_000;
const LONGEST_HREF: usize = 1024;
/// More entries than this that cannot be read are not one odd package.
const MOST_ODD: usize = 1000;
/// An entry has one name; whoever gives it many wants something else.
const MOST_NAMES: usize = 8;
/// No package has a longer name, so nobody asks for one.
const LONGEST_NAME: usize = 255;
/// The most that is kept of why an entry cannot be read.
const LONGEST_REASON: usize = 300;

/// The list of packages, as `repomd.xml` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// From the repository's own address on.
    pub href: String,
    /// Of the file as it is served.
    pub sha256: String,
    pub size: Option<u64>,
}

/// A package in that list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub nevra: Nevra,
    /// Of the whole file, where the repository does not give another kind of checksum.
    pub sha256: Option<String>,
    pub size: u64,
    /// From the repository's own address on.
    pub href: String,
}

/// An entry of the list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Everything that it calls itself.
    pub names: Vec<String>,
    /// Where it gives one, and only one.
    arch: Option<String>,
    pub why: String,
}

/// The list of packages.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Packages {
    pub listed: Vec<Listed>,
    pub odd: Vec<Odd>,
}

impl Odd {
    /// Whether it could have been taken in the place of a package, by name and architecture.
    pub fn rivals(&self, name: &str, arch: &str) -> bool {
        let own = self.names.iter().any(|own| own == name);
        own && match self.arch.as_deref() {
            Some("src" | "nosrc") => false,
            Some(own) => own == arch || [own, arch].contains(&"noarch"),
            None => true,
        }
    }
}

/// As it is told: by its name, if it has one.
impl fmt::Display for Odd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names.first() {
            Some(name) => write!(out, "`{}`: {}", name.escape_debug(), self.why),
            None => write!(out, "a package without a name: {}", self.why),
        }
    }
}

/// Reads `repomd.xml`.
pub fn repomd(xml: &[u8]) -> Result<Primary> {
    read_repomd(xml).context("`repomd.xml`")
}

fn read_repomd(xml: &[u8]) -> Result<Primary> {
    let mut draft = None;
    let mut found = None;
    walk(xml, "repomd", |path, node| {
        if let ("repomd/data", Node::Begin(element)) = (path, node) {
            let primary = element.attribute("type")?.as_deref() == Some("primary");
            draft = primary.then(Draft::default);
        }
        let Some(draft) = &mut draft else { return Ok(()) };
        match (path, node) {
            ("repomd/data/checksum", node) => draft.checksum(node)?,
            ("repomd/data/location", Node::Begin(element)) => draft.location(element)?,
            ("repomd/data/size", Node::End(text)) => once(&mut draft.size, number(text)?, "size")?,
            ("repomd/data", Node::End(_)) => {
                once(&mut found, take(draft).primary()?, "list of packages")?;
            }
            _ => {}
        }
        Ok(())
    })?;
    found.context("it names no list of packages")
}

/// Reads the list of packages, compressed as the end of its `href` says.
pub fn packages(primary: &[u8], href: &str) -> Result<Packages> {
    read_packages(primary, href).with_context(|| format!("`{}`", href.escape_debug()))
}

fn read_packages(primary: &[u8], href: &str) -> Result<Packages> {
    let mut packages = Packages::default();
    let mut draft = Draft::default();
    walk(unpack(primary, href)?, "metadata", |path, node| {
        if ("metadata/package", true) == (path, matches!(node, Node::Begin(_))) {
            draft = Draft::default();
        }
        // What is wrong with the document ends the walk; what is wrong with an entry stays its own.
        if let Err(error) = draft.field(path, node) {
            draft.trouble.get_or_insert(error);
        }
        ensure!(
            draft.names.len() <= MOST_NAMES,
            "a package in it has more than {MOST_NAMES} names"
        );
        if let ("metadata/package", Node::End(_)) = (path, node) {
            let Packages { listed, odd } = &mut packages;
            ensure!(
                listed.len() + odd.len() < MOST_PACKAGES,
                "it lists more than {MOST_PACKAGES} packages"
            );
            match take(&mut draft).finished() {
                Ok(entry) => listed.push(entry),
                Err(entry) if odd.len() < MOST_ODD => odd.push(entry),
                Err(entry) => bail!("more than {MOST_ODD} entries of it cannot be read; {entry}"),
            }
        }
        Ok(())
    })?;
    Ok(packages)
}

/// What is known of a file while its element is read.
#[derive(Default)]
struct Draft {
    /// Every one that fits.
    names: Vec<String>,
    name: Option<String>,
    /// Epoch, version and release.
    version: Option<(u32, String, String)>,
    arch: Option<String>,
    /// Whether the checksum that is being read is one.
    is_sha256: bool,
    sha256: Option<String>,
    size: Option<u64>,
    href: Option<String>,
    /// The first thing that is wrong with it.
    trouble: Option<Error>,
    several_arches: bool,
}

impl Draft {
    /// Takes in what an element of a package says of it.
    fn field(&mut self, path: &str, node: Node) -> Result<()> {
        match (path, node) {
            ("metadata/package/name", Node::End(text)) => {
                if text.len() <= LONGEST_NAME && !self.names.iter().any(|name| name == text) {
                    self.names.push(text.to_owned());
                }
                once(&mut self.name, text.to_owned(), "name")
            }
            ("metadata/package/arch", Node::End(text)) => {
                self.several_arches = self.arch.is_some();
                once(&mut self.arch, text.to_owned(), "architecture")
            }
            ("metadata/package/version", Node::Begin(element)) => self.version(element),
            ("metadata/package/checksum", node) => self.checksum(node),
            ("metadata/package/size", Node::Begin(element)) => {
                once(&mut self.size, number(&element.required("package")?)?, "size")
            }
            ("metadata/package/location", Node::Begin(element)) => self.location(element),
            _ => Ok(()),
        }
    }

    fn finished(mut self) -> Result<Listed, Odd> {
        let names = take(&mut self.names);
        let arch = self.arch.clone().filter(|_| !self.several_arches);
        let arch = arch.filter(|arch| arch.len() <= LONGEST_NAME);
        let listed = match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => self.listed(),
        };
        listed.map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default();
            Odd { names, arch, why: why.chars().take(LONGEST_REASON).collect() }
        })
    }

    fn version(&mut self, element: Element) -> Result<()> {
        let epoch = element.attribute("epoch")?.unwrap_or_default();
        let epoch = match epoch.as_str() {
            "" => 0,
            text => {
                text.parse().with_context(|| format!("`{}` is no epoch", text.escape_debug()))?
            }
        };
        let version = (epoch, element.required("ver")?, element.required("rel")?);
        once(&mut self.version, version, "version")
    }

    fn checksum(&mut self, node: Node) -> Result<()> {
        match node {
            Node::Begin(element) => self.is_sha256 = element.required("type")? == "sha256",
            Node::End(text) if self.is_sha256 => {
                let text = text.trim();
                let digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                ensure!(digest, "`{}` is no sha256", text.escape_debug());
                once(&mut self.sha256, text.to_ascii_lowercase(), "sha256")?;
            }
            Node::End(_) => {}
        }
        Ok(())
    }

    fn location(&mut self, element: Element) -> Result<()> {
        let href = element.required("href")?;
        // What createrepo calls a base is another address to start from; an empty one is this one.
        let elsewhere = element.attribute("xml:base")?.is_some_and(|base| !base.is_empty());
        if elsewhere || !stays_inside(&href) {
            return Err(anyhow!(
                "`{}` is not below the address of the repository",
                href.escape_debug()
            )
            .help("use a mirror that serves the repository's files itself"));
        }
        once(&mut self.href, href, "location")
    }

    fn primary(self) -> Result<Primary> {
        Ok(Primary {
            href: self.href.context("its list of packages has no location")?,
            sha256: self.sha256.context("its list of packages has no sha256")?,
            size: self.size,
        })
    }

    fn listed(self) -> Result<Listed> {
        let name = self.name.context("a package in it has no name")?;
        let lacks = |what| format!("the package `{}` in it has no {what}", name.escape_debug());
        let (epoch, version, release) = self.version.with_context(|| lacks("version"))?;
        let arch = self.arch.with_context(|| lacks("architecture"))?;
        Ok(Listed {
            sha256: self.sha256,
            size: self.size.with_context(|| lacks("size"))?,
            href: self.href.with_context(|| lacks("location"))?,
            nevra: Nevra::new(&name, epoch, &version, &release, &arch)?,
        })
    }
}

/// Whether an address is a relative path that leads down, however it is written.
fn stays_inside(href: &str) -> bool {
    // What a server reads out of it; twice escaped is just a name.
    let plain = href.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    let mut steps = plain.split('/');
    let relative = steps.next().is_some_and(|first| !first.is_empty() && !first.contains(':'));
    relative
        && href.len() <= LONGEST_HREF
        && href.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte))
        && !plain.contains("%5c")
        && plain.split('/').all(|step| step != "..")
}

fn number(text: &str) -> Result<u64> {
    text.trim().parse().with_context(|| format!("`{}` is no size", text.escape_debug()))
}

/// Two answers to one question are one too many, as readers differ in which they take.
fn once<T>(place: &mut Option<T>, value: T, what: &str) -> Result<()> {
    ensure!(place.replace(value).is_none(), "it gives a {what} twice where there can be one");
    Ok(())
}
