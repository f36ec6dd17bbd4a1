// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that a run needs, looked for before any work.

use super::{Plan, Request, Session};
use crate::config::ImageDigest;
use crate::error::Help;
use crate::fetch::Pin;
use crate::process::{self, Runner};
use crate::sandbox::{Engine, Image};
use crate::stage::Network;
use anyhow::{Result, anyhow};

/// Refuses, in one message, a machine that lacks what the stages that have to run start.
pub fn tools(plan: &Plan, request: &Request) -> Result<()> {
    let engines: Vec<&str> = match request.engine {
        Some(engine) => vec![engine.program()],
        None => Engine::ALL.map(Engine::program).to_vec(),
    };
    let mut needs: Vec<&[&str]> = Vec::new();
    for node in plan.to_run(request.until) {
        if node.needs.engine {
            needs.push(&engines);
        }
        needs.extend(node.needs.tools.iter().map(Vec::as_slice));
    }
    needs.sort_unstable();
    needs.dedup();
    process::require(&needs)
}

/// Refuses, in one message, a run without a network for which something would have to be fetched.
pub fn content(session: &Session, plan: &Plan) -> Result<()> {
    let Session { request, store, project, .. } = session;
    if request.origins.network == Network::On {
        return Ok(());
    }
    let mut missing = Vec::new();
    let mut unpinned = false;
    for node in plan.to_run(request.until) {
        for (pin, shown) in &node.needs.content {
            let there = request.origins.available_offline(store, pin)
                || matches!(pin, Pin::Image(id) if engine_has(session, id)?);
            if !there {
                missing.push(format!("{shown} ({})", pin.place()));
            }
        }
        unpinned |= node.needs.unpinned.is_some();
        missing.extend(node.needs.unpinned.map(str::to_owned));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let error = anyhow!(
        "the network is off, and neither the store nor a mirror folder has:\n  {}",
        missing.join("\n  ")
    );
    let lock = project.command("lock");
    let error = match missing.len() {
        1 if unpinned => error,
        _ => error
            .help(format!("`{lock} --fetch DIR` fills a mirror folder where there is a network")),
    };
    Err(if unpinned {
        error.help(
            "no mirror can have what nothing pins: a run with a network keeps it in the store",
        )
    } else {
        error
    })
}

fn engine_has(session: &Session, id: &ImageDigest) -> Result<bool> {
    let Some(engine) = session.request.engine.or_else(Engine::detect) else { return Ok(false) };
    let log = session.store.log_file(session.project.name(), "preflight")?;
    let runner = Runner::new(&log, |_| {})?.working_for(session.store.root());
    Image::of_id(engine, id).tag(&runner, id)
}
