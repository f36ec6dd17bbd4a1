// SPDX-License-Identifier: GPL-2.0-or-later
//! What a Containerfile may say: how its base becomes the environment, and nothing that would come from
//! anywhere else. An engine fetches on the host for some instructions, whatever network the build has,
//! and some leave a wish in the image that is granted when a job runs.
//!
//! Only instructions that are known to be harmless are let through, so that what an engine learns later
//! is refused too. Two engines read a file in two ways where it is odd: what is odd is refused.

use crate::error::Help;
use anyhow::{Result, anyhow};

/// The one argument that the image's build is given.
const BASE: &str = "BASE";
const HELP: &str = "an environment is its base and what the Containerfile makes of that: \
                    `FROM ${BASE}`, then RUN, COPY, ENV, ARG, LABEL, USER, WORKDIR, SHELL";

/// An instruction with its continued lines in one.
struct Instruction {
    line: usize,
    text: String,
}

/// Refuses a Containerfile that takes anything from elsewhere. `display_name` is its name for people.
pub fn check(text: &str, display_name: &str) -> Result<()> {
    let refuse = |line: usize, why: &str| -> Result<()> {
        Err(anyhow!("{display_name}:{line}: {why}").help(HELP))
    };
    for (line, text) in (1..).zip(text.split('\n')) {
        if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\t' || *c == '\u{feff}') {
            refuse(line, &format!("the character {} has no place here", c.escape_unicode()))?;
        }
        if let Some(name) = directive(text) {
            refuse(line, &format!("`{name}=` changes how the file is read, or by whom"))?;
        }
    }
    let instructions = instructions(text);
    let (mut has_argument, mut has_base) = (false, false);
    for Instruction { line, text } in &instructions {
        let (name, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let rest = rest.trim();
        let words: Vec<&str> = rest.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let name = name.to_ascii_uppercase();
        let flags = || words.iter().take_while(|word| word.starts_with("--"));
        match name.as_str() {
            "ARG" if !has_base => {
                if words != [BASE] || has_argument {
                    refuse(*line, "before FROM there is `ARG BASE` and nothing else")?;
                }
                has_argument = true;
            }
            "FROM" if has_base => refuse(*line, "a second FROM is another image")?,
            "FROM" => {
                if !has_argument {
                    refuse(*line, "FROM stands before `ARG BASE`")?;
                }
                if !matches!(words[..], ["${BASE}" | "$BASE"]) {
                    refuse(
                        *line,
                        "the base is the pipeline's: FROM takes `${BASE}` and nothing else",
                    )?;
                }
                has_base = true;
            }
            _ if !has_base => refuse(*line, &format!("{} stands before FROM", called(&name)))?,
            "RUN" => {
                if let Some(flag) = flags().next() {
                    refuse(*line, &format!("RUN takes no {}", option(flag)))?;
                }
            }
            "COPY" => {
                let good =
                    |flag: &&&str| ["--chown=", "--chmod="].iter().any(|it| flag.starts_with(it));
                if let Some(flag) = flags().find(|flag| !good(flag)) {
                    refuse(*line, &format!("COPY takes no {}", option(flag)))?;
                }
                if rest.contains("://") || words.iter().any(|word| word.starts_with("git@")) {
                    refuse(*line, "COPY takes files of its context, and no URL")?;
                }
            }
            "ARG" if words.iter().any(|word| word.split('=').next() == Some(BASE)) => {
                refuse(*line, "BASE is the base, and has been used")?;
            }
            "ARG" | "ENV" | "LABEL" | "USER" | "WORKDIR" | "SHELL" => {}
            "ADD" => {
                refuse(*line, "ADD may fetch what nothing pins; COPY takes files of the context")?;
            }
            _ => refuse(*line, &format!("{} is no instruction for an environment", called(&name)))?,
        }
        // What docker takes for a document inside, podman before 4.6 takes for instructions.
        if matches!(name.as_str(), "RUN" | "COPY") && words.iter().any(|word| is_document(word)) {
            refuse(*line, "a here-document is not read alike by all engines")?;
        }
    }
    if !has_base {
        refuse(text.lines().count().max(1), "it has no FROM")?;
    }
    Ok(())
}

/// The instructions that there are (Dockerfile reference).
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// An instruction, for a message. Another word may be of a file that is something else, and secret.
fn called(name: &str) -> String {
    let known = INSTRUCTIONS.contains(&name);
    if known { format!("`{name}`") } else { "this".to_owned() }
}

/// A checked Containerfile with one more instruction before its own.
pub fn led_by(text: &str, instruction: &str) -> String {
    // Before FROM there is nothing else than ARG.
    let rest = instructions(text).get(2).map_or(usize::MAX, |third| third.line - 1);
    let rest: String = text.split_inclusive('\n').skip(rest).collect();
    format!("ARG {BASE}\nFROM ${{{BASE}}}\n{instruction}\n{rest}")
}

/// The options that RUN and COPY have and an environment does not want (Dockerfile reference).
const OPTIONS: [&str; 8] = [
    "--device",
    "--exclude",
    "--from",
    "--link",
    "--mount",
    "--network",
    "--parents",
    "--security",
];

/// An option, for a message; another word is shown no more than an instruction is.
fn option(flag: &str) -> String {
    let name = flag.split('=').next().unwrap_or(flag);
    let known = OPTIONS.contains(&name);
    if known { format!("`{name}`") } else { "such option".to_owned() }
}

/// The name of a parser directive: a comment of the form `# name=value` (Dockerfile reference).
fn directive(line: &str) -> Option<&'static str> {
    let comment = line.trim_start().strip_prefix('#')?;
    let (name, _) = comment.split_once('=')?;
    ["syntax", "escape", "check"].into_iter().find(|known| name.trim().eq_ignore_ascii_case(known))
}

/// Instructions with a backslash at a line's end resolved. Comments and empty lines do not end one.
fn instructions(text: &str) -> Vec<Instruction> {
    let mut all: Vec<Instruction> = Vec::new();
    let mut open = false;
    for (line, text) in (1..).zip(text.split('\n')) {
        let start = text.trim_start_matches([' ', '\t']);
        if start.is_empty() || start.starts_with('#') {
            continue;
        }
        // Blanks at the start of a continued line stay, as engines have it, and divide words.
        let whole = text.trim_end_matches([' ', '\t']);
        let (text, continued) = whole.strip_suffix('\\').map_or((text, false), |text| (text, true));
        match all.last_mut().filter(|_| open) {
            Some(last) => last.text.push_str(text),
            None => all.push(Instruction { line, text: text.trim_start().to_owned() }),
        }
        open = continued;
    }
    all
}

/// Whether a word begins a here-document, as `<<EOF`, `3<<-"EOF"`.
fn is_document(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(name) = word.strip_prefix("<<") else { return false };
    let name = name.strip_prefix('-').unwrap_or(name);
    !name.is_empty() && !name.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        check(text, "Containerfile")
            .err()
            .map(|error| crate::error::render(&error))
            .unwrap_or_default()
    }

    #[test]
    fn our_own_are_taken() {
        for text in [
            include_str!("../../../containers/debian-12.Containerfile"),
            include_str!("../../../containers/xcp-ng-8.3.Containerfile"),
            "ARG BASE\nFROM $BASE\n",
            "arg BASE\nfrom ${BASE}\nrun echo $((1 << 2)) --mount=type=cache\n# a comment\nENV A=b",
            "ARG BASE\nFROM ${BASE}\nCOPY --chown=1:1 --chmod=755 a b /c/\nRUN [\"true\"]\nARG A=b\n",
            "ARG BASE\nFROM ${BASE}\nRUN a && \\\n  # ADD http://x /\n\n  b <<<word\nUSER builder\n",
        ] {
            assert_eq!(said(text), "");
        }
    }

    #[test]
    fn what_comes_from_elsewhere_is_refused_with_its_line() {
        let after: &[(&str, &str)] = &[
            ("ADD http://h/f /", "ADD may fetch"),
            ("ADD https://h/r.git#main /src", "ADD may fetch"),
            ("ADD git@h:r.git /src", "ADD may fetch"),
            ("ADD $A /", "ADD may fetch"),
            ("add \\\n  local.tar /", "ADD may fetch"),
            ("A\\\nDD http://h/f /", "ADD may fetch"),
            ("ADD\thttp://h/f /", "ADD may fetch"),
            ("COPY --from=docker.io/library/busybox /bin/sh /", "COPY takes no `--from`"),
            ("COPY --chown=0 --from=0 /a /", "COPY takes no `--from`"),
            ("COPY \\\n# x\n --from=0 /a /", "COPY takes no `--from`"),
            ("COPY --chown=0:0\\\n --from=busybox /a /", "COPY takes no `--from`"),
            ("COPY --chown=0:0 \\\n--from=busybox /a /", "COPY takes no `--from`"),
            ("COPY --ch\\\nown=0 --fr\\\nom=0 /a /", "COPY takes no `--from`"),
            ("COPY --chown=0\\  \n\t--from=0 /a /", "COPY takes no `--from`"),
            ("RUN a\\\n <<EOF\nb\nEOF", "here-document"),
            ("COPY --link a /", "COPY takes no `--link`"),
            ("COPY https://h/f /", "no URL"),
            ("COPY git@h:r /", "no URL"),
            ("COPY <<EOF /f\nx\nEOF", "here-document"),
            ("RUN --mount=type=bind,from=busybox,target=/m true", "RUN takes no `--mount`"),
            ("RUN --mount=type=cache,target=/c true", "RUN takes no `--mount`"),
            ("RUN --network=host true", "RUN takes no `--network`"),
            ("RUN --security=insecure true", "RUN takes no `--security`"),
            ("RUN --device=/dev/kvm true", "RUN takes no `--device`"),
            ("RUN <<EOF\nADD http://h/f /\nEOF", "here-document"),
            ("RUN cat 3<<-\"EOF\" >f\nx\nEOF", "here-document"),
            ("FROM busybox", "a second FROM"),
            ("FROM ${BASE} AS other", "a second FROM"),
            ("ARG BASE=busybox", "BASE is the base"),
            ("ONBUILD ADD http://h/f /", "`ONBUILD` is no instruction"),
            ("VOLUME /build", "`VOLUME` is no instruction"),
            ("ENTRYPOINT [\"/evil\"]", "`ENTRYPOINT` is no instruction"),
            ("HEALTHCHECK CMD true", "`HEALTHCHECK` is no instruction"),
            ("CMD x", "`CMD` is no instruction"),
            ("IMPORT x", "this is no instruction"),
            ("ADD\u{a0}http://h/f /", "is no instruction"),
            ("RUN true\r", "the character \\u{d}"),
            ("RUN true\u{b}", "the character \\u{b}"),
            ("# escape=`", "`escape=`"),
            ("#   Syntax = docker.io/evil/frontend", "`syntax=`"),
        ];
        for (text, expected) in after {
            let said = said(&format!("ARG BASE\nFROM ${{BASE}}\n{text}\n"));
            assert!(
                said.starts_with("Containerfile:3: ") && said.contains(expected),
                "{text}: {said}"
            );
            assert!(said.contains("\nhelp: "), "{said}");
        }
    }

    #[test]
    fn an_instruction_is_put_before_all_others() {
        for (before, after) in [
            ("", ""),
            ("\n# a\nRUN a\nRUN b", "RUN a\nRUN b"),
            (" \\\n\n# a\n", ""),
            ("\nRUN a \\\n # b\n c\n", "RUN a \\\n # b\n c\n"),
        ] {
            for from in ["FROM ${BASE}", "from \\\n# x\n  $BASE", "FROM ${\\\nBASE}"] {
                let text = format!("# a\n\nARG BASE\n{from}{before}");
                assert_eq!(said(&text), "", "{text}");
                let led = led_by(&text, "ADD x /");
                assert_eq!(led, format!("ARG BASE\nFROM ${{BASE}}\nADD x /\n{after}"), "{text}");
            }
        }
    }

    #[test]
    fn the_base_is_the_pipelines() {
        for (text, expected) in [
            ("", "Containerfile:1: it has no FROM"),
            ("# nothing\n", "it has no FROM"),
            ("FROM busybox\n", ":1: FROM stands before `ARG BASE`"),
            ("ARG BASE\nFROM busybox\n", ":2: the base is the pipeline's"),
            ("ARG BASE\nFROM ${BASE:-busybox}\n", ":2: the base is the pipeline's"),
            ("ARG BASE\nFROM ${BASE}x\n", ":2: the base is the pipeline's"),
            ("ARG BASE\nFROM --platform=linux/arm64 ${BASE}\n", ":2: the base is the pipeline's"),
            ("ARG BASE\nFROM ${BASE} AS one\n", ":2: the base is the pipeline's"),
            ("ARG BASE=busybox\nFROM ${BASE}\n", ":1: before FROM there is `ARG BASE`"),
            ("ARG BASE\nARG BASE\nFROM ${BASE}\n", ":2: before FROM there is `ARG BASE`"),
            ("ARG BASE\nRUN true\nFROM ${BASE}\n", ":2: `RUN` stands before FROM"),
            ("\u{feff}ARG BASE\nFROM ${BASE}\n", ":1: the character \\u{feff}"),
            ("#!/x\n# syntax=docker.io/evil\nARG BASE\nFROM ${BASE}\n", ":2: `syntax=`"),
            ("// syntax=docker.io/evil\nARG BASE\nFROM ${BASE}\n", ":1: this stands before FROM"),
            ("{\"syntax\": \"docker.io/evil\"}\nARG BASE\nFROM ${BASE}\n", ":1: "),
        ] {
            assert!(said(text).contains(expected), "{text:?}: {}", said(text));
        }
    }
}
