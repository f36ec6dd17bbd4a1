// SPDX-License-Identifier: GPL-2.0-or-later
//! Whose folders the program trusts, and who may look into it: what another user could put somewhere is
//! not taken, by whatever road it is named, and a process that holds a key is nobody's to read.

use crate::support::{Toy, ends_with, kept, program, refusal, scratch, stuck};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tempfile::TempDir;

/// A user of no machine.
const THEM: u32 = 4321;

/// A folder of another user with one of ours in it, and links of ours that lead there, or past it.
fn neighbourhood(test: &str) -> Option<TempDir> {
    if !rustix::process::geteuid().is_root() {
        crate::support::skip::skipped!("{test}: only root can make what belongs to another user");
        return None;
    }
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("theirs/ours")).unwrap();
    fs::create_dir(at("ours")).unwrap();
    symlink("theirs/ours", at("link")).unwrap();
    symlink("theirs/back", at("chain")).unwrap();
    symlink("../ours", at("theirs/back")).unwrap();
    chown(at("theirs"), Some(THEM), Some(THEM)).unwrap();
    Some(folder)
}

/// Roads to a folder that another user could change.
const ROADS: [&str; 4] = ["theirs/ours", "link", "chain", "theirs/../ours"];

#[test]
fn a_store_an_output_or_a_key_below_a_folder_of_another_user_is_refused_before_any_work() {
    let Some(folder) = neighbourhood("a folder of another user") else { return };
    let at = |name: &str| folder.path().join(name);
    let toy = Toy::new("toy-neighbours");
    let key = at("ours/key.asc");
    ends_with(0, program().args(["key", "new"]).arg(&key));
    fs::copy(&key, at("theirs/ours/key.asc")).unwrap();
    fs::create_dir_all(at("ours/vgpu-pipeline")).unwrap();
    fs::create_dir_all(at("theirs/ours/vgpu-pipeline")).unwrap();
    for ours in ["ours", "theirs/ours"] {
        fs::write(at(ours).join("vgpu-pipeline/config.yaml"), "mirrors: []\n").unwrap();
    }
    let all = || {
        let mut find = Command::new("find");
        find.arg(folder.path()).args(["-printf", "%p %y %s %U %m\n"]);
        ends_with(0, &mut find).stdout
    };
    let before = all();
    for road in ROADS {
        let names = |error: &str, what: &str| {
            let theirs = format!("lies in `{}` of the user {THEM}", at("theirs").display());
            assert!(error.starts_with(&format!("error: {what} `")), "{road}: {error}");
            assert!(error.contains(&theirs) && error.contains("\nhelp: "), "{road}: {error}");
            assert!(error.lines().count() <= 3, "{road}: {error}");
        };
        let road = at(road);
        let road = |name: &str| road.join(name);
        let store = road("new/store");
        names(&refusal(2, toy.run().env("VGPU_PIPELINE_STORE", store)), "the store");
        let mut run = program();
        run.arg("run").arg(toy.path("toy.yaml")).arg("--output");
        names(&refusal(2, run.arg(road("new/out"))), "the output");
        names(&refusal(2, toy.run().arg("--key").arg(road("key.asc"))), "the signing key");
        names(&refusal(2, program().args(["key", "show"]).arg(road("key.asc"))), "the signing key");
        names(&refusal(2, program().args(["key", "new"]).arg(road("new.asc"))), "the new key");
        let error = refusal(2, toy.run().env("XDG_DATA_HOME", road("data")));
        names(&error, "the folder of the development key");
        names(&refusal(2, toy.run().env("XDG_CONFIG_HOME", road(""))), "the settings");
    }
    // A key that was good is asked for again when its folder is given away.
    let show = |key: &Path| {
        let mut check = program();
        check.arg("check").arg(toy.path("toy.yaml")).arg("--key").arg(key);
        check
    };
    ends_with(0, &mut show(&key));
    chown(at("ours"), Some(THEM), None).unwrap();
    fs::create_dir(at("ours/deep")).unwrap();
    refusal(2, &mut show(&key));
    chown(at("ours"), Some(0), None).unwrap();
    ends_with(0, &mut show(&key));
    fs::remove_dir(at("ours/deep")).unwrap();
    assert!(all() == before, "{}", String::from_utf8_lossy(&all()));
}

/// Whatever the user's umask is: what the program makes on the way is as usual, and the store private.
#[test]
fn folders_on_the_way_are_for_all_to_pass_and_for_one_to_write() {
    for umask in ["000", "022", "077"] {
        let folder = scratch();
        let store = folder.path().join("deep/er/store");
        let script = format!("umask {umask}; exec \"$@\"");
        let program = env!("CARGO_BIN_EXE_vgpu-pipeline");
        let mut check = Command::new("sh");
        check.args(["-c", &script, "sh", program, "check"]).env("VGPU_PIPELINE_STORE", &store);
        ends_with(0, check.current_dir(folder.path()).env("XDG_DATA_HOME", kept("data")));
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o7777;
        let modes: Vec<u32> = store.ancestors().take(3).map(mode).collect();
        assert_eq!(modes, [0o700, 0o755, 0o755], "{umask}");
    }
}

/// A program of ours as another user, who may not trace it where it says so. Its standard output is full,
/// so that it stays with what it knows.
struct Kept {
    child: Child,
    _reader: std::io::PipeReader,
}

impl Kept {
    fn start(command: &mut Command) -> Self {
        let (child, reader) = stuck(command);
        Self { child, _reader: reader }
    }

    /// Whether the kernel gives its inside to root alone (`proc(5)`, `PR_SET_DUMPABLE`).
    fn is_closed(&self) -> bool {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        ["environ", "mem", "maps"].iter().all(|n| process.join(n).metadata().unwrap().uid() == 0)
    }

    /// Ends it as a fault would, and says whether that left a core.
    fn dumps(mut self) -> bool {
        ends_with(0, Command::new("kill").args(["-ABRT", &self.child.id().to_string()]));
        self.child.wait().unwrap().core_dumped()
    }
}

#[test]
fn a_process_that_holds_a_key_is_nobodys_to_look_into_whatever_it_has_it_from() {
    // Somebody's who is not root, to see the difference, and who gets to it; where the tests are no root's, theirs.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let root = rustix::process::geteuid().is_root();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let binary = folder.path().join("vgpu-pipeline");
    fs::copy(env!("CARGO_BIN_EXE_vgpu-pipeline"), &binary).unwrap();
    let key = home.join("vgpu-pipeline/development-key.asc");
    ends_with(0, program().args(["key", "new"]).arg(&key));
    if root {
        for path in [&home, &home.join("vgpu-pipeline"), &key] {
            chown(path, Some(THEM), Some(THEM)).unwrap();
        }
    }
    let as_them = |program: &Path| {
        let mut command = Command::new("prlimit");
        command.args(["--core=unlimited:unlimited"]);
        if root {
            let id = [format!("--reuid={THEM}"), format!("--regid={THEM}")];
            command.arg("setpriv").args(id).arg("--clear-groups");
        }
        command.arg(program).current_dir(&home).env("XDG_DATA_HOME", &home);
        command
    };
    let secret = fs::read_to_string(&key).unwrap();
    let ours = |args: &[&str]| {
        let mut command = as_them(&binary);
        command.args(args).env("MY_KEY", &secret).env("MY_PASSPHRASE", "correct horse");
        Kept::start(&mut command)
    };
    let file = key.to_str().unwrap();
    for args in [
        &["key", "show", file][..],
        &["key", "show", "--key-env", "MY_KEY"],
        &["key", "show", "--key-env", "MY_KEY", "--passphrase-env", "MY_PASSPHRASE"],
        &["key", "show", "--json", "--passphrase-env", "MY_PASSPHRASE", file],
        &["key", "show"],
        &["schema"],
    ] {
        let kept = ours(args);
        assert!(kept.is_closed(), "{args:?}");
        assert!(!kept.dumps(), "{args:?}");
    }
    assert!(fs::read_dir(&home).unwrap().flatten().all(|it| it.file_name() == "vgpu-pipeline"));
    // And another program in its place is open to its user, so that the look sees something.
    let kept = Kept::start(as_them(Path::new("sleep")).arg("60"));
    assert!(!kept.is_closed());
    let dumps = kept.dumps();
    if !dumps {
        println!("note: this machine dumps no cores, so that none is missed");
    }
}
