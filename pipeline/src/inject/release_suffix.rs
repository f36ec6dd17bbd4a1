// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `release-suffix`.

use super::declared::Declarations;
use super::macros::{Macros, closing, mark, word};
use super::preamble_tag::Tag;
use super::spec::SpecText;
use super::{EditResult, Outcome, anchor};
use crate::error::Help;
use anyhow::{Result, anyhow};

/// Built-in macros that take the rest of their line for themselves.
const GREEDY: [&str; 6] = ["define", "dnl", "expand", "global", "lua", "undefine"];

/// Ends the Release with `suffix`: behind the dist tag it sorts above the stock package and below
/// the next one. A macro that takes the rest of its line for its arguments gets braces around them.
pub fn suffix(spec: &mut SpecText, suffix: &str) -> Result<EditResult> {
    let label = format!("release-suffix {suffix}");
    let line = the_release(spec)?;
    let text = spec.text(line).to_owned();
    let value = Tag::parse(&text).map(|tag| tag.value).unwrap_or_default();
    let refuse = |why: &str, help: &str| -> Result<EditResult> {
        Err(anyhow!("{}: the `Release` tag {why}{}", spec.name, spec.show(&[line]))
            .help(help.to_string()))
    };
    let one = "write the Release in one line, such as `Release: 1%{?dist}`";
    if value.is_empty() || spec.line_context(line).continues {
        return refuse("has no value that ends in its line", one);
    }
    let declarations = Declarations::read(spec);
    if let Some(made) = declarations.made_releases.first() {
        return Err(anyhow!(
            "{}: a macro makes a `Release` tag too{}",
            spec.name,
            spec.show(&[*made, line])
        )
        .help("leave one `Release:` line, with `replace` before this edit"));
    }
    if spec.line_context(line).depth > 0 {
        return refuse("hangs on a condition", "put the suffix there with `replace`");
    }
    let mut macros = Macros::new(&spec.defines);
    let expanded = declarations.expanded.iter().find(|one| one.line == line);
    let expanded = expanded.and_then(|one| Tag::parse(&one.text)).map_or("", |tag| tag.value);
    let free = match end(value) {
        Ok(End::Text) if value.ends_with(suffix) => {
            return Ok((label, Outcome::AlreadySatisfied));
        }
        Ok(End::Text | End::Closed) => None,
        Ok(End::Free { at, name }) => {
            // Only a macro with arguments can have anything behind a blank.
            for group in declarations.expanded.iter().take_while(|group| group.line < line) {
                let lines: Vec<&str> = (group.line..group.end).map(|at| spec.text(at)).collect();
                macros.outline(
                    &lines.join("\n"),
                    group.line,
                    spec.line_context(group.line).depth == 0,
                );
            }
            if macros.takes_arguments(name) == Some(false) {
                return refuse("has something behind its value", one);
            }
            Some(at)
        }
        Err(why) => return refuse(why, one),
    };
    let known: String = expanded.chars().filter(|&c| !mark::is(c)).collect();
    if free.is_none() && (known.contains(char::is_whitespace)) {
        return refuse("has something behind its value", one);
    }
    let value = match free {
        Some(at) => format!("{}%{{{}}}{suffix}", &value[..at], &value[at + 1..]),
        None => format!("{value}{suffix}"),
    };
    let whole = text.trim_end().len();
    let old = Tag::parse(&text).map_or(0, |tag| tag.value.len());
    let text = format!("{}{value}{}", &text[..whole - old], &text[whole..]);
    spec.set(line, text);
    Ok((label, Outcome::Applied))
}

/// The line of the main package's one `Release`.
fn the_release(spec: &SpecText) -> Result<usize> {
    let lines: Vec<usize> = spec
        .preamble()
        .filter(|&line| Tag::parse(spec.text(line)).is_some_and(|tag| tag.is("release")))
        .collect();
    match lines.as_slice() {
        [line] => Ok(*line),
        [] => Err(anyhow!("{}: no `Release` tag before the first section", spec.name)
            .help("`release-suffix` needs the main package's own `Release:` line")),
        _ => Err(anchor::given_twice(spec, &lines, "the `Release` tag")),
    }
}

/// What a value ends in.
enum End<'a> {
    Text,
    /// A call that its own brace ends.
    Closed,
    /// A call that ends with the line, for what is behind it are its arguments.
    Free {
        at: usize,
        name: &'a str,
    },
}

/// Reads a value call by call, or says why nothing can be put behind it.
fn end(value: &str) -> Result<End<'_>, &'static str> {
    let mut end = End::Text;
    let mut at = 0;
    while let Some(next) = value[at..].find('%') {
        let from = &value[at + next..];
        if value[at..at + next].contains(char::is_whitespace) {
            return Err("has something behind its value");
        }
        let call = &from[1..];
        let (length, kind) = match call.chars().next() {
            None => return Err("ends in a `%`"),
            Some('%') => (2, End::Text),
            Some('{' | '(' | '[') => {
                let Some(close) = closing(call) else { return Err("has an open brace") };
                let inner = &call[1..close];
                let name = inner.trim_start_matches(['?', '!']);
                let name = &name[..word(name)];
                let last = next + close + 2 == value.len() - at;
                // What a program prints may end in anything, a comment or a line of its own.
                let program = !call.starts_with('{');
                if last
                    && (program
                        || ["define", "dnl", "global", "lua", "undefine"].contains(&name)
                        || inner.contains('\\'))
                {
                    return Err("ends in what cannot be told without running it");
                }
                (close + 2, End::Closed)
            }
            Some(_) => {
                let tests = call.len() - call.trim_start_matches(['?', '!']).len();
                let name = &call[tests..][..word(&call[tests..])];
                let behind = &call[tests + name.len()..];
                if name.is_empty() || behind.starts_with(['*', '#', ':']) {
                    return Err("has a `%` that is no macro");
                }
                if GREEDY.contains(&name) {
                    return Err("ends in a macro that takes the rest of its line");
                }
                if behind.starts_with([' ', '\t']) {
                    let plain =
                        !behind.contains(['#', '{', '}', '\\', '(', '[']) || balanced(behind);
                    if tests > 0 || !plain {
                        return Err("has something behind its value");
                    }
                    return Ok(End::Free { at: at + next, name });
                }
                (1 + tests + name.len(), End::Closed)
            }
        };
        at += next + length;
        end = if at == value.len() { kind } else { End::Text };
    }
    if value[at..].contains(char::is_whitespace) {
        return Err("has something behind its value");
    }
    Ok(end)
}

/// Whether arguments can stand within braces as they are.
fn balanced(arguments: &str) -> bool {
    let wrapped = format!("{{{arguments}}}");
    closing(&wrapped) == Some(wrapped.len() - 1) && !arguments.contains(['#', '\\'])
}
