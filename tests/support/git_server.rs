// SPDX-License-Identifier: GPL-2.0-or-later
//! A forge on the loopback, as much of one as the pipeline talks to: git over smart HTTP by git's own
//! `http-backend`, the LFS batch API, plain files with ranges; and each of its faults, on demand.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What goes wrong with a file.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The connection stands, and nothing comes.
    Hang,
    /// The first answer breaks off in the middle.
    HalfOnce,
    /// Every answer does, without a step further.
    HalfAlways,
    /// Something else is served, as if it were right.
    Instead(Vec<u8>),
    Status(u16),
    /// Leads elsewhere, with a status that says how.
    Redirect(u16, String),
    /// Bytes without an end, and without saying how many.
    Endless,
}

/// Serves a folder until it is dropped: `NAME.git` by git, `lfs/OID` and everything else as files.
pub struct GitServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    root: PathBuf,
    ended: AtomicBool,
    faults: Mutex<BTreeMap<String, Fault>>,
    requests: Mutex<Vec<String>>,
    /// Whether anybody sent credentials.
    authorized: AtomicBool,
    /// How many requests came with the header that the LFS API hands out.
    tokens: AtomicUsize,
}

impl GitServer {
    pub fn serve(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            ended: AtomicBool::new(false),
            faults: Mutex::default(),
            requests: Mutex::default(),
            authorized: AtomicBool::new(false),
            tokens: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&serving));
                thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// From now on a path that ends like this has a fault.
    pub fn fault(&self, path: &str, fault: Fault) -> &Self {
        self.shared.faults.lock().unwrap().insert(path.to_owned(), fault);
        self
    }

    /// From now on nothing has a fault.
    pub fn clear(&self) -> &Self {
        self.shared.faults.lock().unwrap().clear();
        self
    }

    /// Whether any request so far came with credentials.
    pub fn authorized(&self) -> bool {
        self.shared.authorized.load(Ordering::Relaxed)
    }

    /// How many requests so far came with the token of the LFS API.
    pub fn tokens(&self) -> usize {
        self.shared.tokens.load(Ordering::Relaxed)
    }

    /// The requests so far: method, path, and the range where one was asked for.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Some(Self { method, path: path.to_owned(), query: query.to_owned(), headers, body })
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) {
    let Some(request) = Request::read(&stream) else { return };
    let range = request.header("range").to_owned();
    let line = format!("{} {} {range}", request.method, request.path).trim_end().to_owned();
    shared.requests.lock().unwrap().push(line);
    if !request.header("authorization").is_empty() {
        shared.authorized.store(true, Ordering::Relaxed);
    }
    if !request.header("x-token").is_empty() {
        shared.tokens.fetch_add(1, Ordering::Relaxed);
    }
    let fault = take_fault(shared, &request.path);
    match fault {
        Some(Fault::Hang) => {
            while !shared.ended.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
        }
        Some(Fault::Status(status)) => respond(&mut stream, &format!("{status} Fault"), "", b""),
        Some(Fault::Redirect(status, to)) => {
            let location = format!("Location: {to}\r\n");
            respond(&mut stream, &format!("{status} Elsewhere"), &location, b"");
        }
        Some(Fault::Endless) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[b' '; 8192]).is_ok() {}
        }
        Some(Fault::Instead(bytes)) => respond(&mut stream, "200 OK", "", &bytes),
        _ if request.path.ends_with("/objects/batch") => {
            batch(&mut stream, &request, shared);
        }
        _ if request.path.contains(".git/") => git(&mut stream, &request, &shared.root),
        _ => file(&mut stream, &request, &shared.root, fault.as_ref()),
    }
}

/// A fault that strikes once is gone with this.
fn take_fault(shared: &Shared, path: &str) -> Option<Fault> {
    let mut faults = shared.faults.lock().unwrap();
    let name = faults.keys().find(|name| path.ends_with(name.as_str()))?.clone();
    match &faults[&name] {
        Fault::HalfOnce => faults.remove(&name),
        fault => Some(fault.clone()),
    }
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    // A client that hangs up early is its own affair.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn file(stream: &mut TcpStream, request: &Request, root: &Path, fault: Option<&Fault>) {
    let Ok(bytes) = fs::read(root.join(decoded(request.path.trim_start_matches('/')))) else {
        return respond(stream, "404 Not Found", "", b"");
    };
    let from = request.header("range").trim_start_matches("bytes=").trim_end_matches('-');
    let from: usize = from.parse().unwrap_or(0);
    let (status, range) = if from == 0 {
        ("200 OK", String::new())
    } else {
        let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
        ("206 Partial Content", range)
    };
    let body = &bytes[from..];
    match fault {
        None => respond(stream, status, &range, body),
        Some(fault) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\n{range}Content-Length: {length}\r\n\r\n");
            let part = match fault {
                Fault::HalfAlways if from > 0 => 0,
                _ => length / 2,
            };
            let _ =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..part]));
        }
    }
}

/// A path without its percent signs.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// docs/api/batch.md of git-lfs. An object that is not there is an error of its own.
fn batch(stream: &mut TcpStream, request: &Request, shared: &Shared) {
    let asked: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(asked["operation"], "download");
    assert_eq!(request.header("content-type"), "application/vnd.git-lfs+json");
    let objects: Vec<serde_json::Value> = asked["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            let oid = object["oid"].as_str().unwrap();
            if shared.root.join("lfs").join(oid).exists() {
                let href = format!("http://{}/lfs/{oid}", request.header("host"));
                serde_json::json!({ "oid": oid, "size": object["size"],
                    "actions": { "download": { "href": href, "header": { "X-Token": "t" } } } })
            } else {
                serde_json::json!({ "oid": oid, "size": object["size"],
                    "error": { "code": 404, "message": "Object does not exist" } })
            }
        })
        .collect();
    let body = serde_json::json!({ "transfer": "basic", "objects": objects }).to_string();
    respond(stream, "200 OK", "Content-Type: application/vnd.git-lfs+json\r\n", body.as_bytes());
}

/// One call of git's own CGI program (git-http-backend).
fn git(stream: &mut TcpStream, request: &Request, root: &Path) {
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", request.header("content-type"))
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding"))
        .env("GIT_PROTOCOL", request.header("git-protocol"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let said = child.wait_with_output().unwrap().stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(said[..end].to_vec()).unwrap();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let headers = head.lines().filter(|line| !line.starts_with("Status: "));
    let headers = headers.fold(String::new(), |all, line| all + line + "\r\n");
    respond(stream, status.unwrap_or("200 OK"), &headers, &said[end + 4..]);
}
