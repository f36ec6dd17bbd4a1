// SPDX-License-Identifier: GPL-2.0-or-later
//! The stages in their order. A plan walks this dry and a run walks it for real, so that what is shown is
//! what is done.

use super::{Session, needed};
use crate::build::{BuildStep, StockStep};
use crate::dom0::Dom0Step;
use crate::environment::EnvironmentStep;
use crate::inject::InjectStep;
use crate::publish::{PublishStep, Published};
use crate::sign::SignStep;
use crate::source::SourceStep;
use crate::stage::{Slot, Stage, Step};
use crate::verify::VerifyStep;
use anyhow::Result;

/// Whoever walks the stages.
pub trait StageVisitor {
    fn step<S: Step>(&mut self, step: &S, takes: S::Takes<'_>) -> Result<Slot<S::Value>>;

    /// Holds a stage's result to what others want of it. One that is not good enough is not kept.
    fn check(&mut self, stage: Stage, check: impl FnOnce() -> Result<()>) -> Result<()>;
}

pub fn compose(visitor: &mut impl StageVisitor, session: &Session) -> Result<Slot<Published>> {
    let Session { project, inputs, signer, .. } = session;
    let sources = visitor.step(&SourceStep { project }, ())?;
    let specs = session.specs(sources.value())?;
    let specs = specs.as_deref();
    if let (Some(sources), Some(specs)) = (sources.value(), specs) {
        visitor.check(Stage::Source, || {
            needed::check(sources, specs, &project.pipeline.build.define)
        })?;
    }
    let environment = visitor.step(&EnvironmentStep::new(project, inputs)?, ())?;
    let injected = visitor.step(&InjectStep { project, inputs, specs }, (&sources,))?;
    let stock = project
        .pipeline
        .verify
        .stock
        .as_ref()
        .map(|_| visitor.step(&StockStep { project, inputs, specs }, (&sources, &environment)));
    let stock = stock.transpose()?;
    let built = visitor.step(
        &BuildStep { project, inputs },
        (&sources, &environment, &injected, stock.as_ref()),
    )?;
    let dom0 = project.pipeline.wrapper.as_ref();
    let dom0 = dom0.map(|wrapper| visitor.step(&Dom0Step { project, wrapper }, (&environment,)));
    let dom0 = dom0.transpose()?;
    let verified = visitor.step(
        &VerifyStep::new(project, inputs)?,
        (&sources, &environment, &injected, &built, stock.as_ref(), dom0.as_ref()),
    )?;
    let signer = signer.as_ref();
    let signed = visitor.step(&SignStep { signer }, (&verified,))?;
    visitor.step(
        &PublishStep { project, signer },
        (&sources, &environment, &injected, dom0.as_ref(), &verified, &signed),
    )
}
