//! `plan`: what a run would do.

use super::{Classify, CommandError, Place, Signer};
use crate::inject::{Outcome, readable};
use crate::plan::{Stage, Step};
use crate::run::{Prepared, Request};
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use similar::TextDiff;

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    signer: Signer,
    /// Show the edited spec as a diff
    #[arg(long)]
    diff: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    pipeline: &'a str,
    steps: Vec<ShownStep<'a>>,
    /// Absent while the spec's git source was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<Vec<ShownEdit<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

#[derive(Serialize)]
struct ShownStep<'a> {
    #[serde(flatten)]
    step: Step,
    cached: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct ShownEdit<'a> {
    edit: &'a str,
    outcome: &'a Outcome,
}

impl Plan {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    pub fn run(&self) -> Result<(), CommandError> {
        let store = self.place.store().usage()?;
        let loaded = self.place.load(&store).and_then(|it| self.signer.of(it)).usage()?;
        let prepared = Prepared::new(Request::whole(loaded), store).usage()?;
        let shown = self.shown(&prepared).usage()?;
        if self.json {
            super::print_json(
                &serde_json::to_string(&shown).map_err(anyhow::Error::from).failed()?,
            );
        } else {
            print(&shown);
        }
        Ok(())
    }

    fn shown<'a>(&self, prepared: &'a Prepared) -> Result<Shown<'a>> {
        let mut steps = Vec::new();
        for step in prepared.plan().steps {
            let cached = prepared.is_cached(step.stage)?;
            let why = match (&step.key, cached, prepared.lock_wanting()) {
                (_, true, _) => "in the store",
                (Some(_), false, _) => "not in the store",
                (None, false, Some(why)) if step.stage == Stage::Environment => {
                    why.message.as_str()
                }
                (None, false, _) => "its key follows from what runs before it",
            };
            steps.push(ShownStep { step, cached, why });
        }
        let edits = prepared.spec().map(|(_, edited)| {
            edited.edits.iter().map(|(edit, outcome)| ShownEdit { edit, outcome }).collect()
        });
        let diff = prepared.spec().filter(|_| self.diff).map(|(before, edited)| {
            let (before, after) = (readable(before), readable(&edited.spec));
            let diff = TextDiff::from_lines(&before, &after);
            diff.unified_diff().header("as it stands", "as it is built").to_string()
        });
        Ok(Shown { pipeline: prepared.pipeline().name.as_str(), steps, edits, diff })
    }
}

fn print(shown: &Shown) {
    say!("pipeline `{}`", shown.pipeline);
    for ShownStep { step, cached, why } in &shown.steps {
        let what = if *cached { "cached" } else { "run" };
        let key = step.key.as_ref().map_or("", |key| key.short());
        say!("  {:<12} {what:<7} {key:<17} {why}", step.stage.name());
    }
    if let Some(edits) = &shown.edits {
        say!("edits of the spec");
        for ShownEdit { edit, outcome } in edits {
            say!("  {edit}: {outcome}");
        }
    } else {
        say!("the spec comes with the stage `source`, which has not run yet");
    }
    if let Some(diff) = &shown.diff {
        say!("{}", diff.trim_end());
    }
}
