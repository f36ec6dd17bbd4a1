// SPDX-License-Identifier: GPL-2.0-or-later
//! Events for people: a line per stage on standard error. On a terminal a bar shows how far a long one is;
//! elsewhere a line says what has begun, and every half minute where it is.

use super::notes;
use crate::run::{Event, Outcome, State};
use crate::stage::Stage;
use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a log is told where a stage is.
const PULSE: Duration = Duration::from_secs(30);

/// Shows events to a person.
pub struct ProgressReporter {
    terminal: bool,
    colour: bool,
    bar: RefCell<Option<ProgressBar>>,
    pulse: RefCell<Option<Pulse>>,
}

impl ProgressReporter {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        // NO_COLOR counts when it is set and not empty (no-color.org).
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { terminal, colour, bar: RefCell::default(), pulse: RefCell::default() }
    }

    pub fn show(&self, event: &Event) {
        match event {
            Event::Started { stage, .. } => self.start(*stage),
            Event::Progress { done, total, .. } => {
                if let Some(bar) = &*self.bar.borrow() {
                    bar.set_style(style("{prefix:<12} {wide_bar} {pos}/{len} {elapsed}"));
                    bar.set_length(*total);
                    bar.set_position(*done);
                }
                if let Some(pulse) = &*self.pulse.borrow() {
                    pulse.reached(*done, *total);
                }
            }
            Event::Finished { stage, key, state, seconds } => {
                self.stop();
                let how = match state {
                    State::Cached => self.dim("cached"),
                    State::Ran => format!("{seconds:.1} s"),
                };
                self.line(&format!("{:<12} {how:<9} {}", stage.name(), self.dim(key.short())));
            }
            Event::Note { note, .. } => {
                self.line(&format!("  {}", text::message(&notes::render(note))));
            }
            Event::Output { path, rewritten } => {
                let what = if *rewritten { "written" } else { "unchanged" };
                let path = text::visible(&path.display().to_string());
                self.line(&format!("repository   {what:<9} {path}"));
            }
            // What the command itself prints at its end.
            Event::Failed(_) => {}
        }
    }

    /// What to do with the repository.
    pub fn close(&self, outcome: &Outcome) {
        let Some(output) = &outcome.output else { return };
        if outcome.development_key {
            self.line(
                "signed by a development key that was made on this machine: \
                 good for trying, not for a pool\n\
                 help: `vgpu-pipeline key new FILE` makes a key, `sign.key` of the pipeline names it",
            );
        }
        self.line(&format!(
            "to serve it: python3 -m http.server --directory {} 8000",
            output.display()
        ));
    }

    /// Only a build says how much there is to do; the others show that they go on.
    fn start(&self, stage: Stage) {
        if !self.terminal {
            let _ = writeln!(std::io::stderr(), "{:<12} started", stage.name());
            *self.pulse.borrow_mut() = Some(Pulse::of(stage.name()));
            return;
        }
        // Drawn from its first tick on, which a stage that is done in a moment does not reach.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{prefix:<12} {spinner} {elapsed}"));
        bar.set_prefix(stage.name());
        bar.enable_steady_tick(Duration::from_secs(1));
        *self.bar.borrow_mut() = Some(bar);
    }

    fn stop(&self) {
        if let Some(bar) = self.bar.borrow_mut().take() {
            bar.finish_and_clear();
        }
        self.pulse.borrow_mut().take();
    }

    fn line(&self, text: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

impl Drop for ProgressReporter {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Says every half minute where a stage is, until it is dropped.
struct Pulse {
    reached: Arc<Mutex<Option<(u64, u64)>>>,
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    fn of(stage: &'static str) -> Self {
        let reached = Arc::new(Mutex::new(None));
        let (ends, ended) = channel::<()>();
        let (shared, began) = (Arc::clone(&reached), Instant::now());
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                let at = shared.lock().ok().and_then(|at| *at);
                let at = at.map(|(done, total)| format!(", {done} of {total}")).unwrap_or_default();
                let seconds = began.elapsed().as_secs();
                let _ = writeln!(std::io::stderr(), "{stage:<12} {seconds} s{at}");
            }
        });
        Self { reached, ends: Some(ends), thread: Some(thread) }
    }

    fn reached(&self, done: u64, total: u64) {
        if let Ok(mut reached) = self.reached.lock() {
            *reached = Some((done, total));
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.ends.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
