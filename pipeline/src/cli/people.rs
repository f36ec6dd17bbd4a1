//! Events for people: a line per stage on standard error, and a bar on a terminal while one is long.

use crate::run::{Event, Outcome, State};
use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// What a person sees.
pub struct Screen {
    bar: ProgressBar,
    terminal: bool,
    colour: bool,
}

impl Screen {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        // NO_COLOR counts when it is set and not empty (no-color.org).
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar, terminal, colour }
    }

    pub fn show(&self, event: &Event) {
        match event {
            Event::Started { stage, .. } => self.begin(stage.name()),
            Event::Progress { done, total, .. } => {
                self.bar.set_style(style("{prefix:<12} {wide_bar} {pos}/{len} {elapsed}"));
                self.bar.set_length(*total);
                self.bar.set_position(*done);
            }
            Event::Finished { stage, key, state, seconds } => {
                self.bar.finish_and_clear();
                let how = match state {
                    State::Cached => self.dim("cached"),
                    State::Ran => format!("{seconds:.1} s"),
                };
                self.line(&format!("{:<12} {how:<9} {}", stage.name(), self.dim(key.short())));
            }
            Event::Note { text, .. } => self.line(&format!("  {}", text::message(text))),
            Event::Output { path, rewritten } => {
                let what = if *rewritten { "written" } else { "unchanged" };
                let path = text::visible(&path.display().to_string());
                self.line(&format!("repository   {what:<9} {path}"));
            }
        }
    }

    /// What to do with the repository.
    pub fn close(&self, outcome: &Outcome) {
        let Some(output) = &outcome.output else { return };
        if outcome.development_key {
            self.line(
                "signed by a development key that was made on this machine: \
                 good for trying, not for a pool\n\
                 help: `vgpu-pipeline key new` makes a key, `sign.key` of the pipeline names it",
            );
        }
        self.line(&format!(
            "to serve it: python3 -m http.server --directory {} 8000",
            output.display()
        ));
    }

    /// Only a build says how much there is to do; the others show that they go on.
    fn begin(&self, stage: &'static str) {
        if self.terminal {
            self.bar.set_style(style("{prefix:<12} {spinner} {elapsed}"));
            self.bar.set_prefix(stage);
            self.bar.reset();
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(Duration::from_secs(1));
        }
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{text}");
        });
    }

    fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
