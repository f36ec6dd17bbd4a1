// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a spec uses a patch: by its number, by its name, or with all the others.
//!
//! What takes all patches that are declared goes on to do so when there is one less. Everything else
//! than a plain `%patch` of this one patch is a use that its going would break, or that would go on
//! to apply a file that lies there still, and so is what cannot be told.

mod files;
mod folder;

use super::declared::{Declarations, Declared};
use super::line_context::{self, Section};
use super::macros::{closing, mark, word};
use super::preamble_tag::Tag;
use super::spec::SpecText;

/// A line that uses the patch, and how.
pub enum Use {
    /// `%patch` of this one alone: the line goes with it.
    Applies(usize),
    /// Another use, and in what way.
    Other(usize, &'static str),
}

/// The uses of a patch, and a line that tells patches apart by their numbers, if there is one.
pub struct Uses {
    pub uses: Vec<Use>,
    pub by_number: Option<usize>,
}

pub fn of(spec: &SpecText, declarations: &Declarations, patch: &Declared, file: &str) -> Uses {
    let others: Vec<u32> = declarations
        .patches
        .iter()
        .filter(|one| one.line != patch.line)
        .map(|one| one.number)
        .collect();
    let kept = (0..spec.len()).any(|line| {
        spec.line_context(line).section == Section::Prep && folder::keeps(spec.text(line))
    });
    let mut found = Uses { uses: Vec::new(), by_number: None };
    for group in &declarations.expanded {
        let line = group.line;
        let first = spec.text(line);
        let section = spec.line_context(line).section;
        let declares = matches!(section, Section::Preamble | Section::Package)
            && Tag::parse(first).is_some_and(|tag| tag.is("patch") || tag.is("source"));
        let listed = matches!(section, Section::PatchList | Section::SourceList);
        // In prose and behind a `#`, only further lines that a macro makes are more than words.
        let words =
            spec.is_comment(line) || matches!(section, Section::Description | Section::Changelog);
        let further = group.text.contains('\n')
            || (section == Section::Prep && group.text.contains(mark::UNSEEN));
        if (words && !further) || declares || listed {
            continue;
        }
        let raw = (line..group.end).map(|at| spec.text(at)).collect::<Vec<_>>().join("\n");
        let plain: String =
            group.text.chars().filter(|c| ![mark::MAYBE, mark::END].contains(c)).collect();
        if let Some(applied) = applied(group.text.trim_start()) {
            found.by_number = found.by_number.or(Some(line));
            let alone = group.end == line + 1
                && !spec.line_context(line).continues
                && !line.checked_sub(1).is_some_and(|above| spec.line_context(above).continues);
            match applied {
                Applied::Plainly(numbers) if numbers == [patch.number] && alone => {
                    found.uses.push(Use::Applies(line));
                    continue;
                }
                Applied::Plainly(numbers) | Applied::Oddly(numbers)
                    if numbers.contains(&patch.number) =>
                {
                    found.uses.push(Use::Other(line, "another use of its number"));
                    continue;
                }
                Applied::Unclear => {
                    found.uses.push(Use::Other(line, "a `%patch` whose number cannot be told"));
                    continue;
                }
                _ => {}
            }
        }
        // Among the tags a name is at most a word, and a definition counts where it is used.
        let tags = matches!(section, Section::Preamble | Section::Package);
        let prep = section == Section::Prep;
        let way = Some(&raw).filter(|_| tags || prep).and_then(|raw| {
            let beside = prep && kept && folder::cuts(raw);
            let way = folder::way(raw, file, prep);
            way.or_else(|| beside.then_some("a use of files beside the sources"))
        });
        if let Some(how) = way {
            found.uses.push(Use::Other(line, how));
            continue;
        }
        for text in [&raw, &plain] {
            let use_ = calls(text, patch.number, &others, &mut found.by_number, line)
                .or_else(|| files::named(text, file, prep).filter(|_| !tags));
            if let Some(how) = use_ {
                found.uses.push(Use::Other(line, how));
                break;
            }
        }
    }
    found
}

/// The numbers of a `%patch` line.
enum Applied {
    /// With options of patch only.
    Plainly(Vec<u32>),
    /// With something more.
    Oddly(Vec<u32>),
    Unclear,
}

/// What a line applies: `%patch3`, `%patch 3`, `%patch -P 3`, `%patch -P3`.
fn applied(text: &str) -> Option<Applied> {
    let rest = text.strip_prefix("%patch")?;
    let mut words = rest.split_whitespace();
    let mut numbers = Vec::new();
    let mut odd = false;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        numbers.push(words.next()?.parse::<u32>().ok()?);
    } else if rest.starts_with(mark::is) || rest.starts_with(['%', '{', '$']) {
        return Some(Applied::Unclear);
    } else if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    if text.contains(mark::is) {
        return Some(Applied::Unclear);
    }
    while let Some(word) = words.next() {
        let number = match word {
            "-P" => words.next().unwrap_or_default(),
            "-b" | "-d" | "-F" | "-o" | "-p" | "-z" => {
                words.next();
                continue;
            }
            "-R" | "-E" | "-Z" => continue,
            _ => match word.strip_prefix("-P") {
                Some(number) => number,
                None if ["-b", "-d", "-F", "-o", "-p", "-z"]
                    .iter()
                    .any(|o| word.starts_with(o)) =>
                {
                    continue;
                }
                None => word,
            },
        };
        match number.parse::<u32>() {
            Ok(number) => numbers.push(number),
            Err(_) => odd = true,
        }
    }
    // A bare `%patch` is the patch 0.
    if numbers.is_empty() {
        numbers.push(0);
    }
    Some(if odd { Applied::Oddly(numbers) } else { Applied::Plainly(numbers) })
}

/// How a text uses the patch by a macro call, if it does.
fn calls(
    text: &str,
    number: u32,
    others: &[u32],
    by_number: &mut Option<usize>,
    line: usize,
) -> Option<&'static str> {
    let not_told = Some("a use of a patch whose number cannot be told");
    let again = Some("another use of its number");
    for (at, _) in text.match_indices('%') {
        let call = &text[at + 1..];
        let inside = call.strip_prefix('{');
        let inner = inside.unwrap_or(call).trim_start_matches(['?', '!']);
        let (name, behind) = inner.split_at(word(inner));
        // What the call is given: up to its brace, or to the end of the line.
        let given = || {
            let end = match inside {
                Some(_) => closing(call),
                None => call.find('\n'),
            };
            &call[call.len() - behind.len()..end.unwrap_or(call.len())]
        };
        let digits = ["PATCHURL", "PATCH", "patch"].iter().find_map(|word| name.strip_prefix(word));
        match name {
            "patches" if others.is_empty() => {
                return Some("a use of all patches, of which none is left,");
            }
            "autopatch" => {
                if let Some(how) = autopatch(given(), number, others, by_number, line) {
                    return Some(how);
                }
            }
            "lua" if given().to_ascii_lowercase().contains("patch") => {
                return Some("a program that deals with patches");
            }
            "include" => return Some("an included file, which may apply patches,"),
            "P" if inside.is_some() && behind.starts_with([':', ' ']) => {
                *by_number = by_number.or(Some(line));
                match given().trim_start_matches([':', ' ']).trim_end().parse::<u32>() {
                    Ok(used) if used != number => {}
                    Ok(_) => return again,
                    Err(_) => return not_told,
                }
            }
            "patch" => {
                *by_number = by_number.or(Some(line));
                match applied(&format!("%patch{}", given())) {
                    Some(Applied::Plainly(used) | Applied::Oddly(used)) => {
                        if used.contains(&number) {
                            return again;
                        }
                    }
                    Some(Applied::Unclear) | None => return not_told,
                }
            }
            "PATCH" | "PATCHURL"
                if behind.starts_with(|c: char| "%{$".contains(c) || mark::is(c)) =>
            {
                return not_told;
            }
            _ => {}
        }
        if let Some(used) = digits.and_then(|digits| digits.parse::<u32>().ok()) {
            *by_number = by_number.or(Some(line));
            if used == number {
                return again;
            }
        }
    }
    None
}

/// `%autopatch 1 2` names numbers, and `-m` and `-M` bound them.
fn autopatch(
    given: &str,
    number: u32,
    others: &[u32],
    by_number: &mut Option<usize>,
    line: usize,
) -> Option<&'static str> {
    let mut words = given.split_whitespace();
    let (mut least, mut most, mut bound) = (0, u32::MAX, false);
    while let Some(word) = words.next() {
        if ["-v", "-q"].contains(&word) || word.starts_with("-p") {
            if word == "-p" {
                words.next();
            }
            continue;
        }
        let limit = word.strip_prefix("-m").or_else(|| word.strip_prefix("-M"));
        *by_number = by_number.or(Some(line));
        let text = match limit {
            Some("") => words.next().unwrap_or_default(),
            Some(text) => text,
            None => word,
        };
        let Ok(value) = text.parse::<u32>() else {
            return Some("an `%autopatch` whose numbers cannot be told");
        };
        match limit {
            Some(_) if word.starts_with("-m") => (least, bound) = (value, true),
            Some(_) => (most, bound) = (value, true),
            None if value == number => return Some("another use of its number"),
            None => {}
        }
    }
    let among = |number: u32| (least..=most).contains(&number);
    if bound && among(number) && !others.iter().any(|&other| among(other)) {
        return Some("an `%autopatch` with no patch left");
    }
    None
}

/// Whether a shell needs a command where this line stands, so that it cannot just go.
pub fn is_needed(spec: &SpecText, line: usize) -> bool {
    let above = (0..line).rev().find(|&at| {
        let text = spec.text(at).trim();
        !text.is_empty()
            && !text.starts_with('#')
            && !line_context::is_conditional(line_context::directive(text))
    });
    let Some(above) = above.filter(|&at| spec.line_context(at).section == Section::Prep) else {
        return false;
    };
    let text = spec.text(above).trim_end();
    let last = text.split(|c: char| c.is_whitespace() || c == ';').next_back().unwrap_or_default();
    ["then", "else", "do", "{", "(", "!"].contains(&last)
        || ["&&", "||", "|", ")", "{", "("].iter().any(|end| text.ends_with(end))
}
