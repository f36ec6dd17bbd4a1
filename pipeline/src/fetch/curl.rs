//! One download, by curl: resumed where it broke off, given up where it hangs.

use super::{Fetch, retry};
use crate::cmd::{Call, Failure, masked};
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Seconds until a connection has to stand.
const CONNECT: &str = "15";
/// Seconds that a transfer may be slower than this.
const STALL: &str = "20";
const SLOWEST: u64 = 1000;
/// curl's exit code for a server that cannot resume (curl(1), EXIT CODES).
const NO_RESUME: i32 = 33;

/// Whether trouble that passes is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Usual,
    None,
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

/// Downloads, with as many attempts as are worth it.
pub fn run(
    download: &Download,
    patience: Patience,
    credentials: Credentials,
    fetch: &Fetch,
) -> Result<()> {
    // Beside the file: addresses may hold a secret, so they are in no argument and in no log.
    let [answer, config] = ["headers", "curlrc"].map(|name| download.to.with_extension(name));
    fs::write(&config, format!("url = \"{}\"\n", escaped(download.url)))?;
    let attempt = || once(download, credentials, fetch, &answer, &config);
    let result = match patience {
        Patience::Usual => retry::run(fetch.cmd(), attempt),
        Patience::None => attempt(),
    };
    let _ = fs::remove_file(&answer);
    let _ = fs::remove_file(&config);
    if result.is_err() {
        let _ = fs::remove_file(download.to);
    }
    result
}

/// As curl reads a quoted word of its configuration (curl(1), --config).
fn escaped(url: &str) -> String {
    url.replace('\\', "\\\\").replace('"', "\\\"")
}

fn once(
    download: &Download,
    credentials: Credentials,
    fetch: &Fetch,
    answer: &Path,
    config: &Path,
) -> Result<()> {
    let Download { url, to, size, header, body } = download;
    if url.chars().any(char::is_control) {
        bail!("an address with control characters is not asked");
    }
    // A redirection must not lead from https to where anybody can listen.
    let schemes = if url.starts_with("https:") { "=https" } else { "=http,https" };
    let mut call = Call::new("curl")
        .args(["--disable", "--silent", "--show-error", "--fail"])
        .args(["--proto", schemes, "--proto-redir", schemes, "--location", "--max-redirs", "5"])
        .args(["--connect-timeout", CONNECT, "--speed-time", STALL])
        .args(["--speed-limit", &SLOWEST.to_string(), "--max-filesize", &size.to_string()])
        // Its own limit holds only where the server says how much will come.
        .largest(*to, *size)
        .limit(Duration::from_secs(120 + size / SLOWEST));
    if credentials == Credentials::Netrc {
        call = call.arg("--netrc-optional");
    }
    if let Some(header) = header {
        call = call.arg("--header").arg(format!("@{}", header.display()));
    }
    call = match body {
        // An answer to a question is never taken up in the middle.
        Some(body) => {
            let _ = fs::remove_file(to);
            // A question that is redirected stays one (git-lfs does the same).
            call.args(["--post301", "--post302", "--post303"])
                .arg("--data-binary")
                .arg(format!("@{}", body.display()))
        }
        None => call.args(["--continue-at", "-"]),
    };
    call = call.arg("--dump-header").arg(answer).arg("--output").arg(to);
    call = call.arg("--config").arg(config);
    fetch.will_contact(url);
    fetch.cmd().write(&format!("# {}", plain(url)));
    let result = fetch.cmd().run(&call);
    for hop in redirections(&fs::read_to_string(answer).unwrap_or_default()) {
        fetch.will_contact(hop);
    }
    match result {
        Ok(_) => Ok(()),
        Err(error) => match error.downcast_ref::<Failure>().and_then(|f| f.status.code()) {
            Some(NO_RESUME) => {
                fs::remove_file(to)?;
                once(download, credentials, fetch, answer, config)
            }
            Some(63) => {
                bail!("more than the {size} bytes that are pinned or plausible are served")
            }
            _ => Err(error),
        },
    }
}

/// An address as it may be shown: its query may be a signature.
pub fn plain(url: &str) -> String {
    masked(url.split(['?', '#']).next().unwrap_or(url))
}

/// The absolute addresses that an answer's headers, of all hops, lead to.
fn redirections(headers: &str) -> impl Iterator<Item = &str> {
    headers.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("location") && value.contains("://")).then(|| value.trim())
    })
}

/// Whether nobody answers at all (curl(1), EXIT CODES: resolving, connecting, running out of time).
pub fn unreachable(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<Failure>().and_then(|failure| failure.status.code());
    code.is_some_and(|code| [5, 6, 7, 28].contains(&code))
}
