// SPDX-License-Identifier: GPL-2.0-or-later
//! A secret itself where its name belongs, or where no name of ours stands: the message says where, and
//! not what.

use super::{CANARY, holding, said};
use crate::support::{Toy, program, scratch};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// Secrets as people have them: none is a word that somebody mistyped.
fn secrets() -> [String; 6] {
    [
        CANARY.to_owned(),
        format!("correct horse {CANARY} staple"),
        format!("{CANARY}!$%&/()=?"),
        format!("{CANARY}{}", "x".repeat(900)),
        format!("  {CANARY}\u{202e}"),
        format!("aa-{CANARY}_bb"),
    ]
}

/// Where it stands: a file, what is replaced there, by what, and what is said. `@` is the secret.
const PLACES: &[(&str, &str, &str, &str)] = &[
    (
        "toy.yaml",
        "build:\n",
        "sign:\n  passphrase_env: @\nbuild:\n",
        "is not the name of an environment",
    ),
    (
        "toy.yaml",
        "build:\n",
        "sign:\n  key: { env: @ }\nbuild:\n",
        "is not the name of an environment",
    ),
    ("toy.yaml", "build:\n", "sign:\n  key: @\nbuild:\n", "sign.key"),
    ("toy.yaml", "build:\n", "sign: @\nbuild:\n", "this is text, "),
    ("toy.yaml", "build:\n", "sign: { key: [@] }\nbuild:\n", "sign.key"),
    ("toy.yaml", "build:\n", "sign:\n  @: x\nbuild:\n", "unknown key, which is not shown"),
    ("toy.yaml", "build:\n", "sign:\n  key: { @: x }\nbuild:\n", "unknown key, which is not shown"),
    ("toy.yaml", "build:\n", "@: x\nbuild:\n", "unknown key, which is not shown"),
    ("toy.yaml", "  - path:\n", "  - @:\n", "unknown key, which is not shown"),
    (
        "toy.yaml",
        "    - release-suffix: .vgpu1\n",
        "    - @: .vgpu1\n",
        "unknown key, which is not shown",
    ),
    ("toy.yaml", "    - release-suffix: .vgpu1\n", "    - @\n", "spec.edits"),
    ("toy.yaml", "  - type: vgpu-stub\n", "  - @: vgpu-stub\n", "unknown key, which is not shown"),
    ("toy.yaml", "      interfaces:", "      @:", "unknown key, which is not shown"),
    ("toy.yaml", "version: 1\n", "version: @\n", "this is text, "),
    ("toy.yaml", "device:\n", "device: @\nother:\n", "this is text, "),
    ("contract.yaml", "name: mine\n", "name: mine\n@: x\n", "unknown key, which is not shown"),
    ("contract.yaml", "name: mine\n", "name: mine\nstarts: @\n", "this is text, "),
    ("Containerfile", "FROM ${BASE}\n", "FROM ${BASE}\n@\n", "this is no instruction"),
    ("Containerfile", "FROM ${BASE}\n", "FROM ${BASE}\n@ a b\n", "this is no instruction"),
    ("Containerfile", "FROM ${BASE}\n", "FROM ${BASE}\nRUN --@ true\n", "RUN takes no such option"),
    (
        "Containerfile",
        "FROM ${BASE}\n",
        "FROM ${BASE}\nRUN --@=1 true\n",
        "RUN takes no such option",
    ),
    (
        "Containerfile",
        "FROM ${BASE}\n",
        "FROM ${BASE}\nCOPY --@=1 a b\n",
        "COPY takes no such option",
    ),
    ("Containerfile", "FROM ${BASE}\n", "FROM @\n", "the base is the pipeline's"),
    ("Containerfile", "ARG BASE\n", "@\nARG BASE\n", "this stands before FROM"),
    ("Containerfile", "ARG BASE\n", "ARG @\n", "before FROM there is `ARG BASE`"),
];

#[test]
fn a_secret_where_its_name_or_a_word_of_ours_belongs_is_not_shown() {
    let (store, home) = (scratch(), scratch());
    let mut wrong = Vec::new();
    let mut looked = 0;
    for (file, from, to, expected) in PLACES {
        for secret in secrets() {
            // In a line of shell words it cannot be what two engines read in two ways.
            let secret =
                if *file == "Containerfile" { secret.replace('\u{202e}', "") } else { secret };
            // It is one, and may be set: the other test has those.
            if expected.contains("environment") && secret == CANARY {
                continue;
            }
            let plain = *file == "Containerfile";
            let quoted = serde_json::to_string(&secret).unwrap();
            let to = to.replace('@', if plain { secret.trim() } else { &quoted });
            let toy = super::toy();
            toy.edit(file, from, &to);
            let path = toy.path("toy.yaml");
            let mut commands = [program(), program(), toy.run()];
            commands[0].arg("check").arg(&path);
            commands[1].args(["plan", "--json"]).arg(&path);
            for command in &mut commands {
                command
                    .env("VGPU_PIPELINE_STORE", store.path())
                    .env("XDG_CONFIG_HOME", home.path());
                let (code, said) = said(command);
                looked += 1;
                if code != Some(2) || said.contains(CANARY) || !said.contains(expected) {
                    wrong.push(format!("{to:.80}: {code:?} {said}"));
                }
            }
        }
    }
    assert!(looked >= 400, "{looked}");
    assert!(wrong.is_empty(), "{} of {looked}:\n{}", wrong.len(), wrong.join("\n"));
    let left = holding(store.path(), &[CANARY.as_bytes()], SystemTime::UNIX_EPOCH);
    assert_eq!(left, [] as [PathBuf; 0]);
}

/// What can be a variable's name is taken for one; what it is shows in no message.
#[test]
fn a_secret_that_could_be_a_name_is_not_shown_either() {
    let toy = Toy::new("toy-secret-name");
    let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
    let (store, data) = (scratch(), scratch());
    let mut wrong = Vec::new();
    for (section, options) in [
        (format!("{{ passphrase_env: {CANARY} }}"), &[][..]),
        (format!("{{ passphrase_env: {CANARY}, key: {{ env: {CANARY} }} }}"), &[]),
        (format!("{{ key: {{ env: {CANARY} }} }}"), &[]),
        (format!("{{ fingerprint: {CANARY} }}"), &[]),
        (format!("{{ fingerprint: '{CANARY} x', key: {{ env: {CANARY} }} }}"), &[]),
        ("{}".to_owned(), &["--key-env"]),
    ] {
        fs::write(
            toy.path("toy.yaml"),
            text.replace("build:\n", &format!("sign: {section}\nbuild:\n")),
        )
        .unwrap();
        let mut run = toy.run();
        run.env("VGPU_PIPELINE_STORE", store.path()).env("XDG_DATA_HOME", data.path());
        run.env("CI", "true").args(options);
        if !options.is_empty() {
            run.arg(CANARY);
        }
        let (code, said) = said(&mut run);
        if code != Some(2) || said.contains(CANARY) || !said.starts_with("error: ") {
            wrong.push(format!("{section} {options:?}: {code:?} {said}"));
        }
    }
    for args in [&["--key-env"][..], &["--passphrase-env"], &["--fingerprint"]] {
        let mut show = program();
        show.args(["key", "show"]).args(args).arg(CANARY).env("XDG_DATA_HOME", data.path());
        let (code, said) = said(&mut show);
        if code != Some(2) || said.contains(CANARY) {
            wrong.push(format!("{args:?}: {code:?} {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
