//! The edit `drop-patch`.

use super::spec::SpecText;
use super::tag::{Numbered, numbered};
use super::{Done, Outcome, anchor};
use crate::config::nearest;
use anyhow::{Result, bail};

/// Drops a patch: its tag, and the lines of %prep that apply it by its number.
///
/// A patch that is not declared is already dropped. Yet a slip of the pen must not pass for that,
/// so a name that can only be meant for a declared patch is an error.
pub fn drop(spec: &mut SpecText, file: &str) -> Result<Done> {
    let patches = numbered(spec, "patch");
    let declared: Vec<&Numbered> = patches.iter().filter(|patch| patch.file == file).collect();
    let patch = match declared.as_slice() {
        [patch] => *patch,
        [] => {
            if let Some(meant) = meant(file, &patches) {
                bail!(
                    "{}: `{file}` of `drop-patch` is no patch of the spec, but one is near{}\n\
                     help: did you mean `{}`?",
                    spec.name,
                    spec.show(&[meant.line]),
                    meant.file
                );
            }
            let label = format!("drop-patch {file}, which the spec does not have");
            return Ok((label, Outcome::AlreadySatisfied));
        }
        several => {
            let lines: Vec<usize> = several.iter().map(|patch| patch.line).collect();
            let what = format!("`{file}` of `drop-patch`");
            return Err(anchor::ambiguous(spec, &lines, lines.len(), &what));
        }
    };
    renumbered(spec, &patches, patch)?;
    let mut gone = vec![patch.line];
    for line in spec.live() {
        let numbers = applied(spec.text(line)).unwrap_or_default();
        if numbers == [patch.number] {
            gone.push(line);
        } else if numbers.contains(&patch.number) || mentions(spec.text(line), patch.number) {
            bail!(
                "{}: `{file}` cannot be dropped, because another use of its number is left{}\n\
                 help: change that line with `replace` before `drop-patch`",
                spec.name,
                spec.show(&[line])
            );
        }
    }
    let label = format!("drop-patch {file}, which was Patch{}", patch.number);
    gone.sort_unstable();
    gone.into_iter().rev().for_each(|line| spec.remove(line));
    Ok((label, Outcome::Applied))
}

/// Patches without a number count up from the ones before them: where %prep names numbers, a gap
/// would apply the wrong ones.
fn renumbered(spec: &SpecText, patches: &[Numbered], dropped: &Numbered) -> Result<()> {
    let Some(by_number) = spec.live().find(|&line| applied(spec.text(line)).is_some()) else {
        return Ok(());
    };
    let mut rest = patches.iter().filter(|patch| patch.line > dropped.line);
    if let Some(moved) = rest.find(|patch| patch.automatic) {
        bail!(
            "{}: without `{}`, `{}` gets another number, and %prep applies patches by number{}\n\
             help: number the patches of the spec, as in `Patch{}: {}`",
            spec.name,
            dropped.file,
            moved.file,
            spec.show(&[moved.line, by_number]),
            moved.number,
            moved.file
        );
    }
    Ok(())
}

/// The numbers that a `%patch` line applies: `%patch3`, `%patch 3`, `%patch -P 3`, `%patch -P3`.
fn applied(text: &str) -> Option<Vec<u32>> {
    let rest = text.trim_start().strip_prefix("%patch")?;
    let mut words = rest.split_whitespace().peekable();
    let mut numbers = Vec::new();
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        numbers.extend(words.next().and_then(|word| word.parse::<u32>().ok()));
    } else if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    while let Some(word) = words.next() {
        let value = match word {
            "-P" => words.next(),
            "-b" | "-d" | "-F" | "-o" | "-p" | "-z" => {
                words.next();
                None
            }
            _ => word.strip_prefix("-P").or(Some(word)),
        };
        numbers.extend(value.and_then(|value| value.parse::<u32>().ok()));
    }
    // A bare `%patch` is the patch 0.
    Some(if numbers.is_empty() { vec![0] } else { numbers })
}

/// Whether a line uses the patch by its number in another way.
fn mentions(text: &str, number: u32) -> bool {
    let braced =
        [format!("%{{PATCH{number}}}"), format!("%{{P:{number}}}"), format!("%{{patch{number}}}")];
    let bare = [format!("%PATCH{number}"), format!("%patch{number}")];
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    braced.iter().any(|word| text.contains(word))
        || bare
            .iter()
            .any(|word| text.match_indices(word).any(|(at, _)| ends(&text[at + word.len()..])))
}

/// The declared patch that `file` must be meant for: the same name under another leading number, or
/// a letter or two away. Names that differ in digits alone are siblings of one series, not slips:
/// dropping one must not forbid to have dropped it.
fn meant<'a>(file: &str, patches: &'a [Numbered]) -> Option<&'a Numbered> {
    let wanted = stem(file);
    let near = patches.iter().filter(|patch| {
        let have = stem(&patch.file);
        let slips = (wanted.len() / 10).max(2);
        bare(&have) == bare(&wanted)
            || (letters(&have) != letters(&wanted)
                && strsim::damerau_levenshtein(&have, &wanted) <= slips)
    });
    let near: Vec<&Numbered> = near.collect();
    let name = nearest(file, near.iter().map(|patch| patch.file.as_str()))?;
    near.into_iter().find(|patch| patch.file == name)
}

/// The name without its extension, in lower case.
fn stem(file: &str) -> String {
    let file = file.to_ascii_lowercase();
    let stem = file.strip_suffix(".patch").or_else(|| file.strip_suffix(".diff"));
    stem.unwrap_or(&file).to_owned()
}

/// The name without the number that it begins with.
fn bare(stem: &str) -> &str {
    stem.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_'])
}

fn letters(stem: &str) -> String {
    stem.chars().filter(|c| !c.is_ascii_digit()).collect()
}
