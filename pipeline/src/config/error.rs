//! One line for what is wrong in a pipeline file, and one for what to try.

use anyhow::{Error, anyhow};

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
    match help(&what) {
        Some(help) => anyhow!("{place}: {what}\nhelp: {help}"),
        None => anyhow!("{place}: {what}"),
    }
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
    None
}

/// The known word that somebody most likely meant, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
