//! One download, by curl: resumed where it broke off, given up where it hangs.

use super::{Fetch, retry};
use crate::cmd::{Call, Failure};
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;

/// Seconds until a connection has to stand.
const CONNECT: &str = "15";
/// Seconds that a transfer may stand still.
const STALL: &str = "20";
/// curl's exit code for a server that cannot resume (curl(1), EXIT CODES).
const NO_RESUME: i32 = 33;

/// What is downloaded, and where to.
pub struct Download<'a> {
    pub url: &'a str,
    pub to: &'a Path,
    /// More than this is not taken.
    pub size: Option<u64>,
    /// A file with headers to send. They may be secret, so they are in no argument.
    pub header: Option<&'a Path>,
    /// A file that is posted.
    pub body: Option<&'a Path>,
}

pub fn run(download: &Download, fetch: &Fetch) -> Result<()> {
    let answer = download.to.with_extension("headers");
    let result = retry::run(fetch.cmd(), || once(download, fetch, &answer));
    let _ = fs::remove_file(&answer);
    if result.is_err() {
        let _ = fs::remove_file(download.to);
    }
    result
}

fn once(download: &Download, fetch: &Fetch, answer: &Path) -> Result<()> {
    let Download { url, to, size, header, body } = download;
    // A redirection must not lead from https to where anybody can listen.
    let schemes = if url.starts_with("https:") { "=https" } else { "=http,https" };
    let mut call = Call::new("curl")
        .args(["--disable", "--silent", "--show-error", "--fail", "--netrc-optional"])
        .args(["--proto", schemes, "--proto-redir", schemes, "--location", "--max-redirs", "5"])
        .args(["--connect-timeout", CONNECT, "--speed-limit", "1", "--speed-time", STALL])
        .args(["--continue-at", "-"]);
    if let Some(size) = size {
        call = call.arg("--max-filesize").arg(size.to_string());
    }
    if let Some(header) = header {
        call = call.arg("--header").arg(format!("@{}", header.display()));
    }
    if let Some(body) = body {
        call = call.arg("--data-binary").arg(format!("@{}", body.display()));
    }
    call = call.arg("--dump-header").arg(answer).arg("--output").arg(to).arg("--").arg(url);
    fetch.will_contact(url);
    let result = fetch.cmd().run(&call);
    for hop in redirections(&fs::read_to_string(answer).unwrap_or_default()) {
        fetch.will_contact(hop);
    }
    match result {
        Ok(_) => Ok(()),
        Err(error) => match error.downcast_ref::<Failure>().and_then(|f| f.status.code()) {
            Some(NO_RESUME) => {
                fs::remove_file(to)?;
                once(download, fetch, answer)
            }
            Some(63) => {
                bail!("`{url}` serves more than the {} bytes that are pinned", size.unwrap_or(0))
            }
            _ => Err(error),
        },
    }
}

/// The absolute addresses that an answer's headers, of all hops, lead to.
fn redirections(headers: &str) -> impl Iterator<Item = &str> {
    headers.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("location") && value.contains("://")).then(|| value.trim())
    })
}
