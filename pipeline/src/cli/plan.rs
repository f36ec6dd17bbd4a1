// SPDX-License-Identifier: GPL-2.0-or-later
//! `plan`: what a run would do.

use super::notes;
use super::{Classify, CommandError, Execute, ProjectArgs, SigningArgs};
use crate::inject::{Outcome, readable};
use crate::run::{Request, Session};
use crate::stage::{PlannedStep, Stage};
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use similar::TextDiff;

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    signer: SigningArgs,
    /// Show the edited spec as a diff
    #[arg(long)]
    diff: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct PlanOutput<'a> {
    pipeline: &'a str,
    steps: Vec<StepOutput<'a>>,
    /// Absent while the spec's git source was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<Vec<EditOutput<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

#[derive(Serialize)]
struct StepOutput<'a> {
    #[serde(flatten)]
    step: PlannedStep,
    cached: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct EditOutput<'a> {
    edit: &'a str,
    outcome: Outcome,
}

impl Execute for Plan {
    fn run(&self) -> Result<(), CommandError> {
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).and_then(|it| self.signer.apply(it)).usage()?;
        let request = Request::whole(&project);
        let session = Session::new(project, request, store).usage()?;
        let output = self.output(&session).usage()?;
        if self.json {
            super::print_json(
                &serde_json::to_string(&output).map_err(anyhow::Error::from).failed()?,
            );
        } else {
            print(&output);
        }
        Ok(())
    }

    fn prints_json(&self) -> bool {
        self.json
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }

    fn secrets(&self) -> Vec<&str> {
        self.signer.secrets()
    }
}

impl Plan {
    fn output<'a>(&self, session: &'a Session) -> Result<PlanOutput<'a>> {
        let mut steps = Vec::new();
        for node in session.plan()?.nodes {
            let (step, cached) = (PlannedStep::from(&node), node.stored.is_some());
            let why = match (&step.key, cached, session.inputs.lock.unusable()) {
                (_, true, _) => "in the store",
                (Some(_), false, _) => "not in the store",
                (None, false, Some(why)) if step.stage == Stage::Environment => {
                    why.message.as_str()
                }
                (None, false, _) => "its key follows from what runs before it",
            };
            steps.push(StepOutput { step, cached, why });
        }
        let specs = session.known_specs();
        let edits = specs.map(|specs| {
            let edits = specs.edited.edits.iter();
            edits.map(|(edit, outcome)| EditOutput { edit, outcome: *outcome }).collect()
        });
        let diff = specs.filter(|_| self.diff).map(|specs| {
            let (before, after) = (readable(&specs.text), readable(&specs.edited.spec));
            let diff = TextDiff::from_lines(&before, &after);
            diff.unified_diff().header("as it stands", "as it is built").to_string()
        });
        Ok(PlanOutput { pipeline: session.project.name(), steps, edits, diff })
    }
}

fn print(output: &PlanOutput) {
    say!("pipeline `{}`", output.pipeline);
    for StepOutput { step, cached, why } in &output.steps {
        let what = if *cached { "cached" } else { "run" };
        let key = step.key.as_ref().map_or("", |key| key.short());
        say!("  {:<12} {what:<7} {key:<17} {why}", step.stage.name());
    }
    if let Some(edits) = &output.edits {
        say!("edits of the spec");
        for EditOutput { edit, outcome } in edits {
            say!("  {edit}: {}", notes::outcome(*outcome));
        }
    } else {
        say!("the spec comes with the stage `source`, which has not run yet");
    }
    if let Some(diff) = &output.diff {
        say!("{}", diff.trim_end());
    }
}
