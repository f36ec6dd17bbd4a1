// SPDX-License-Identifier: GPL-2.0-or-later
//! A secret is in no message, log, result or argv, and in nobody's memory or environment before it is
//! wanted. Canaries are put wherever a secret can be, and where it should not be; then everything that
//! the program leaves and shows is searched for them.

mod look;
mod names;
mod urls;

use crate::support::{Toy, ends_with, program, refusal, scratch, stable};
use insta::assert_snapshot;
use look::{family, holding, holds, remembers};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const CANARY: &str = "C4n4ryOfTheMine";

/// What a secret looks like, by its kind.
fn looks() -> Vec<(&'static str, String)> {
    let key = format!(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{CANARY}AAAA\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----\n"
    );
    vec![
        ("a key in one line", key.replace('\n', " ")),
        ("a key with escaped line breaks", key.replace('\n', "\\n")),
        ("an ssh key", key.replace("PGP PRIVATE KEY BLOCK", "OPENSSH PRIVATE KEY")),
        ("a .netrc", format!("machine git.example login me password {CANARY}\n")),
        ("an account", format!("root:$y$j9T$abc${CANARY}:19000:0:99999:7:::\n")),
        ("credentials of git", format!("https://me:{CANARY}@git.example\n")),
        (
            "credentials of a registry",
            format!("{{\n  \"auths\": {{ \"r\": {{ \"auth\": \"{CANARY}\" }} }}\n}}\n"),
        ),
        ("a token", format!("ghp_{CANARY}\n")),
        // What no look tells from any other text.
        ("a passphrase", format!("{CANARY}\n")),
        ("settings of a tool", format!("name: me\nsecret: {CANARY}\n")),
        ("a key", key),
    ]
}

/// A pipeline whose every input can be replaced.
fn toy() -> Toy {
    let toy = Toy::new("toy-secrets");
    fs::write(toy.path("contract.yaml"), "name: mine\n").unwrap();
    fs::write(toy.path("installed"), "a 100644 /a\n").unwrap();
    toy.with_settings();
    fs::write(toy.path("wrapper"), "#!/usr/bin/env python\n").unwrap();
    toy.edit(
        "toy.yaml",
        "verify:\n",
        "wrapper:\n  vendor:\n    path: { file: wrapper, sha256: \
         0000000000000000000000000000000000000000000000000000000000000000 }\n\
         verify:\n  contracts: [contract.yaml]\n  installed: installed\n  guest: { kernel: kernel }\n",
    );
    toy
}

/// Everything that a command said, and how it ended.
fn said(command: &mut Command) -> (Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_secret_in_the_place_of_another_file_is_refused_and_not_shown() {
    let mut wrong = Vec::new();
    let (store, home) = (scratch(), scratch());
    let settings = home.path().join("vgpu-pipeline");
    fs::create_dir(&settings).unwrap();
    for (what, text) in looks() {
        let places = [
            "toy.yaml",
            "contract.yaml",
            "installed",
            "Containerfile",
            "qemu.spec",
            "vgpu-stub.c",
            "wrapper",
            "kernel",
        ];
        let mut check = |place: &str, command: &mut Command, codes: &[i32]| {
            command.env("VGPU_PIPELINE_STORE", store.path()).env("XDG_CONFIG_HOME", home.path());
            let (code, said) = said(command);
            if !codes.contains(&code.unwrap_or(-1)) || said.contains(CANARY) {
                wrong.push(format!("{what} as {place}: {code:?} {said}"));
            }
        };
        for place in places {
            let toy = toy();
            fs::write(toy.path(place), &text).unwrap();
            let file = toy.path("toy.yaml");
            // Neither a kernel nor a wrapper is read before its stage.
            let codes: &[i32] = if ["kernel", "wrapper"].contains(&place) { &[0, 2] } else { &[2] };
            check(place, program().arg("check").arg(&file), codes);
            check(place, program().args(["plan", "--diff"]).arg(&file), codes);
            check(place, program().args(["plan", "--json"]).arg(&file), codes);
        }
        let toy = toy();
        let secret = toy.path("secret");
        fs::write(&secret, &text).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let rpm = PathBuf::from("/bin/true");
        let options: [&[&str]; 4] = [&["--against"], &["--installed"], &["--pipeline"], &["--key"]];
        for option in options {
            let mut verify = program();
            check(option[0], verify.arg("verify").arg(&rpm).args(option).arg(&secret), &[1, 2]);
        }
        check("what is verified", program().arg("verify").arg(&secret), &[1, 2]);
        check("a key", program().args(["key", "show"]).arg(&secret), &[2]);
        check("a key", toy.run().arg("--key").arg(&secret), &[2]);
        let mut run = toy.run();
        check("a variable", run.args(["--key-env", "CANARY_KEY"]).env("CANARY_KEY", &text), &[2]);
        let mut show = program();
        let show = show.args(["key", "show", "--key-env", "CANARY_KEY"]).env("CANARY_KEY", &text);
        check("a variable", show, &[2]);
        // The text itself where a name is meant.
        for args in [
            &["check"][..],
            &["run", "--key"],
            &["run", "--key-env"],
            &["run", "--mirror"],
            &["run", "--until"],
            &["key", "show"],
            &["key", "show", "--passphrase-env"],
            &["key", "show", "--fingerprint"],
            &["verify"],
            &["verify", "/bin/true", "--device"],
            &["verify", "/bin/true", "--target"],
        ] {
            let mut named = program();
            let keys =
                ["a key", "a key in one line", "a key with escaped line breaks", "an ssh key"];
            if keys.contains(&what) {
                named.args(&args[..args.len() - 1]);
                let last = args[args.len() - 1];
                let option = last.starts_with("--");
                if option {
                    named.arg(format!("{last}={text}"))
                } else {
                    named.args([last, "--", &text])
                };
                check(&args.join(" "), &mut named, &[2]);
            }
        }
        fs::write(settings.join("config.yaml"), &text).unwrap();
        check("settings", &mut toy.run(), &[2]);
        fs::remove_file(settings.join("config.yaml")).unwrap();
    }
    let lock = toy();
    let from = fs::read_to_string(lock.path("toy.yaml")).unwrap();
    let (start, end) = (from.find("  base:").unwrap(), from.find("\ndevice:").unwrap());
    let base = "  base:\n    image: { reference: 'h/c:7', repositories: [], packages: [] }\n";
    fs::write(lock.path("toy.yaml"), format!("{}{base}{}", &from[..start], &from[end..])).unwrap();
    for (what, text) in looks() {
        fs::write(lock.path("toy.lock"), text).unwrap();
        let (code, said) = said(program().arg("check").arg(lock.path("toy.yaml")));
        if code != Some(2) || said.contains(CANARY) {
            wrong.push(format!("{what} as a lock: {code:?} {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        holding(store.path(), &[CANARY.as_bytes()], SystemTime::UNIX_EPOCH),
        [] as [PathBuf; 0]
    );
}

struct Secret {
    /// Pieces of it, as it is written and as it is.
    pieces: Vec<Vec<u8>>,
    file: PathBuf,
}

/// A key of gpg's making, behind a passphrase or not.
fn gpg_key(home: &Path, passphrase: &str) -> Secret {
    let gpg = |args: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase", passphrase]);
        ends_with(0, gpg.args(args).env("GNUPGHOME", home)).stdout
    };
    fs::set_permissions(home, fs::Permissions::from_mode(0o700)).unwrap();
    gpg(&["--quick-generate-key", "Canary <c@localhost>", "rsa2048", "sign", "never"]);
    let file = home.join("key.asc");
    let armored = gpg(&["--armor", "--export-secret-keys"]);
    let bare = gpg(&["--export-secret-keys"]);
    Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", home).status().unwrap();
    fs::write(&file, &armored).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    // The public half takes the first 269 bytes of the packet; the secret one follows.
    let pieces = vec![armored[600..664].to_vec(), bare[400..432].to_vec(), bare[500..532].to_vec()];
    Secret { pieces, file }
}

/// Runs a toy to its end, and looks into the runner and what it started while it builds.
fn looked_into(toy: &Toy, run: &mut Command, texts: &[&[u8]]) {
    let began = SystemTime::now();
    let mut run = run.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0
        && !line.contains("\"started\",\"stage\":\"build\"")
    {
        assert!(!texts.iter().any(|text| holds(line.as_bytes(), text)), "{line}");
        line.clear();
    }
    assert!(!line.is_empty(), "the build never began");
    let began_to_look = Instant::now();
    let mut looks = 0;
    while looks < 3 && began_to_look.elapsed() < Duration::from_secs(5) {
        for pid in family(run.id()) {
            for file in ["environ", "cmdline"] {
                let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                assert!(!texts.iter().any(|text| holds(&bytes, text)), "{file} of {pid}");
            }
        }
        assert!(!remembers(run.id(), texts), "the runner's memory");
        let known = toy.output().display().to_string();
        assert!(remembers(run.id(), &[known.as_bytes()]), "the look sees nothing at all");
        looks += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(run.try_wait().unwrap().is_none(), "the build was over before anybody looked");
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    run.stderr.take().unwrap().read_to_end(&mut rest).unwrap();
    assert!(run.wait().unwrap().success(), "{}", String::from_utf8_lossy(&rest));
    assert!(!texts.iter().any(|text| holds(&rest, text)), "{}", String::from_utf8_lossy(&rest));
    let store = crate::support::kept("store");
    for folder in [store.as_path(), &toy.output()] {
        assert_eq!(holding(folder, texts, began), [] as [PathBuf; 0]);
    }
    assert!(toy.output().join("repodata/repomd.xml.asc").exists());
}

#[test]
fn a_key_file_is_in_no_memory_before_something_is_signed() {
    let home = scratch();
    let secret = gpg_key(home.path(), "");
    let toy = Toy::new("toy-secret-file");
    let texts: Vec<&[u8]> = secret.pieces.iter().map(Vec::as_slice).collect();
    assert!(texts.iter().all(|text| text.len() >= 32));
    looked_into(&toy, toy.run().arg("--key").arg(&secret.file), &texts);
}

#[test]
fn a_variable_is_in_no_environment_and_in_no_memory_while_the_build_runs() {
    let home = scratch();
    let secret = gpg_key(home.path(), CANARY);
    let toy = Toy::new("toy-secret-variable");
    toy.edit(
        "toy.yaml",
        "build:\n",
        "sign:\n  key: { env: CANARY_KEY }\n  passphrase_env: CANARY_PASSPHRASE\nbuild:\n",
    );
    let mut texts: Vec<&[u8]> = secret.pieces.iter().map(Vec::as_slice).collect();
    texts.push(CANARY.as_bytes());
    let mut run = toy.run();
    run.env("CANARY_KEY", fs::read_to_string(&secret.file).unwrap());
    looked_into(&toy, run.env("CANARY_PASSPHRASE", CANARY), &texts);
}

#[test]
fn a_key_that_is_another_one_at_the_end_signs_nothing() {
    let (home, other) = (scratch(), scratch());
    let (secret, next) = (gpg_key(home.path(), ""), gpg_key(other.path(), ""));
    let toy = Toy::new("toy-secret-changes");
    // The key's file changes while the build runs.
    let mut command = toy.run();
    command.arg("--key").arg(&secret.file).arg("--json").stdout(Stdio::piped());
    let mut run = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"started\",\"stage\":\"build\"") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    fs::rename(&next.file, &secret.file).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    run.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1), "{rest}");
    assert!(rest.contains("the signing key was ") && rest.contains(", and is "), "{rest}");
    assert!(!toy.output().exists());
}

#[test]
fn a_key_that_others_can_change_is_refused() {
    let folder = scratch();
    let key = folder.path().join("keys/key.asc");
    ends_with(0, program().args(["key", "new"]).arg(&key));
    let show = || {
        let mut show = program();
        show.args(["key", "show"]).arg(&key);
        show
    };
    ends_with(0, &mut show());
    for mode in [0o640, 0o604, 0o620, 0o602, 0o660] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(2, &mut show());
        assert!(error.contains(&format!("may be read by others (mode {mode:o})")), "{error}");
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = folder.path().join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o777)).unwrap();
    let error = refusal(2, &mut show());
    assert_snapshot!(stable(&error), @"
    error: the folder `FOLDER/keys` of the signing key may be written by everybody
    help: chmod o-w FOLDER/keys
    ");
    // As /tmp is: nobody can take another's file away.
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o1777)).unwrap();
    ends_with(0, &mut show());
    if chown(&key, Some(1234), None).is_err() {
        crate::support::skip::skipped!("only root can give a file away");
        return;
    }
    let error = refusal(2, &mut show());
    assert_snapshot!(stable(&error), @"
    error: the signing key `FOLDER/keys/key.asc` belongs to another user (uid 1234), who can change it at any time
    help: copy the key to a file and a folder of your own
    ");
    chown(&key, Some(0), None).unwrap();
    chown(&keys, Some(1234), None).unwrap();
    let error = refusal(2, &mut show());
    assert_snapshot!(stable(&error), @"
    error: the folder `FOLDER/keys` of the signing key belongs to another user (uid 1234), who can change it at any time
    help: copy the key to a file and a folder of your own
    ");
}
