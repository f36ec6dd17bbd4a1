// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `drop-patch`.

use super::declared::{Declarations, Declared, FileIs};
use super::spec::SpecText;
use super::uses::{self, Use};
use super::{EditResult, Outcome, anchor};
use crate::error::Help;
use anyhow::{Result, anyhow};

/// Drops a patch: its tag, and the lines of %prep that apply it by its number.
///
/// A patch that is not declared is already dropped. Yet neither a slip of the pen nor a name that
/// cannot be told must pass for that, so where one can be meant, that is an error.
pub fn drop(spec: &mut SpecText, file: &str) -> Result<EditResult> {
    let declarations = Declarations::read(spec);
    let edit = format!("`drop-patch: {file}`");
    let patches = &declarations.patches;
    let which = |is: FileIs| patches.iter().filter(move |patch| patch.file.is(file) == is);
    if let Some(unclear) = which(FileIs::Unclear).next() {
        return Err(anyhow!(
            "{}: {edit}: whether this patch is meant cannot be told{}",
            spec.name,
            spec.show(&[unclear.line])
        )
        .help(
            "write its name without macros, with `replace` before this edit, or set the macro \
             in `build.define`",
        ));
    }
    declarations.all_seen(spec, &edit)?;
    declarations.numbers_hold(spec, &edit)?;
    // It is not among the sources of the build, whether it was a patch until now or not.
    let same = |source: &&Declared| source.file.is(file) != FileIs::Another;
    if let Some(source) = declarations.sources.iter().find(same) {
        return Err(anyhow!(
            "{}: {edit}: this source is, or may be, the same file{}",
            spec.name,
            spec.show(&[source.line])
        )
        .help("take that source and its uses out, with `replace` before this edit"));
    }
    let declared: Vec<&Declared> = which(FileIs::It).collect();
    let patch = match declared.as_slice() {
        [patch] => *patch,
        [] => {
            if let Some(meant) = meant(file, patches) {
                return Err(anyhow!(
                    "{}: `{file}` of `drop-patch` is no patch of the spec, but one is near{}",
                    spec.name,
                    spec.show(&[meant.line])
                )
                .help(format!(
                    "did you mean `{}`? If the patch is gone, take this edit out",
                    meant.file.readable()
                )));
            }
            let label = format!("drop-patch {file}, which the spec does not have");
            return Ok((label, Outcome::AlreadySatisfied));
        }
        several => {
            let lines: Vec<usize> = several.iter().map(|patch| patch.line).collect();
            let what = format!("`{file}` of `drop-patch`");
            return Err(anchor::given_twice(spec, &lines, &what));
        }
    };
    if !patch.alone {
        return Err(anyhow!(
            "{}: {edit}: the line that declares it does more than that{}",
            spec.name,
            spec.show(&[patch.line])
        )
        .help("change that line with `replace`"));
    }
    if let Some(twin) =
        patches.iter().find(|one| one.number == patch.number && one.line != patch.line)
    {
        return Err(anyhow!(
            "{}: {edit}: its number is that of another patch too{}",
            spec.name,
            spec.show(&[patch.line, twin.line])
        )
        .help("give one of them another number, with `replace` before this edit"));
    }
    let found = uses::of(spec, &declarations, patch, file);
    renumbered(spec, &declarations, patch, found.by_number)?;
    let mut gone = vec![patch.line];
    for one in &found.uses {
        match one {
            Use::Applies(line) => gone.push(*line),
            Use::Other(line, how) => {
                return Err(anyhow!(
                    "{}: `{file}` cannot be dropped, because {how} is left{}",
                    spec.name,
                    spec.show(&[*line])
                )
                .help("change that line with `replace` before `drop-patch`"));
            }
        }
    }
    let label = format!("drop-patch {file}, which was Patch{}", patch.number);
    let tag = patch.line;
    gone.sort_unstable();
    for line in gone.into_iter().rev() {
        if line != tag && uses::is_needed(spec, line) {
            spec.set(line, ":".to_owned());
        } else {
            spec.remove(line);
        }
    }
    Ok((label, Outcome::Applied))
}

/// Patches without a number count up from the ones before them: where %prep names numbers, a gap
/// would apply the wrong ones.
fn renumbered(
    spec: &SpecText,
    declarations: &Declarations,
    dropped: &Declared,
    by_number: Option<usize>,
) -> Result<()> {
    let Some(by_number) = by_number else { return Ok(()) };
    let patches = &declarations.patches;
    if let Some(unsure) = patches.iter().find(|one| one.automatic && !one.certain) {
        return Err(anyhow!("{}: the number of this patch hangs on a condition, and %prep applies patches by number{}", spec.name, spec.show(&[unsure.line, by_number])).help("number the patches of the spec"));
    }
    let mut rest = patches.iter().filter(|patch| patch.line > dropped.line);
    if let Some(moved) = rest.find(|patch| patch.automatic) {
        return Err(anyhow!(
            "{}: without `{}`, `{}` gets another number, and %prep applies patches by number{}",
            spec.name,
            dropped.file.readable(),
            moved.file.readable(),
            spec.show(&[moved.line, by_number])
        )
        .help(format!(
            "number the patches of the spec, as in `Patch{}: {}`",
            moved.number,
            moved.file.readable()
        )));
    }
    Ok(())
}

/// The declared patch that `file` must be meant for: the same name under another leading number, with
/// more words around it or fewer, as a vendor renames a patch, or a letter or two away. Names that differ
/// in digits alone are siblings of one series, not slips: dropping one must not forbid to have dropped it.
fn meant<'a>(file: &str, patches: &'a [Declared]) -> Option<&'a Declared> {
    let wanted = stem(file);
    let near = patches.iter().filter(|patch| {
        let have = stem(&patch.file.text);
        // No more than half of the name, however short it is.
        let slips = (wanted.len() / 10).max(2).min(wanted.len().saturating_sub(1) / 2);
        bare(&have) == bare(&wanted)
            || is_among(&words(&have), &words(&wanted))
            || is_among(&words(&wanted), &words(&have))
            || (letters(&have) != letters(&wanted)
                && have.len().abs_diff(wanted.len()) <= slips
                && strsim::damerau_levenshtein(&have, &wanted) <= slips)
    });
    near.min_by_key(|patch| patch.file.text.len().abs_diff(file.len()))
}

/// The name without its extensions, in lower case.
fn stem(file: &str) -> String {
    let file = file.to_ascii_lowercase();
    let packed = [".gz", ".bz2", ".xz", ".lzma", ".lz", ".zst", ".z"];
    let plain = packed.iter().find_map(|end| file.strip_suffix(end)).unwrap_or(&file);
    let stem = [".patch", ".diff"].iter().find_map(|end| plain.strip_suffix(end));
    stem.unwrap_or(plain).to_owned()
}

fn words(stem: &str) -> Vec<&str> {
    stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Whether some words stand among others, one behind the other.
fn is_among(some: &[&str], others: &[&str]) -> bool {
    !some.is_empty() && others.windows(some.len()).any(|run| run == some)
}

/// The name without the number that it begins with.
fn bare(stem: &str) -> &str {
    stem.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_'])
}

fn letters(stem: &str) -> String {
    stem.chars().filter(|c| !c.is_ascii_digit()).collect()
}
