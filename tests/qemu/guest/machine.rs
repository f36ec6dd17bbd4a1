// SPDX-License-Identifier: GPL-2.0-or-later
//! A guest that boots under TCG: what it prints on its serial port, and QEMU's monitor.

use super::initramfs;
use crate::support;
use crate::support::requirements;
use serde_json::{Value, json};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A boot takes 3 s; a machine that is busy with other things may need much more, and only what hangs
/// has to come to an end here.
const LIMIT: Duration = Duration::from_secs(600);

pub struct Guest {
    child: Child,
    serial: Arc<Mutex<String>>,
    /// Ends when QEMU has closed the serial port, and everything of it was read.
    listener: Option<JoinHandle<()>>,
    console: ChildStdin,
    monitor: BufReader<UnixStream>,
    folder: TempDir,
    events: Vec<String>,
}

/// How a guest is started.
pub struct Boot<'a> {
    pub qemu: &'a Path,
    pub kernel: &'a Path,
    /// The part that `init` plays.
    pub part: &'a str,
    pub devices: &'a [&'a str],
    pub options: &'a [&'a str],
}

impl Boot<'_> {
    pub fn start(&self) -> Guest {
        let folder = support::scratch();
        let monitor = folder.path().join("monitor");
        // It ends with the thread of its test, however that ends: nothing is dropped where a test is killed.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "--"]).arg(self.qemu);
        // QEMU looks beside where it is installed, and these have no firmware.
        for (file, package) in [
            ("/usr/share/seabios/bios-256k.bin", "seabios"),
            ("/usr/share/qemu/linuxboot_dma.bin", "qemu-system-data"),
        ] {
            qemu.arg("-L").arg(requirements::file(file, package).parent().unwrap());
        }
        qemu.args(["-machine", "pc", "-accel", "tcg,tb-size=32", "-m", "256"]);
        qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"]);
        qemu.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        qemu.arg("-kernel").arg(self.kernel).arg("-initrd").arg(initrd());
        // Only a panic may break into what `init` prints, and it ends the boot. Linux panics where its
        // timer does not tick in time, which under TCG is for a busy machine to say.
        let line = format!("console=ttyS0 loglevel=1 panic=-1 no_timer_check vgpu={}", self.part);
        qemu.args(["-append", &line]).args(self.options);
        // These two parts are about starting again; in the others only a panic would.
        if !["reboot", "cycle"].contains(&self.part) {
            qemu.arg("-no-reboot");
        }
        qemu.args(self.devices.iter().flat_map(|device| ["-device", device]));
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped());
        qemu.stderr(File::create(folder.path().join("messages")).unwrap());
        // QEMU lets go of little at its end.
        qemu.env("ASAN_OPTIONS", "detect_leaks=0");
        let mut child = qemu.spawn().unwrap();
        let serial = Arc::new(Mutex::new(String::new()));
        let (sink, source) = (Arc::clone(&serial), child.stdout.take().unwrap());
        let listener = Some(thread::spawn(move || collect(source, &sink)));
        let start = Instant::now();
        let monitor = loop {
            match UnixStream::connect(&monitor) {
                Ok(stream) => break stream,
                Err(_) if start.elapsed() < LIMIT && child.try_wait().unwrap().is_none() => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{qemu:?}: {error}"),
            }
        };
        monitor.set_read_timeout(Some(LIMIT)).unwrap();
        let console = child.stdin.take().unwrap();
        let monitor = BufReader::new(monitor);
        let events = Vec::new();
        let mut guest = Guest { child, serial, listener, console, monitor, folder, events };
        guest.next_message();
        guest.qmp("qmp_capabilities", &json!({}));
        guest
    }
}

fn collect(mut source: impl Read, sink: &Mutex<String>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = source.read(&mut buffer) {
        // The serial port sends a carriage return before each newline.
        let text = String::from_utf8_lossy(&buffer[..count]).replace('\r', "");
        sink.lock().unwrap().push_str(&text);
    }
}

/// Made once for all guests.
fn initrd() -> &'static Path {
    static INITRD: OnceLock<PathBuf> = OnceLock::new();
    INITRD.get_or_init(|| {
        let scratch = support::scratch();
        let tree = scratch.path().join("tree");
        fs::create_dir(&tree).unwrap();
        let made = scratch.path().join("initrd");
        initramfs::make(&tree, &made);
        // A fixed place, since a static is never dropped.
        let kept = support::kept("initrd");
        // Whole or not at all: another suite may boot from it at this moment.
        let part = kept.with_extension(std::process::id().to_string());
        fs::copy(&made, &part).unwrap();
        fs::rename(&part, &kept).unwrap();
        kept
    })
}

impl Guest {
    /// Everything that the guest has printed.
    pub fn said(&self) -> String {
        self.serial.lock().unwrap().clone()
    }

    /// What the guest printed last under a heading that it has left again.
    #[track_caller]
    pub fn section(&self, heading: &str) -> String {
        let said = self.said();
        let start = format!("== {heading}\n");
        let (_, rest) = said.rsplit_once(&start).unwrap_or_else(|| panic!("{self}"));
        rest.split_once("== ").unwrap_or_else(|| panic!("{self}")).0.to_owned()
    }

    /// The registers that it printed there.
    #[track_caller]
    pub fn registers(&self, heading: &str) -> Value {
        serde_json::from_str(&self.section(heading))
            .unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Waits until the guest has printed a heading for the so manieth time.
    #[track_caller]
    pub fn reaches(&mut self, heading: &str, times: usize) {
        let line = format!("== {heading}\n");
        let start = Instant::now();
        loop {
            // Asked first: what it said before it went is there to be read, and then it was read.
            let gone = self.child.try_wait().unwrap().is_some();
            if gone {
                self.hear_all();
            }
            if self.said().matches(&line).count() >= times {
                return;
            }
            assert!(start.elapsed() < LIMIT && !gone, "no `{heading}`: {self}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Says a line to a guest that asks for one. Its terminal echoes, so not before it has said all.
    #[track_caller]
    pub fn answers(&mut self, line: &str) {
        self.reaches("asking", 1);
        self.say(line);
    }

    /// Says a line to the guest.
    pub fn say(&mut self, line: &str) {
        writeln!(self.console, "{line}").unwrap();
    }

    /// What a command of the monitor returns; it has to succeed.
    #[track_caller]
    pub fn qmp(&mut self, command: &str, arguments: &Value) -> Value {
        let message = json!({"execute": command, "arguments": arguments});
        writeln!(self.monitor.get_mut(), "{message}").unwrap();
        loop {
            let reply = self.next_message();
            if let Some(value) = reply.get("return") {
                return value.clone();
            }
            assert!(reply.get("error").is_none(), "{message}: {reply}\n{self}");
            self.events.push(reply["event"].as_str().unwrap().to_owned());
        }
    }

    #[track_caller]
    pub fn waits_for(&mut self, event: &str) {
        while !self.events.iter().any(|seen| seen == event) {
            let message = self.next_message();
            self.events.extend(message["event"].as_str().map(str::to_owned));
        }
        self.events.retain(|seen| seen != event);
    }

    #[track_caller]
    fn next_message(&mut self) -> Value {
        let mut line = String::new();
        let read = self.monitor.read_line(&mut line);
        assert!(matches!(read, Ok(1..)), "the monitor is gone: {read:?}\n{self}");
        serde_json::from_str(&line).unwrap()
    }

    /// KiB of memory that are QEMU's own, without the guest's where that is shared.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The guest powers off, and QEMU ends well and without a word.
    #[track_caller]
    pub fn ends(mut self) -> Self {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() < LIMIT => thread::sleep(Duration::from_millis(20)),
                None => panic!("nothing more after {} s: {self}", LIMIT.as_secs()),
            }
        };
        self.hear_all();
        assert!(self.said().contains("\n== end\n"), "no end: {self}");
        assert!(status.success() && self.messages().is_empty(), "{status}: {self}");
        self
    }

    /// Waits for the thread that listens, which is behind a QEMU that has ended.
    fn hear_all(&mut self) {
        let _ = self.listener.take().map(JoinHandle::join);
    }

    /// Tells QEMU to end. It may do so before its reply is out.
    pub fn quit(&mut self) {
        // In one piece: it ends at the closing brace, and takes nothing after that.
        let message = json!({"execute": "quit"}).to_string();
        self.monitor.get_mut().write_all(message.as_bytes()).unwrap();
    }

    /// Without the line of a sanitizer that knows no coroutines, which comes from every QEMU that has it.
    fn messages(&self) -> String {
        let all = fs::read_to_string(self.folder.path().join("messages")).unwrap_or_default();
        let said = |line: &&str| !line.contains("ASan doesn't fully support makecontext");
        all.split_inclusive('\n').filter(said).collect()
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QEMU:\n{}\nthe guest's serial port:\n{}", self.messages(), self.said())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
