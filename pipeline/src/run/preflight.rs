//! Everything that a run needs, looked for before any work.

use super::Prepared;
use crate::cmd::{self, Runner};
use crate::config::{Base, Pipeline, Source};
use crate::environment;
use crate::error::Help;
use crate::fetch::{Network, Pin};
use crate::plan::Stage;
use crate::sandbox::{self, Engine, Image};
use crate::source;
use crate::wrapper;
use anyhow::{Result, anyhow};

/// Refuses, in one message, a machine that lacks what the given stages start.
pub fn tools(
    pipeline: &Pipeline,
    stages: &[Stage],
    engine: Option<Engine>,
    network: Network,
) -> Result<()> {
    let engines: Vec<&str> = match engine {
        Some(engine) => vec![engine.program()],
        None => Engine::ALL.map(Engine::program).to_vec(),
    };
    let apt: [&[&str]; 2] = [&["apt-get"], &["apt-cache"]];
    let mut needs: Vec<&[&str]> = Vec::new();
    for stage in stages {
        match stage {
            Stage::Source => {
                for source in &pipeline.source {
                    match source {
                        Source::Git(_) => needs.extend([["git"].as_slice(), &["gzip"], &["curl"]]),
                        Source::Archive(_) => needs.push(&["curl"]),
                        Source::Debian(_) if network == Network::On => needs.extend(apt),
                        Source::Debian(_) | Source::Path(_) => {}
                    }
                }
            }
            Stage::Environment => {
                needs.push(&engines);
                needs.extend(sandbox::tools());
                match &pipeline.environment.base {
                    Base::Debian(_) => needs.extend([["apt-get"].as_slice(), &["mmdebstrap"]]),
                    Base::Image(_) => needs.push(&["curl"]),
                }
            }
            Stage::Build | Stage::Stock | Stage::Verify => needs.push(&engines),
            Stage::Wrapper => {
                needs.push(&engines);
                if pipeline.wrapper.as_ref().is_some_and(|it| it.vendor.path().is_none()) {
                    needs.push(&["curl"]);
                }
            }
            Stage::Publish => needs.push(&["createrepo_c"]),
            Stage::Inject | Stage::Sign => {}
        }
    }
    needs.sort_unstable();
    needs.dedup();
    cmd::require(&needs)
}

/// Refuses, in one message, a run without a network for which something would have to be fetched.
pub fn content(prepared: &Prepared, stages: &[Stage]) -> Result<()> {
    let Prepared { request, store, gathered } = prepared;
    let pipeline = prepared.pipeline();
    let mut missing = Vec::new();
    let mut look = |pins: Vec<(Pin, String)>| -> Result<()> {
        for (pin, shown) in pins {
            let there = request.origins.at_hand(store, &pin)
                || matches!(&pin, Pin::Image(id) if engine_has(prepared, id)?);
            if !there {
                missing.push(format!("{shown} ({})", pin.place()));
            }
        }
        Ok(())
    };
    if stages.contains(&Stage::Source) {
        look(source::pins(&pipeline.source))?;
    }
    if let (true, Some(wrapper)) = (stages.contains(&Stage::Wrapper), &pipeline.wrapper) {
        look(wrapper::pins(wrapper))?;
    }
    if stages.contains(&Stage::Environment) {
        match (&pipeline.environment.base, gathered.lock.current()) {
            (Base::Image(_), Some(lock)) => look(environment::pins(lock))?,
            (Base::Image(_), None) => {}
            (Base::Debian(_), _) => {
                missing.push("the environment's Debian packages, which no lock pins".to_owned());
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    return Err(anyhow!(
        "the network is off, and neither the store nor a mirror folder has:\n  {}",
        missing.join("\n  ")
    )
    .help("`vgpu-pipeline lock FILE --fetch DIR` fills a mirror folder where there is a network"));
}

fn engine_has(prepared: &Prepared, id: &crate::config::ImageDigest) -> Result<bool> {
    let Some(engine) = prepared.request.engine.or_else(Engine::detect) else { return Ok(false) };
    let log = prepared.store.scratch(&format!("logs/{}", prepared.pipeline().name))?;
    let log = log.join("preflight.log");
    let cmd = Runner::new(&log, |_| {})?.working_for(prepared.store.root());
    Image::of_id(engine, id).name(&cmd, id)
}
