// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `source` as a step.

use super::{BringContext, Facts, Skipped, Sources, bring, kind};
use crate::files;
use crate::note::Note;
use crate::project::Project;
use crate::stage::{Context, KeyBuilder, Material, Materials, Needs, Network, Stage, Step, Value};
use crate::store::{FileRecord, Stored};
use anyhow::{Context as _, Result};

/// The most files that people are told of that were not taken and that nobody needs.
const MOST_NOTES: usize = 10;

pub struct SourceStep<'p> {
    pub project: &'p Project,
}

impl Step for SourceStep<'_> {
    const STAGE: Stage = Stage::Source;
    const REVISION: u32 = 5;
    type Value = Sources;
    type Takes<'s> = ();

    fn recipe(&self, mut key: KeyBuilder, (): &()) -> Option<KeyBuilder> {
        let pipeline = &self.project.pipeline;
        if let Some(spec) = &pipeline.spec.git {
            key = key.text("spec", spec.as_str());
        }
        Some(pipeline.source.iter().fold(key, |key, source| kind(source).recipe(key)))
    }

    fn needs(&self, network: Network) -> Result<Needs> {
        let sources = &self.project.pipeline.source;
        let needs = Needs { content: super::pins(sources), ..Needs::default() };
        let tools = |needs: Needs, source| needs.tools(kind(source).tools(network));
        Ok(sources.iter().fold(needs, tools))
    }

    fn run(&self, cx: &Context, (): ()) -> Result<Sources> {
        let Project { pipeline, base_dir, .. } = self.project;
        let work = cx.store().work()?;
        let spec = pipeline.spec.git.as_ref();
        let bringing = BringContext { spec, base_dir, work: &work, fetch: cx.fetch };
        let brought = bring(&pipeline.source, &bringing)?;
        let (files, skipped) = (brought.files, brought.skipped);
        let facts = Facts { files, skipped, contacted: cx.fetch.contacted() };
        let stored = cx.keep(work, &facts)?;
        Ok(Sources { stored, facts })
    }

    fn recall(&self, stored: Stored, (): ()) -> Result<Sources> {
        let facts = stored.facts()?;
        Ok(Sources { stored, facts })
    }

    fn notes(&self, sources: &Sources) -> Result<Vec<Note>> {
        Ok(notes(&sources.facts.skipped))
    }
}

impl Value for Sources {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    fn materials(&self) -> Result<Materials> {
        let file = |fact: &super::SourceFact| {
            let file = Material::of("source", &self.stored, &super::stored_name(&fact.file))?;
            Ok(file.named(&fact.file).from(fact.origin.as_deref()))
        };
        let files = self.facts.files.iter().map(file).collect::<Result<_>>()?;
        Ok(Materials { files, contacted: self.facts.contacted.clone() })
    }
}

impl Sources {
    /// The text of the spec that came with the sources; none where it is not as it was kept.
    pub fn spec_text(&self) -> Result<Option<Vec<u8>>> {
        let (name, path) = self.spec().context("the sources hold no spec")?;
        if FileRecord::of_plain(&path).ok().as_ref() != Some(self.stored.record_of(name)?) {
            return Ok(None);
        }
        files::read_any_text(&path, &files::SPEC).map(Some)
    }
}

/// What was not taken.
fn notes(skipped: &[Skipped]) -> Vec<Note> {
    let first = skipped.iter().take(MOST_NOTES);
    let mut notes: Vec<Note> = first.map(|it| Note::NotTaken { why: it.why.clone() }).collect();
    let count = skipped.len().saturating_sub(MOST_NOTES);
    if count > 0 {
        notes.push(Note::MoreNotTaken { count });
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    #[test]
    fn notes_are_few() {
        let why = Reason::new("no");
        let skipped = |name: u32| Skipped { name: name.to_string(), why: why.clone() };
        let notes = notes(&(0..100).map(skipped).collect::<Vec<_>>());
        assert_eq!(notes.len(), MOST_NOTES + 1);
        assert_eq!(notes[MOST_NOTES], Note::MoreNotTaken { count: 90 });
    }
}
