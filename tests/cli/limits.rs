// SPDX-License-Identifier: GPL-2.0-or-later
//! Hostile inputs of every kind in the place of every input: refused with clear errors, exit code 2
//! (1 where it is judged as work), within two seconds of work and 64 MiB of memory.

use crate::support::{Toy, program, scratch};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

mod values;

/// What the kernel holds the program to: seconds of work, not of waiting for other processes' turns.
const BOUNDS: [&str; 3] = ["prlimit", "--cpu=2", "--data=67108864"];

/// The same command within bounds, and what it says: one error, or one for each mistake of a file; or why
/// that is no refusal.
pub fn refused(command: &Command, codes: &[i32]) -> Result<String, String> {
    let mut bounded = Command::new("timeout");
    bounded.arg("60").args(BOUNDS).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        bounded.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        value.map(|value| bounded.env(name, value));
    }
    let output = bounded.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
    let one = said.starts_with("error: ") && said.matches("error: ").count() == errors;
    let clear = said.lines().count() <= 12 * errors
        && said.lines().all(|line| line.chars().count() <= 2100);
    let calm = !said.contains("panicked") && !said.contains(['\u{1b}', '\u{202e}', '\u{9b}']);
    if code.is_some_and(|code| codes.contains(&code)) && one && clear && calm {
        Ok(said)
    } else {
        Err(format!("{code:?}: {}", said.chars().take(600).collect::<String>()))
    }
}

/// Looks at each of many cases on two threads, and returns what is wrong.
pub fn each<T: Sync>(cases: &[T], look: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, wrong) = (Mutex::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        *next - 1
                    };
                    let Some(case) = cases.get(at) else { break };
                    if let Some(found) = look(case) {
                        wrong.lock().unwrap().push(found);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Things that are no file of the kind that is asked for, by name.
struct Zoo {
    folder: tempfile::TempDir,
    _socket: UnixListener,
}

/// A name, and whether bytes alone can be such a file: a C file and a source may hold anything.
const OBJECTS: &[(&str, bool)] = &[
    ("fifo", false),
    ("socket", false),
    ("folder", false),
    ("loop", false),
    ("missing", false),
    ("to-nowhere", false),
    ("to-zero", false),
    ("to-fifo", false),
    ("hole", false),
    ("/dev/zero", false),
    ("/dev/null", false),
    ("/dev/tty", false),
    ("/proc/self/mem", false),
    ("/proc/self/environ", false),
    ("/proc/self/pagemap", false),
    ("/sys/kernel/mm/transparent_hugepage/enabled", false),
    ("plain/beneath", false),
    ("empty", true),
    ("nul", true),
    ("utf-16", true),
    ("binary", true),
    ("long-line", true),
    ("brackets", true),
    ("escapes", true),
];

impl Zoo {
    fn new() -> Self {
        let folder = scratch();
        let path = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        let socket = UnixListener::bind(path("socket")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink(path("loop"), path("loop")).unwrap();
        symlink(path("missing"), path("to-nowhere")).unwrap();
        symlink("/dev/zero", path("to-zero")).unwrap();
        symlink(path("fifo"), path("to-fifo")).unwrap();
        File::create(path("hole")).unwrap().set_len(1 << 40).unwrap();
        fs::write(path("plain"), "plain\n").unwrap();
        fs::write(path("empty"), "").unwrap();
        fs::write(path("nul"), "version: 1\nname: a\0b\n").unwrap();
        let wide: Vec<u8> =
            "\u{feff}version: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(path("utf-16"), wide).unwrap();
        fs::write(path("binary"), fs::read("/bin/true").unwrap()).unwrap();
        fs::write(path("long-line"), "x".repeat(1 << 20)).unwrap();
        fs::write(path("brackets"), "[".repeat(50_000)).unwrap();
        fs::write(path("escapes"), "\u{1b}[2J\u{202e}: \u{9b}\n").unwrap();
        Self { folder, _socket: socket }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Where a file can be named, and whether its content has to be text of some form.
const PLACES: &[(&str, bool)] = &[
    ("pipeline", true),
    ("contract", true),
    ("lock", true),
    ("settings", true),
    ("installed", true),
    ("spec", true),
    ("containerfile", false),
    ("device", false),
    ("source", false),
    ("wrapper", false),
    ("signing key", true),
    ("signing key of the pipeline", true),
    ("key show", true),
    ("verify", true),
    ("verify --against", true),
    ("verify --installed", true),
    ("verify --pipeline", true),
    ("verify --key", true),
];

/// A command with a hostile file in one place.
fn command(place: &str, file: &Path, toy: &Toy, home: &Path) -> Command {
    let shown = file.display().to_string();
    let mut check = program();
    check.arg("check").arg(toy.path("toy.yaml"));
    let verify = |option: &str| {
        let mut verify = program();
        verify.args(["verify", "/bin/true", option]).arg(file);
        verify
    };
    let first = |from: &str, to: &str| toy.edit("toy.yaml", from, to);
    match place {
        "pipeline" => {
            let mut check = program();
            check.arg("check").arg(file);
            return check;
        }
        "contract" => first("verify:\n", &format!("verify:\n  contracts: ['{shown}']\n")),
        "installed" => first("verify:\n", &format!("verify:\n  installed: '{shown}'\n")),
        "spec" => first("file: qemu.spec", &format!("file: '{shown}'")),
        "containerfile" => {
            first("containerfile: Containerfile", &format!("containerfile: '{shown}'"))
        }
        "device" => {
            let link = toy.path("other.c");
            symlink(file, &link).unwrap();
            toy.edit("toy.yaml", "source: vgpu-stub.c", "source: other.c").edit(
                "toy.yaml",
                "add-source: vgpu-stub.c",
                "add-source: other.c",
            )
        }
        "source" => {
            symlink(file, toy.path("other.tar.gz")).unwrap();
            first("file: qemu-4.2.1.tar.gz", "file: other.tar.gz")
        }
        "wrapper" => {
            symlink(file, toy.path("other-wrapper")).unwrap();
            let section = format!(
                "wrapper:\n  vendor:\n    path: {{ file: other-wrapper, sha256: {} }}\nverify:\n",
                "0".repeat(64)
            );
            first("verify:\n", &section)
        }
        "signing key of the pipeline" => {
            first("build:\n", &format!("sign:\n  key: {{ file: '{shown}' }}\nbuild:\n"))
        }
        "lock" => {
            let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
            let (from, to) = (text.find("  base:").unwrap(), text.find("\ndevice:").unwrap());
            let base =
                "  base:\n    image: { reference: 'h/c:7', repositories: [], packages: [] }\n";
            let text = format!("{}{base}{}", &text[..from], &text[to..]);
            fs::write(toy.path("toy.yaml"), text).unwrap();
            symlink(file, toy.path("toy.lock")).unwrap();
            toy
        }
        "settings" => {
            fs::create_dir_all(home.join("vgpu-pipeline")).unwrap();
            symlink(file, home.join("vgpu-pipeline/config.yaml")).unwrap();
            let mut run = toy.until("source");
            run.arg("--offline");
            return run;
        }
        "signing key" => {
            check.arg("--key").arg(file);
            return check;
        }
        "key show" => {
            let mut show = program();
            show.args(["key", "show"]).arg(file);
            return show;
        }
        "verify" => {
            let mut verify = program();
            verify.arg("verify").arg(file);
            return verify;
        }
        other => return verify(other.strip_prefix("verify ").unwrap()),
    };
    check
}

#[test]
fn nothing_but_a_file_is_read_in_the_place_of_any_input() {
    let zoo = Zoo::new();
    let mut cases = Vec::new();
    for (place, text) in PLACES {
        for (object, bytes) in OBJECTS {
            // What may hold any bytes is not refused for what they are.
            if *text || !*bytes {
                cases.push((*place, *object));
            }
        }
    }
    let wrong = each(&cases, |(place, object)| {
        let (toy, home, store) = (Toy::new("toy-limits"), scratch(), scratch());
        let file = zoo.path(object);
        let mut command = command(place, &file, &toy, home.path());
        command.env("VGPU_PIPELINE_STORE", store.path()).env("XDG_CONFIG_HOME", home.path());
        // A lock and settings that are not there are none; an empty settings file says nothing.
        let absent = ["missing", "to-nowhere", "plain/beneath"].contains(object);
        if ["lock", "settings"].contains(place) && absent
            || (*place, *object) == ("settings", "empty")
            || (*place, *object) == ("verify", "binary")
            || (*place, *object) == ("verify --against", "binary")
        {
            return None;
        }
        let codes: &[i32] = if place.starts_with("verify") { &[1, 2] } else { &[2] };
        refused(&command, codes).err().map(|why| format!("{object} as {place}: {why}"))
    });
    assert!(cases.len() >= 152, "{}", cases.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Options that take a path, a name or an address, with what is none.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["run", "--mirror=http://me:C4n4ry@host/", "FILE"], "a folder on this machine"),
    (&["run", "--mirror=ZOO/fifo", "FILE"], "a folder on this machine"),
    (&["run", "--mirror=ZOO/plain", "FILE"], "a folder on this machine"),
    (&["run", "--mirror=", "FILE"], "a folder on this machine"),
    (&["run", "--mirror=\u{1b}]0;C4n4ry\u{7}", "FILE"], "a folder on this machine"),
    (&["run", "--mirror=http://host/a?token=C4n4ry@", "FILE"], "a folder on this machine"),
    // What another option makes idle.
    (&["run", "--until=build", "--output=ZOO/new", "FILE"], "`--output` is about the repository"),
    (&["run", "--until=sign", "--replace", "FILE"], "`--replace` is about the repository"),
    (&["run", "--until=source", "--accept-new-signer", "FILE"], "`--until source` makes none"),
    (&["run", "--offline", "--mirror=http://host/", "FILE"], "`--offline` asks no server"),
    (&["lock", "--mirror=ZOO", "FILE"], "`--mirror` is for `lock --fetch`"),
    (&["lock", "--check", "--mirror=ZOO", "FILE"], "`--mirror` is for `lock --fetch`"),
    (&["lock", "--check", "--engine=podman", "FILE"], "cannot be used with"),
    (&["lock", "--key=ZOO/plain", "FILE"], "unexpected argument '--key'"),
    (&["shell", "--key-env=MY_KEY", "FILE"], "unexpected argument '--key-env'"),
    (&["verify", "--parent=device", "/bin/true"], "--device <NAME>"),
    (&["verify", "--property=a=str", "/bin/true"], "--device <NAME>"),
    (&["check", "--store=ZOO/fifo", "FILE"], "ZOO/fifo"),
    (&["check", "--store=ZOO/plain", "FILE"], "ZOO/plain"),
    (&["check", "--store=ZOO/loop", "FILE"], "ZOO/loop"),
    (&["check", "--store=/dev/null", "FILE"], "/dev/null"),
    (&["check", "--store=/proc/self/mem", "FILE"], "/proc/self/mem"),
    (&["check", "--key=ZOO/fifo", "FILE"], "it is a pipe"),
    (&["check", "--key=", "FILE"], ""),
    (&["check", "--key-env=", "FILE"], "is not"),
    (&["check", "--key-env=A=B", "FILE"], "is not"),
    (&["check", "--key-env=\u{202e}", "FILE"], "is not"),
    (&["check", "--key-env=NOBODY_SET_THIS", "FILE"], "has no signing key"),
    (&["key", "show", "--key-env=NOBODY_SET_THIS"], "has no signing key"),
    (&["key", "new", "ZOO/fifo"], "cannot write the key"),
    (&["key", "new", "ZOO/plain"], "cannot write the key"),
    (&["key", "new", "ZOO/plain/key"], "cannot write the key"),
    (&["key", "new", "--user-id=", "ZOO/new"], "user id"),
    (&["key", "new", "--user-id=a\nb", "ZOO/new"], "user id"),
];

#[test]
fn options_refuse_what_they_cannot_take() {
    let zoo = Zoo::new();
    let folder = zoo.folder.path().display().to_string();
    let wrong = each(OPTIONS, |(args, expected)| {
        let (toy, store) = (Toy::new("toy-options"), scratch());
        let file = toy.path("toy.yaml").display().to_string();
        let mut command = program();
        command.args(args.iter().map(|arg| arg.replace("ZOO", &folder).replace("FILE", &file)));
        command.env("VGPU_PIPELINE_STORE", store.path());
        match refused(&command, &[2]) {
            Ok(said) if said.contains("C4n4ry@") || said.contains(":C4n4ry") => {
                Some(format!("{args:?}: a password in {said}"))
            }
            Ok(said) if said.contains(&expected.replace("ZOO", &folder)) => None,
            Ok(said) => Some(format!("{args:?}: no `{expected}` in {said}")),
            Err(why) => Some(format!("{args:?}: {why}")),
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fs::read_to_string(zoo.path("plain")).unwrap(), "plain\n");
}
