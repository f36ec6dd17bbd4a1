// SPDX-License-Identifier: GPL-2.0-or-later
//! Bad input: exit code 2, one error that names the place, before any work and without a trace.

use crate::support::{Toy, ends_with, kept, program, refusal, root, scratch, stable};
use insta::assert_snapshot;
use std::fs;
use std::process::Command;

/// What `run` says of a pipeline with one thing wrong, and that it wrote nothing.
fn run_refuses(file: &str, from: &str, to: &str) -> String {
    let toy = Toy::new("toy-input");
    toy.edit(file, from, to);
    let store = scratch();
    let error = refusal(2, toy.run().env("VGPU_PIPELINE_STORE", store.path()));
    assert!(!toy.output().exists());
    assert_eq!(fs::read_dir(store.path().join("results")).unwrap().count(), 0);
    assert!(error.starts_with("error: "), "{error}");
    error
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    let error = run_refuses("toy.yaml", "    source: vgpu-stub.c", "    sauce: vgpu-stub.c");
    assert_snapshot!(stable(&error), @"
    error: device[0]: unknown key `sauce`
      --> FOLDER/toy.yaml:39:5
       |
    39 |     sauce: …
       |     ^^^^^
       |
       = help: did you mean `source`?
    ");
}

#[test]
fn a_wrong_type_and_a_missing_section_name_their_place() {
    let error = run_refuses("toy.yaml", "name: toy-input", "name: [toy-input]");
    assert_snapshot!(stable(&error), @"
    error: name: this is a list, and one value is wanted
     --> FOLDER/toy.yaml:3:7
      |
    3 | name: […]
      |       ^^^
      |
      = help: one value is wanted: leave out the `- ` or the brackets; text that begins with `[` wants quotes
    ");
    let error = run_refuses("toy.yaml", "\nspec:\n", "\nspek:\n");
    assert_snapshot!(stable(&error), @"
    error: unknown key `spek`
      --> FOLDER/toy.yaml:41:1
       |
    41 | spek:
       | ^^^^
       |
       = help: did you mean `spec`?
    ");
    let text = "version: 1\nname: empty\nsource: []\n";
    let folder = scratch();
    let file = folder.path().join("p.yaml");
    fs::write(&file, text).unwrap();
    let error = refusal(2, program().arg("check").arg(&file));
    assert_snapshot!(stable(&error), @"
    error: the keys `environment`, `device`, `spec`, `verify` are missing
     --> FOLDER/p.yaml:1:1
      |
    1 | version: 1
      | ^^^^^^^
      |
      = help: `vgpu-pipeline schema` describes them

    error: source: this list is empty
     --> FOLDER/p.yaml:3:9
      |
    3 | source: []
      |         ^^
      |
      = help: it is for: what is built, every byte of it pinned
    ");
}

#[test]
fn a_missing_file_is_named() {
    let error = refusal(2, program().args(["run", "no/such/pipeline.yaml"]));
    assert_snapshot!(stable(&error), @"error: cannot read the pipeline file `no/such/pipeline.yaml`: No such file or directory (os error 2)");
    let error = run_refuses("toy.yaml", "    source: vgpu-stub.c", "    source: gone/vgpu-stub.c");
    assert_snapshot!(stable(&error), @"
    error: device[0].source: `FOLDER/gone/vgpu-stub.c`: No such file or directory (os error 2)
      --> FOLDER/toy.yaml:39:13
       |
    39 |     source: gone/vgpu-stub.c
       |             ^^^^^^^^^^^^^^^^
       |
       = help: a path starts from the folder of the pipeline file
    ");
    let error = run_refuses("toy.yaml", "file: qemu-4.2.1.tar.gz", "file: gone.tar.gz");
    assert_snapshot!(stable(&error), @"
    error: source[0].path.file: source `FOLDER/gone.tar.gz`: No such file or directory (os error 2)
     --> FOLDER/toy.yaml:7:13
      |
    7 |       file: gone.tar.gz
      |             ^^^^^^^^^^^
    ");
}

#[test]
fn an_anchor_has_to_be_there_exactly_once() {
    let error = run_refuses("toy.yaml", "anchor: tar xzf %{SOURCE2}", "anchor: tar xzf %{SOURCE7}");
    assert_snapshot!(stable(&error), @"
    error: FOLDER/qemu.spec: anchor `tar xzf %{SOURCE7}` of `insert-after` is in no line
        23: tar xzf %{SOURCE2}
        36: rm -rf %{buildroot}
         4: Summary: Stand-in for the qemu-dm device model
    help: these lines come nearest; take text that stands in exactly one line of the spec
    ");
    let error = run_refuses("toy.yaml", "anchor: tar xzf %{SOURCE2}", "anchor: make");
    assert_snapshot!(stable(&error), @"
    error: FOLDER/qemu.spec: anchor `make` of `insert-after` is there 3 times, not once
        14: BuildRequires: make
        33: %{__make} %{?_smp_mflags} all
        37: %{__make} %{?_smp_mflags} install DESTDIR=%{buildroot}
    help: take more of the line that is meant, so that no other place has it
    ");
}

#[test]
fn a_key_that_rpm_4_11_cannot_use_is_refused() {
    let home = scratch();
    let gpg = |args: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--passphrase", "", "--pinentry-mode=loopback"]).args(args);
        ends_with(0, gpg.env("GNUPGHOME", home.path())).stdout
    };
    gpg(&["--quick-generate-key", "Throwaway <test@localhost>", "ed25519", "sign", "never"]);
    let toy = Toy::new("toy-key");
    let key = toy.path("key.asc");
    fs::write(&key, gpg(&["--armor", "--export-secret-keys"])).unwrap();
    Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", home.path()).status().unwrap();
    ends_with(0, Command::new("chmod").arg("600").arg(&key));
    let error = refusal(2, toy.run().arg("--key").arg(&key));
    assert_snapshot!(stable(&error), @"
    error: signing key in `FOLDER/key.asc`: the key `FINGERPRINT` is Ed25519: the rpm 4.11 of dom0 imports RSA alone
    help: make one with `vgpu-pipeline key new FILE`, or with `gpg --quick-generate-key 'NAME' rsa4096 sign never`
    ");
    ends_with(0, Command::new("chmod").arg("644").arg(&key));
    let error = refusal(2, toy.run().arg("--key").arg(&key));
    assert_snapshot!(stable(&error), @"
    error: the signing key `FOLDER/key.asc` may be read by others (mode 644)
    help: chmod 600 FOLDER/key.asc
    ");
    let error = refusal(2, toy.run().args(["--key-env", "NO_SUCH_KEY"]).env("NO_SUCH_KEY", ""));
    assert_snapshot!(stable(&error), @"
    error: the environment variable `NO_SUCH_KEY` has no signing key
    help: put the armoured key there
    ");
}

#[test]
fn all_missing_tools_are_named_at_once_with_their_packages() {
    let (folder, store) = (scratch(), scratch());
    let mut run = program();
    run.args(["run", "pipeline/workstation.yaml"]);
    let error = refusal(2, run.env("PATH", folder.path()).env("VGPU_PIPELINE_STORE", store.path()));
    assert_snapshot!(stable(&error), @"
    error: not on this machine: `apt-cache`, `apt-get`, `createrepo_c`, `mmdebstrap`, `mount`, `podman` or `docker`, `setpriv`, `unshare`
    help: apt-get install apt createrepo-c mmdebstrap mount podman util-linux
    ");
    for tool in ["apt-get", "createrepo_c", "mmdebstrap"] {
        assert!(error.contains(&format!("`{tool}`")), "{tool}: {error}");
    }
    assert_snapshot!(stable(&error), @"
    error: not on this machine: `apt-cache`, `apt-get`, `createrepo_c`, `mmdebstrap`, `mount`, `podman` or `docker`, `setpriv`, `unshare`
    help: apt-get install apt createrepo-c mmdebstrap mount podman util-linux
    ");
}

#[test]
fn check_is_content_with_what_the_tree_ships() {
    for entry in fs::read_dir(root().join("pipeline")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            ends_with(0, program().arg("check").arg(path));
        }
    }
    ends_with(0, program().arg("check"));
}

#[test]
fn a_wrong_use_of_the_program_is_exit_code_2() {
    refusal(2, program().arg("no-such-command"));
    refusal(2, program().args(["verify", "/no/such/file"]));
    let error = refusal(2, program().args(["run", "--until", "nowhere"]));
    assert_snapshot!(stable(&error), @"
    error: invalid value 'nowhere' for '--until <UNTIL>'
      [possible values: source, environment, inject, stock, build, dom0, verify, sign, publish]

    For more information, try '--help'.
    ");
}

#[test]
fn an_output_folder_with_something_else_in_it_is_left_alone() {
    let toy = Toy::new("toy-stranger");
    fs::create_dir(toy.output()).unwrap();
    fs::write(toy.output().join("precious"), "mine").unwrap();
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: the output `FOLDER/out` holds something else than a repository of this program (`precious` for one), and has no record `.vgpu-pipeline.json` of it
    help: name a folder that is empty or not there with `--output`; if it is an older output of this pipeline, move it away: it is made anew from the store
    ");
    assert_eq!(fs::read_to_string(toy.output().join("precious")).unwrap(), "mine");
}

#[test]
fn a_contract_that_is_gone_or_wrong_is_named_with_its_line() {
    let toy = Toy::new("toy-contract");
    toy.edit("toy.yaml", "  types:\n", "  contracts: [mine/contract.yaml]\n  types:\n");
    let check = || refusal(2, program().arg("check").arg(toy.path("toy.yaml")));
    let error = check();
    assert_snapshot!(stable(&error), @"
    error: verify.contracts[0]: contract `FOLDER/mine/contract.yaml`: No such file or directory (os error 2)
      --> FOLDER/toy.yaml:60:15
       |
    60 |   contracts: [mine/contract.yaml]
       |               ^^^^^^^^^^^^^^^^^^
       |
       = help: a path starts from the folder of the pipeline file
    ");
    fs::create_dir(toy.path("mine")).unwrap();
    fs::write(toy.path("mine/contract.yaml"), "name: mine\nstarts:\n  - read: {}\n").unwrap();
    let error = check();
    assert_snapshot!(stable(&error), @"
    error: starts[0]: unknown key `read`
     --> FOLDER/mine/contract.yaml:3:5
      |
    3 |   - read: {}
      |     ^^^^
      |
      = help: did you mean `reads`?
    ");
    fs::write(toy.path("mine/contract.yaml"), "name: vgpu-stub\n").unwrap();
    let error = check();
    assert_snapshot!(stable(&error), @"
    error: verify.contracts[0]: what is said of the type `vgpu-stub` is given twice
      --> FOLDER/toy.yaml:60:15
       |
    60 |   contracts: [mine/contract.yaml]
       |               ^^^^^^^^^^^^^^^^^^
    61 |   types:
    62 |     - name: vgpu-stub
       |             --------- here first
       |
       = help: leave out one of them
    ");
}

#[test]
fn a_folder_that_is_gone_under_the_program_is_one_clear_error() {
    let toy = Toy::new("toy-nowhere");
    let file = toy.path("toy.yaml").display().to_string();
    let key = toy.path("new.asc").display().to_string();
    let nowhere = |args: &[&str]| {
        let folder = scratch();
        let script = "cd \"$1\"; mkdir gone; cd gone; rmdir ../gone; shift; exec \"$@\"";
        let mut run = Command::new("sh");
        run.args(["-euc", script, "sh"]).arg(folder.path());
        run.arg(env!("CARGO_BIN_EXE_vgpu-pipeline")).args(args).env("MY_KEY", "a secret");
        run.output().unwrap()
    };
    for args in [
        &["check", &file][..],
        &["check", "toy.yaml"],
        &["check"],
        &["plan", &file],
        &["run", &file],
        &["run", "--key-env", "MY_KEY", &file],
        &["run", "--output", "/tmp/out", &file],
        &["lock", &file],
        &["shell", &file],
        &["verify", "/bin/true"],
        &["key", "show", &file],
        &["key", "new", &key],
        &["key", "new", "key.asc"],
        &["schema"],
        &["completions", "bash"],
    ] {
        let output = nowhere(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        let gone = "error: the current folder: No such file or directory (os error 2)\nhelp: change into \
                    one that is there\n";
        assert_eq!(said, gone, "{args:?}");
    }
    assert!(!toy.path("new.asc").exists() && !toy.output().exists());
    assert_eq!(nowhere(&["--help"]).status.code(), Some(0));
}

/// The output, or the folder of the development key: where nothing can be made nothing is begun.
#[test]
fn a_place_where_nothing_can_be_made_is_refused_before_any_work() {
    let toy = Toy::new("toy-unmakeable");
    fs::write(toy.path("file"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", toy.path("dangling")).unwrap();
    std::os::unix::fs::symlink("loop", toy.path("loop")).unwrap();
    let store = scratch();
    let refused = |run: &mut Command| {
        let error = refusal(2, run.env("VGPU_PIPELINE_STORE", store.path()));
        assert_eq!(fs::read_dir(store.path().join("results")).unwrap().count(), 0);
        assert!(!store.path().join("logs/toy-unmakeable").exists(), "{error}");
        assert!(error.contains("\nhelp: ") && error.lines().count() <= 3, "{error}");
        error
    };
    for place in ["/proc/out", "/proc/self/out", "/sys/out", "/sys/kernel/deep/out", "/dev/pts/out"]
    {
        let mut run = program();
        let error = refused(run.arg("run").arg(toy.path("toy.yaml")).args(["--output", place]));
        assert!(error.contains("is on a file system of the kernel"), "{error}");
    }
    for data in ["file", "file/deep", "dangling", "dangling/deep", "loop", "/proc", "/sys/kernel"] {
        let data = toy.path(data);
        let error = refused(toy.run().env("XDG_DATA_HOME", &data));
        assert!(error.contains("the folder of the development key"), "{error}");
        assert!(
            error.contains("XDG_DATA_HOME") && error.contains(data.to_str().unwrap()),
            "{error}"
        );
    }
    assert_eq!(fs::read_to_string(toy.path("file")).unwrap(), "mine");
    // A file system that cannot do the switch, as vfat and some of the network cannot.
    let mut run = Command::new("strace");
    run.args(["--quiet=all", "--output=/dev/null", "--inject=renameat2:error=EINVAL"]);
    run.arg(env!("CARGO_BIN_EXE_vgpu-pipeline")).arg("run").arg(toy.path("toy.yaml"));
    run.arg("--output").arg(toy.path("elsewhere/out")).env("XDG_DATA_HOME", kept("data"));
    let error = refused(&mut run);
    assert_snapshot!(stable(&error), @"
    error: the output `FOLDER/elsewhere/out` cannot be written: `FOLDER`: cannot switch a new state in: Invalid argument (os error 22)
    help: the file system has to support renameat2, as ext4, xfs, btrfs and tmpfs do
    help: name another folder with `--output`
    ");
    assert!(!toy.path("elsewhere").exists());
}
