//! Every tool that a run needs, looked for before any work.

use crate::cmd;
use crate::config::{Base, Pipeline, Source};
use crate::plan::Stage;
use crate::sandbox::Engine;
use anyhow::{Result, bail};

/// Refuses, in one message, a machine that lacks what the given stages start.
pub fn check(pipeline: &Pipeline, stages: &[Stage], engine: Option<Engine>) -> Result<()> {
    let engines: Vec<&str> = match engine {
        Some(engine) => vec![engine.program()],
        None => Engine::ALL.map(Engine::program).to_vec(),
    };
    let mut needs: Vec<&[&str]> = Vec::new();
    for stage in stages {
        match stage {
            Stage::Source => {
                if pipeline.source.iter().any(|source| matches!(source, Source::Debian(_))) {
                    needs.push(&["apt-get"]);
                    needs.push(&["apt-cache"]);
                }
            }
            Stage::Environment => {
                let Base::Debian(_) = &pipeline.environment.base;
                needs.extend([["apt-get"].as_slice(), &["mmdebstrap"], &engines]);
            }
            Stage::Build | Stage::Verify => needs.push(&engines),
            Stage::Publish => needs.push(&["createrepo_c"]),
            Stage::Inject | Stage::Sign => {}
        }
    }
    needs.sort_unstable();
    needs.dedup();
    match cmd::missing(&needs) {
        Some(message) => bail!(message),
        None => Ok(()),
    }
}
