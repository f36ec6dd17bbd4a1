// SPDX-License-Identifier: GPL-2.0-or-later
//! The dynamic proof against a real QEMU, the workstation's: one thing that its device is not, at a
//! time, and what is said of it; and QEMUs that are up to no good.

mod answers;

use crate::support::requirements;
use crate::support::{self, ends_with, events, program, scratch};
use crate::support::{has_note, key, notes_of};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;
use vgpu_pipeline::Stage;

/// The workstation's pipeline, whose build the store has, with a contract of its own.
struct Judgement {
    folder: TempDir,
}

impl Judgement {
    fn new() -> Self {
        support::workstation();
        let judgement = Self { folder: scratch() };
        let root = support::root();
        let text = fs::read_to_string(root.join("pipeline/workstation.yaml")).unwrap();
        let text = text
            .replace("name: workstation\n", "name: test-probe\n")
            .replace("../device/vgpu-stub.yaml", "contract.yaml")
            .replace("../", &format!("{}/", root.display()))
            .replace("workstation/", &format!("{}/pipeline/workstation/", root.display()))
            .replace("  guest: {}\n", "");
        assert!(text.contains("[contract.yaml]"), "{text}");
        fs::write(judgement.path("p.yaml"), text).unwrap();
        let contract = fs::read_to_string(root.join("device/vgpu-stub.yaml")).unwrap();
        fs::write(judgement.path("contract.yaml"), contract).unwrap();
        // No earlier judgement is of a device with this number.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        let start = |number| format!("{{ vm_id: {number} }}, reads: {{ 0x010: {number} }}");
        judgement.with("contract.yaml", &start(1), &start(now.max(2)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With one piece of text of a file, which has to be there, replaced.
    fn with(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        fs::write(self.path(file), text.replacen(from, to, 1)).unwrap();
        self
    }

    fn run(&self) -> Command {
        let mut run = program();
        run.arg("run").arg(self.path("p.yaml")).args(["--until", "verify"]);
        run
    }

    /// What people are told of the stage.
    fn notes(&self) -> Vec<String> {
        notes_of(&events(&mut self.run()), |stage| stage == Stage::Verify)
    }

    /// Our own file before the real podman: what a QEMU in its container plays when a session with this
    /// in its argv starts.
    fn played(&self, session: &str, script: &str) -> Command {
        let inside = format!(
            "pipes=$(printf '%s\\n' \"$*\" | sed 's/.*source=\\([^,]*\\),target=.answers,.*/\\1/')\n\
             exec 9>\"$pipes/end\"; echo begun >&9; status=0\n\
             sh -c '{}' >\"$pipes/out\" 2>\"$pipes/err\" 9>&- || status=$?\n\
             echo \"ended $status\" >&9; exit $status",
            script.replace('\'', r"'\''")
        );
        self.engine(session, &inside)
    }

    /// The engine itself plays then.
    fn engine(&self, session: &str, script: &str) -> Command {
        let real = requirements::program("podman", "podman");
        let text = format!(
            "#!/bin/sh\nset -eu\ncase \"$*\" in run*'{session}'*) {script} ;; esac\nexec {} \"$@\"\n",
            real.display()
        );
        let folder = self.path("bin");
        fs::create_dir(&folder).unwrap();
        let podman = folder.join("podman");
        fs::write(&podman, text).unwrap();
        fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut run = self.run();
        run.env("PATH", format!("{}:{path}", folder.display()));
        run
    }
}

/// The store's record of a judgement.
fn checks(key: &str) -> Vec<Value> {
    let record = support::kept("store").join(format!("results/verify-{key}/record.json"));
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let checks = |binary: &Value| binary["checks"].as_array().unwrap().clone();
    record["record"]["facts"]["probed"].as_array().unwrap().iter().flat_map(checks).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_the_device_is_not_is_refused_with_what_was_found() {
    let plain = "`vgpu-stub` without properties: ";
    let bar = "{ index: 0, kind: memory32, size: 0x1000 }";
    let all = format!("{bar}\n    - {{ index: 2, kind: io, size: 32 }}");
    let ones = "BAR 0 after all ones (32-bit memory, ";
    for (from, to, expected) in [
        (
            "vendor: 0x1af4",
            "vendor: 0x1af5",
            format!("{plain}the vendor id in configuration space is 0x1af4, expected 0x1af5"),
        ),
        ("device: 0x1111", "device: 0x1112", "the device id in configuration space is 0x1111".into()),
        ("revision: 0x01", "revision: 0x02", "the revision in configuration space is 0x1, ".into()),
        ("class: 0x1200", "class: 0x0300", "the class in configuration space is 0x1200, ".into()),
        (
            "subsystem-vendor: 0x1af4",
            "subsystem-vendor: 1",
            "the subsystem's vendor id in configuration space is 0x1af4, expected 0x1".into(),
        ),
        ("subsystem: 0x1100", "subsystem: 2", "the subsystem id in configuration space is 0x1100".into()),
        (
            "interrupt-pin: 0",
            "interrupt-pin: 1",
            "the interrupt pin in configuration space is 0x0, expected 0x1".into(),
        ),
        (
            "size: 0x1000",
            "size: 0x2000",
            format!("{plain}{ones}0x2000 bytes) is 0xfffff000, expected 0xffffe000"),
        ),
        (
            "kind: memory32",
            "kind: memory64",
            "(64-bit memory, 0x1000 bytes) is 0xfffff000, expected 0xfffff004".into(),
        ),
        (
            "size: 0x1000",
            "size: 0x1000, prefetchable: true",
            format!("{ones}0x1000 bytes) is 0xfffff000, expected 0xfffff008"),
        ),
        (bar, &all, "BAR 2 after all ones (ports, 0x20 bytes) is 0x0, expected 0xffe1".into()),
        (
            "0x008: 0x41, 0x00c: 1,",
            "0x008: 0x42, 0x00c: 1,",
            format!("{plain}register 0x008 at the start is 0x41, expected 0x42"),
        ),
        (
            "then: { 0x000: 0, 0x004: 1 }",
            "then: { 0x000: 0, 0x004: 0 }",
            format!("{plain}register 0x004 after the writes is 0x1, expected 0x0"),
        ),
        (
            "with: { vm_id: 0x10 }, reads: { 0x010: 16 }",
            "with: { vm_id: 0x10 }, reads: { 0x010: 10 }",
            "`vgpu-stub` with `vm_id=0x10`: register 0x010 at the start is 0x10, expected 0xa".into(),
        ),
        (
            "with: { priority: \"\" }",
            "with: { priority: urgent }",
            "does not start with devices that it has to accept: -device vgpu-stub,addr=c,\
             priority=urgent: property 'priority' must be 'low', 'medium' or 'high', not 'urgent'"
                .into(),
        ),
        (
            "with: { pool_id: A }",
            "with: { shade: A }",
            "-device vgpu-stub,addr=6,shade=A: Property 'vgpu-stub.shade' not found".into(),
        ),
        (
            "with: { pool_id: a }, refused",
            "with: { pool_id: B }, refused",
            "`vgpu-stub` with `pool_id=B` starts, and has to be refused with `property".into(),
        ),
        (
            "'pool_id' must be 'A' or 'B', not 'C'",
            "'pool_id' may not be 'C'",
            "`vgpu-stub` with `pool_id=C` is refused with other words\n  found    property 'pool_id' \
             must be 'A' or 'B', not 'C'\n  expected property 'pool_id' may not be 'C'"
                .into(),
        ),
        (
            "vm_id: uint32",
            "vm_id: uint32, shade: str",
            "type `vgpu-stub` has no property `shade=<str>`; it has: ".into(),
        ),
        (
            "[conventional-pci-device]",
            "[pci-express-device]",
            "type `vgpu-stub` has no interface `pci-express-device`".into(),
        ),
    ] {
        let judgement = Judgement::new().with("contract.yaml", from, to);
        let error = said(&ends_with(1, &mut judgement.run()));
        assert!(error.contains(&expected), "{from} -> {to}\n{error}");
        // `--nocapture` shows them all.
        println!("{to}\n{error}");
    }
}

#[test]
fn what_was_run_and_what_was_not_is_told_and_kept() {
    let guest = "  guest: { kernel: /no/such/kernel }\n  provides:";
    let judgement = Judgement::new().with("p.yaml", "  provides:", guest);
    let events = events(&mut judgement.run());
    let checks = checks(&key(&events, "verify"));
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["help", "types", "machine", "starts", "refused", "settings", "guest"]);
    let last = checks.last().unwrap();
    assert_eq!(last["state"], "not-run");
    assert_eq!(last["why"], "the kernel `/no/such/kernel` cannot be read");
    assert!(checks[..6].iter().all(|check| check["state"] == "passed"), "{checks:#?}");
    let has_note = |wanted: &str| has_note(&events, wanted);
    assert!(has_note("not run: guest: the kernel `/no/such/kernel` cannot be read"), "{events:#?}");
    assert!(has_note("refused (9 starts)"), "{events:#?}");
}

#[test]
fn settings_that_the_device_does_not_take_are_refused() {
    for (from, to, expected) in [
        (
            "one-of: [A, B], default",
            "one-of: [A, B, C], default",
            "`settings` of `vgpu-stub` admits what the device refuses: `vgpu-stub` with `pool_id=C`, \
             `priority=medium`, `vm_id=0`: -device vgpu-stub,",
        ),
        (
            "default: medium, help",
            "default: low, help",
            "`vgpu-stub` with `priority=low` does not behave as unset: register 0x00c reads 0x0, and 0x1",
        ),
    ] {
        let judgement = Judgement::new().with("contract.yaml", from, to);
        let error = said(&ends_with(1, &mut judgement.run()));
        assert!(error.contains(expected), "{from} -> {to}\n{error}");
    }
}

#[test]
fn linux_sees_what_the_contract_says() {
    let judgement = Judgement::new().with("p.yaml", "  provides:", "  guest: {}\n  provides:");
    let guest = |note: &String| note.contains("guest (Linux ") && note.contains(" sees 13 devices");
    let notes = judgement.notes();
    assert!(notes.iter().any(guest), "{notes:#?}");
}

#[test]
fn a_qemu_that_is_up_to_no_good_is_one_clear_error() {
    for (script, expected) in [
        ("printf '\\001\\377\\0garbage\\n'; exit 0", "it gave no reply to `qmp_capabilities`"),
        ("echo '{\"QMP\"'; exit 0", "not a line of QMP: `{\\\"QMP\\\"`"),
        ("exec yes", "printed more than 4194304 lines"),
        ("exec cat /dev/zero", "printed more than 16777216 bytes"),
        (
            "echo '{\"QMP\": {}}'; echo 'qemu-system-x86_64: boom' >&2; exit 134",
            "gave up in a QMP session: boom",
        ),
        ("kill -9 $$", "ended with exit code 137"),
        ("exit 125", "ended with exit code 125"),
    ] {
        let judgement = Judgement::new();
        let error = said(&ends_with(1, &mut judgement.played("none,accel=qtest", script)));
        assert!(error.contains(expected), "{script}\n{error}");
    }
}

#[test]
fn a_machine_that_answers_garbage_to_accesses_is_named() {
    for (script, expected) in [
        ("echo hello; exit 0", "it answered `hello` to `outl 0xcf8 0x80001800`"),
        ("echo OK; exit 0", "it gave no answer to `inl 0xcfc`"),
        ("echo OK; echo OK 0xffffffff; exit 0", "the vendor id in configuration space is 0xffff"),
    ] {
        let judgement = Judgement::new();
        let error = said(&ends_with(1, &mut judgement.played("-qtest stdio", script)));
        assert!(error.contains(expected), "{script}\n{error}");
    }
}

#[test]
fn a_binary_without_qmp_and_machines_is_listed_as_not_run() {
    let judgement = Judgement::new();
    let script = "echo 'qemu-system-x86_64: no such option' >&2; exit 1";
    let output = ends_with(0, &mut judgement.played(" -machine ", script));
    let output_text = said(&output);
    for expected in [
        "not run: types: no QMP with `-machine none`: no such option",
        "not run: machine: it lists no machines: no such option",
        "not run: starts: it needs a machine",
        "not run: refused: it needs a machine",
    ] {
        assert!(output_text.contains(expected), "{output_text}");
    }
}

#[test]
fn an_interrupted_session_leaves_nothing_behind() {
    let judgement = Judgement::new();
    let begun = judgement.path("begun");
    // No other suite on this machine sleeps as long.
    let sleep = format!("sleep 86342.{}", std::process::id());
    let script = format!("touch {}; exec {sleep}", begun.display());
    let mut run = judgement.played("none,accel=qtest", &script);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&begun);
    ends_with(0, Command::new("kill").args(["-INT", &child.id().to_string()]));
    let signalled = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let took = signalled.elapsed();
    assert!(took < support::within(Duration::from_secs(5)), "{took:?}");
    let sleeping = Command::new("pgrep").args(["-f", &format!("^{sleep}$")]).status().unwrap();
    assert_eq!(sleeping.code(), Some(1), "it sleeps on");
}

fn wait_for(file: &Path) {
    let began = Instant::now();
    while !file.exists() {
        assert!(began.elapsed() < support::within(Duration::from_secs(300)), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}
