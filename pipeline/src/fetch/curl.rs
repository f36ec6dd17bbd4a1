// SPDX-License-Identifier: GPL-2.0-or-later
//! One download, by curl: resumed where it broke off, given up where it hangs.
//!
//! Redirections are followed here, one call of curl each: curl itself would look up the user's
//! credentials for wherever a server leads.

use super::{Fetch, origin::Origin, retry, same_origin};
use crate::error::find;
use crate::process::{Failure, Invocation, masked};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Seconds until a connection has to stand.
const CONNECT: &str = "15";
/// Seconds that a transfer may be slower than this.
const STALL: &str = "20";
const SLOWEST: u64 = 1000;
/// What a mirror has to be worth asking.
const SLOWEST_MIRROR: u64 = 100_000;
/// However much is request, nothing takes longer.
const LONGEST: u64 = 6 * 60 * 60;
const LONGEST_OF_A_MIRROR: u64 = 30 * 60;
/// How often one question may be sent elsewhere.
const MOST_HOPS: usize = 5;
/// What comes along with a redirection may be larger than the file behind it.
const LARGEST_REDIRECTION: u64 = 64 << 10;

/// Whether trouble that passes is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPolicy {
    Patient,
    Once,
}

impl RetryPolicy {
    /// The time for one attempt at so many bytes.
    fn limit(self, size: u64) -> Duration {
        Duration::from_secs(match self {
            Self::Patient => (120 + size / SLOWEST).min(LONGEST),
            Self::Once => (60 + size / SLOWEST_MIRROR).min(LONGEST_OF_A_MIRROR),
        })
    }
}

/// Whether the user's `.netrc` is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    Netrc,
    /// Somebody else named the address.
    None,
}

/// What is downloaded, and where to.
pub struct Download<'a> {
    pub url: &'a str,
    pub to: &'a Path,
    /// More than this is not taken.
    pub size: u64,
    /// A file with headers to send. They may be secret, so they are in no argument.
    pub header: Option<&'a Path>,
    /// A file that is posted.
    pub body: Option<&'a Path>,
}

/// The files of one download beside its own: addresses and headers may hold a secret, so they are in
/// no argument and in no log.
struct TempFiles {
    config: PathBuf,
    /// What one call brings, until it is known what it is.
    part: PathBuf,
}

/// What one call of curl came back with.
struct Answer {
    status: u16,
    /// The whole address that it leads to, as curl reads it.
    redirect: String,
}

/// Downloads, with as many attempts as are worth it.
pub fn run(
    download: &Download,
    policy: RetryPolicy,
    credentials: Credentials,
    fetch: &Fetch,
) -> Result<()> {
    let [config, part] = ["curlrc", "part"].map(|name| download.to.with_extension(name));
    let temp = TempFiles { config, part };
    let attempt = || once(download, policy, credentials, fetch, &temp);
    let result = match policy {
        RetryPolicy::Patient => retry::run(fetch.runner(), attempt),
        RetryPolicy::Once => attempt(),
    };
    let _ = fs::remove_file(&temp.config);
    let _ = fs::remove_file(&temp.part);
    if result.is_err() {
        let _ = fs::remove_file(download.to);
    }
    result
}

/// As curl reads a quoted word of its configuration (curl(1), --config).
fn escaped(url: &str) -> String {
    url.replace('\\', "\\\\").replace('"', "\\\"")
}

/// One attempt, along all redirections.
fn once(
    download: &Download,
    policy: RetryPolicy,
    credentials: Credentials,
    fetch: &Fetch,
    temp: &TempFiles,
) -> Result<()> {
    let ends = Instant::now() + policy.limit(download.size);
    // An answer to a question is never taken up in the middle.
    if download.body.is_some() {
        let _ = fs::remove_file(download.to);
    }
    let mut url = download.url.to_owned();
    let mut at_home = true;
    for _ in 0..=MOST_HOPS {
        let answer = ask(&url, at_home, ends, download, credentials, fetch, temp)?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        let next = answer.redirect;
        if next.is_empty() {
            bail!("{} answers {} and nothing that is asked for", redacted(&url), answer.status);
        }
        follow(&url, &next)?;
        // Who has left does not come back with credentials: somebody else chose the path.
        at_home = at_home && same_origin(download.url, &next);
        url = next;
    }
    bail!("{} leads elsewhere more than {MOST_HOPS} times", redacted(download.url))
}

/// Refuses a redirection to where nothing is asked.
fn follow(from: &str, to: &str) -> Result<()> {
    let Some(target) = Origin::of(to) else {
        bail!("{} leads to `{}`, which is no URL of http", redacted(from), shown(to));
    };
    if Origin::of(from).is_none_or(|from| from.is_https) && !target.is_https {
        bail!("{} leads from https to `{}`, where anybody can listen", redacted(from), shown(to));
    }
    Ok(())
}

/// A server's own address, on one line.
fn shown(url: &str) -> String {
    redacted(url).chars().take(200).flat_map(char::escape_debug).collect()
}

/// One call of curl, to one address alone.
fn ask(
    url: &str,
    at_home: bool,
    ends: Instant,
    download: &Download,
    credentials: Credentials,
    fetch: &Fetch,
    temp: &TempFiles,
) -> Result<Answer> {
    let Download { to, size, header, body, .. } = download;
    if url.chars().any(char::is_control) {
        bail!("an address with control characters is not asked");
    }
    let TempFiles { config, part } = temp;
    fs_err::write(config, format!("url = \"{}\"\n", escaped(url)))?;
    let _ = fs::remove_file(part);
    let most = (*size).max(LARGEST_REDIRECTION);
    let left = ends.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    let mut call = Invocation::new("curl")
        .args([
            "--disable",
            "--silent",
            "--show-error",
            "--fail",
            "--globoff",
            "--proto",
            "=http,https",
        ])
        .args(["--connect-timeout", CONNECT, "--speed-time", STALL])
        .args(["--speed-limit", &SLOWEST.to_string(), "--max-filesize", &most.to_string()])
        .args(["--max-time", &left.as_secs().max(1).to_string()])
        // Its own limit holds only where the server says how much will come.
        .max_file_size(part, most)
        .limit(left + Duration::from_secs(30));
    if credentials == Credentials::Netrc && at_home {
        call = call.arg("--netrc-optional");
    }
    match header {
        // They are for where they were meant to go: a token, under whatever name, is not for others.
        Some(header) if at_home => {
            call = call.arg("--header").arg(format!("@{}", header.display()));
        }
        Some(header) if body.is_some() => {
            let lines = fs::read_to_string(header)?;
            for line in kept_headers(&lines) {
                call = call.arg("--header").arg(line);
            }
        }
        _ => {}
    }
    let from = to.metadata().map_or(0, |meta| meta.len());
    if let Some(body) = body {
        // A question that is redirected stays one (git-lfs does the same).
        call = call.arg("--data-binary").arg(format!("@{}", body.display()));
    } else if from > 0 {
        call = call.args(["--range", &format!("{from}-")]);
    }
    call = call
        .args(["--write-out", "%{http_code} %{redirect_url}\n"])
        .capture_stdout()
        .secret_output();
    call = call.arg("--output").arg(part).arg("--config").arg(config);
    fetch.will_contact(url);
    fetch.runner().write(&format!("# {}", redacted(url)));
    let result = fetch.runner().run(&call);
    let said = match &result {
        Ok(output) => output.stdout.clone(),
        Err(error) => {
            find::<Failure>(error).map(|failure| failure.stdout.clone()).unwrap_or_default()
        }
    };
    let (status, redirect) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
    let answer = Answer { status: status.parse().unwrap_or(0), redirect: redirect.to_owned() };
    // Also of what broke off: the next attempt goes on from there.
    take(&answer, part, to).context("the file that is downloaded")?;
    if to.metadata().is_ok_and(|meta| meta.len() > *size) {
        return Err(TooMuch(*size).into());
    }
    match result {
        Ok(_) => Ok(answer),
        Err(error) => match find::<Failure>(&error).and_then(|f| f.status.code()) {
            // There is nothing where it was to go on.
            Some(22) if from > 0 && answer.status == 416 => {
                fs::remove_file(to)?;
                ask(url, at_home, ends, download, credentials, fetch, temp)
            }
            Some(63) => Err(TooMuch(*size).into()),
            // The runner ended it, and only its interruptions are nobody's fault.
            None if part.metadata().is_ok_and(|meta| meta.len() > most) => {
                Err(TooMuch(*size).into())
            }
            _ => Err(error),
        },
    }
}

/// Puts what came behind what was there, or in its place.
fn take(answer: &Answer, part: &Path, to: &Path) -> io::Result<()> {
    if !part.exists() || !(200..300).contains(&answer.status) {
        return Ok(());
    }
    if answer.status == 206 && to.exists() {
        let mut whole = File::options().append(true).open(to)?;
        io::copy(&mut File::open(part)?, &mut whole)?;
        return fs::remove_file(part);
    }
    fs::rename(part, to)
}

/// Of the headers of a question, those that say what it is, and nothing of who asks.
fn kept_headers(lines: &str) -> Vec<&str> {
    let kept = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        ["accept", "content-type"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    lines.lines().filter(kept).collect()
}

/// An address as it may be shown: its query may be a signature.
pub fn redacted(url: &str) -> String {
    masked(url.split(['?', '#']).next().unwrap_or(url))
}

/// More is served than was asked for.
#[derive(Debug)]
struct TooMuch(u64);

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than the {} bytes that are pinned or plausible are served", self.0)
    }
}

impl std::error::Error for TooMuch {}

/// Whether something else is served, to judge by how much it is.
pub fn too_much(error: &anyhow::Error) -> bool {
    find::<TooMuch>(error).is_some()
}

/// Whether nobody answers at all (curl(1), EXIT CODES: resolving, connecting, running out of time).
pub fn unreachable(error: &anyhow::Error) -> bool {
    let code = find::<Failure>(error).and_then(|failure| failure.status.code());
    code.is_some_and(|code| [5, 6, 7, 28].contains(&code))
}

#[cfg(test)]
mod tests;
