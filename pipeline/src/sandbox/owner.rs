// SPDX-License-Identifier: GPL-2.0-or-later
//! Whose a container is: the store that it works for and the process that started it stand on its
//! label. What a runner left that was killed together with its reaper is cleared by the next one of the
//! same store, and nobody else's is touched.

use super::{Engine, removal};
use crate::process::Runner;
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const STORE: &str = "vgpu-pipeline.store";
const RUNNER: &str = "vgpu-pipeline.runner";

/// A process of this machine, told apart from all that had or will have its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    boot: String,
    /// Numbers of processes mean something in one namespace only.
    namespace: String,
    id: u32,
    started: u64,
}

impl Process {
    fn this() -> Self {
        let id = std::process::id();
        Self { boot: boot(), namespace: namespace(), id, started: started(id).unwrap_or_default() }
    }

    fn label(&self) -> String {
        let Self { boot, namespace, id, started } = self;
        format!("{boot}/{namespace}/{id}/{started}")
    }

    fn parse(label: &str) -> Option<Self> {
        let [boot, namespace, id, started] = label.split('/').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (id, started) = (id.parse().ok()?, started.parse().ok()?);
        Some(Self { boot: boot.to_owned(), namespace: namespace.to_owned(), id, started })
    }

    /// Whether it is over for certain.
    fn is_gone(&self) -> bool {
        let here = self.boot == boot();
        !here || (self.namespace == namespace() && started(self.id) != Some(self.started))
    }
}

fn boot() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

/// When a process began, in the kernel's ticks (proc(5), the 22nd field); none if there is no such one.
fn started(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Its name stands in parentheses and may hold anything.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    // One that nobody waited for yet runs no more.
    (fields.first() != Some(&"Z")).then(|| fields.get(19)?.parse().ok())?
}

/// A store by its path.
fn identity(store: &Path) -> String {
    let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    blake3::hash(store.as_os_str().as_encoded_bytes()).to_hex()[..16].to_owned()
}

/// A name that no other container has or had.
pub fn container_name(purpose: &str) -> String {
    let Process { id, started, .. } = Process::this();
    format!("vgpu-pipeline-{purpose}-{id}-{started}")
}

/// The options that say whose a container is.
pub fn labels(runner: &Runner) -> [String; 2] {
    let store = identity(runner.works_for());
    [format!("--label={STORE}={store}"), format!("--label={RUNNER}={}", Process::this().label())]
}

/// Removes containers of this store whose runner is gone; once, before the first of our own.
pub fn sweep(runner: &Runner, engine: Engine) -> Result<()> {
    static SWEPT: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];
    let at = usize::from(engine == Engine::Docker);
    if SWEPT[at].swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let label = match engine {
        Engine::Podman => format!("{{{{index .Labels \"{RUNNER}\"}}}}"),
        Engine::Docker => format!("{{{{.Label \"{RUNNER}\"}}}}"),
    };
    let call = engine
        .call()
        .args(["ps", "--all", "--no-trunc", "--filter"])
        .arg(format!("label={STORE}={}", identity(runner.works_for())))
        .arg(format!("--format={{{{.ID}}}} {label}"));
    let listed = runner.run(&call.capture_stdout())?.stdout;
    for id in leftover(&listed) {
        runner.write("a container of a runner that is gone is removed");
        // Its own `--rm` may have come first.
        if let Err(error) = runner.run(&removal(engine, id))
            && crate::process::interrupted(&error).is_some()
        {
            return Err(error);
        }
    }
    Ok(())
}

fn leftover(listed: &str) -> impl Iterator<Item = &str> {
    listed.lines().filter_map(|line| {
        let (id, label) = line.split_once(' ')?;
        Process::parse(label.trim())?.is_gone().then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_containers_of_the_dead_are_left_over() {
        let me = Process::this();
        assert_eq!(Process::parse(&me.label()).unwrap(), me);
        let with = |change: fn(&mut Process)| {
            let mut other = me.clone();
            change(&mut other);
            other.label()
        };
        let earlier = with(|it| it.started -= 1);
        let rebooted = with(|it| it.boot = "0".into());
        let nobody = with(|it| it.id = 4_194_305);
        // What another namespace's number means cannot be known from here.
        let elsewhere = with(|it| (it.namespace, it.id) = ("1".into(), 4_194_305));
        let listed = format!(
            "a {}\nb {earlier}\nc {rebooted}\nd {nobody}\ne {elsewhere}\nf <no value>\ng \nh\n",
            me.label()
        );
        assert_eq!(leftover(&listed).collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}
