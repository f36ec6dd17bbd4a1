//! One line for what is wrong in a pipeline file, and one for what to try.

use crate::text;
use anyhow::{Error, anyhow};

/// All fields of the longest section fit.
const LONGEST: usize = 600;
/// Nobody mistypes a longer word, and to compare takes as long as both are.
const LONGEST_WORD: usize = 1000;

/// What is said of every address that would have to hold one (`words`).
const NO_SECRETS: &str = "a password, a query or a fragment";

/// Turns an error of the YAML reader into `FILE:LINE:COLUMN: what`, with the nearest known word.
pub fn render(error: &serde_yaml::Error, file: &str) -> Error {
    let text = error.to_string();
    let (what, place) = match error.location() {
        Some(at) => {
            let suffix = format!(" at line {} column {}", at.line(), at.column());
            (text.replace(&suffix, ""), format!("{file}:{}:{}", at.line(), at.column()))
        }
        None => (text, file.to_owned()),
    };
    let help = help(&what);
    let what = text::piece(&unquoted(&what), LONGEST);
    match help {
        Some(help) => anyhow!("{place}: {what}\nhelp: {}", text::piece(&help, LONGEST)),
        None => anyhow!("{place}: {what}"),
    }
}

/// Without the scalar that has the wrong type: a file in the place of another may hold a secret, and
/// the line and the column are enough.
fn unquoted(what: &str) -> String {
    let unknown = ["unknown field `", "unknown variant `"];
    if let Some(begin) = unknown.iter().find_map(|words| Some(what.find(words)? + words.len()))
        && let Some(length) = what[begin..].find('`')
        && !is_likely_a_word(&what[begin..begin + length])
    {
        let known = what[begin + length + 1..].trim_start_matches(',').trim_start();
        return format!("{} that is none, {known}", what[..begin - 1].trim_end());
    }
    let from = what.find("string \"").map(|at| at + "string".len());
    match from.zip(what.rfind("\", expected")) {
        Some((from, to)) if from < to => format!("{}{}", &what[..from], &what[to + 1..]),
        _ => what.to_owned(),
    }
}

/// Whether somebody may have mistyped a word of the format; what else stands there may be a secret.
fn is_likely_a_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    text.len() <= 16 && text.chars().all(plain)
}

/// What to try, where serde's message shows it.
fn help(what: &str) -> Option<String> {
    let mut quoted = what.split('`').skip(1).step_by(2);
    if what.contains("unknown field") || what.contains("unknown variant") {
        let unknown = quoted.next()?;
        let known: Vec<&str> = quoted.collect();
        return Some(match nearest(unknown, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known here: {}", known.join(", ")),
        });
    }
    if what.contains("missing field") {
        return Some(format!("add `{}:`; `vgpu-pipeline schema` describes it", quoted.next()?));
    }
    if what.contains(NO_SECRETS) {
        return Some(
            "an address is shown and published, and a query may be a token: passwords are for \
             `~/.netrc` and git's credential helpers; what only such an address has can be a `path:`, \
             or lie in a mirror"
                .to_owned(),
        );
    }
    None
}

/// The known word that somebody most likely meant, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let short = |word: &str| word.len() <= LONGEST_WORD;
    known
        .into_iter()
        .filter(|candidate| short(word) && short(candidate))
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
