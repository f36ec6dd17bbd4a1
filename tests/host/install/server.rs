// SPDX-License-Identifier: GPL-2.0-or-later
//! A web server for one folder, on a port of the loopback that nobody else has.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Component, Path};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tiny_http::{Request, Response};

/// Serves until it is dropped.
pub struct Server {
    http: Arc<tiny_http::Server>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let address = http.server_addr().to_ip().unwrap();
        let (listening, folder) = (Arc::clone(&http), folder.to_owned());
        let thread = thread::spawn(move || {
            for request in listening.incoming_requests() {
                answer(request, &folder);
            }
        });
        Self { http, address, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.unblock();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(request: Request, folder: &Path) {
    let path = Path::new(request.url().trim_start_matches('/'));
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let file = Some(folder.join(path)).filter(|path| inside && path.is_file()).map(File::open);
    // A client that hangs up early is its own affair: a refusal looks like that.
    let _ = match file {
        Some(Ok(file)) => request.respond(Response::from_file(file)),
        _ => request.respond(Response::empty(404)),
    };
}
