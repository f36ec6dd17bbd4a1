// SPDX-License-Identifier: GPL-2.0-or-later
//! What a program in a spec may do to macros, told by its words alone.
//!
//! Only Lua reaches them: `%(…)` is another process. No Lua is run or understood in this module; what
//! it does not spell out plainly may be anything.

use super::{Macros, Trouble, closing, word};
use crate::inject::declared::numbers;
use std::rc::Rc;

/// Words without which Lua gives no text to the spec.
const OUTPUT: [&str; 8] = ["print", "return", "macros", "load", "require", "dofile", "_G", "_ENV"];

/// Words by which Lua gets at rpm's own functions, or at others that do.
const REACHES: [&str; 8] =
    ["macros", "load", "require", "dofile", "_G", "_ENV", "package", "debug"];

/// What makes a macro of a text, or runs one.
const DIRECTIVES: [&str; 5] = ["def", "global", "lua", "load", "expand:"];

/// Whether Lua may give text to the spec.
pub fn prints(code: &str) -> bool {
    OUTPUT.iter().any(|word| code.contains(word))
}

impl Macros {
    /// Takes in that any macro may have another body from here on.
    pub(super) fn doubt_all(&mut self, culprit: &str, why: &'static str) {
        let trouble = self.trouble(culprit, why);
        self.anything = true;
        self.redefined.get_or_insert(self.line);
        self.watched.touch(None, self.line);
        let known = std::mem::take(&mut self.parametric).into_keys();
        let known: Vec<String> = known.chain(self.bodies.keys().cloned()).collect();
        self.bodies.extend(known.into_iter().map(|name| (name, Err(trouble.clone()))));
    }

    /// Takes in that nothing is sure about what the text defines or takes back.
    pub fn doubt(&mut self, text: &str, trouble: &Trouble) {
        if self.outlines {
            self.doubt_programs(text);
        }
        for call in text.split('%').skip(1) {
            let call = call.trim_start_matches('{');
            let name = ["define", "global", "undefine"].into_iter().find_map(|word| {
                let rest = call.strip_prefix(word)?;
                let name = rest.trim_start_matches([' ', '\t', ':']);
                (name.len() < rest.len()).then_some(name)
            });
            if let Some(name) = name {
                let name = name[..word(name)].to_owned();
                self.note(&name);
                self.bodies.insert(name, Err(trouble.clone()));
            }
        }
    }

    pub(super) fn note(&mut self, name: &str) {
        if numbers::is_one(name) {
            self.redefined.get_or_insert(self.line);
        }
        self.watched.touch(Some(name), self.line);
    }

    /// Whether the body of a macro of the spec may do more than give text.
    fn leads_on(&self, name: &str) -> bool {
        let body = self.bodies.get(name);
        self.parametric.contains_key(name)
            || body.is_some_and(|body| body.as_ref().map_or(true, |body| body.contains('%')))
    }

    /// Takes in what the programs and the files of macros in a text may define.
    pub(super) fn doubt_programs(&mut self, text: &str) {
        for (at, _) in text.match_indices("{load:") {
            self.doubt_all(&text[at..], "is a file that may define anything");
        }
        for (at, _) in text.match_indices("{lua:") {
            let end = closing(&text[at..]).map_or(text.len(), |end| at + end);
            let code = &text[at + "{lua:".len()..end];
            match defined(self, code) {
                Some(names) => {
                    for name in names {
                        let trouble = self.trouble(code, "is a program");
                        self.note(&name);
                        self.parametric.remove(&name);
                        self.bodies.insert(name, Err::<Rc<str>, _>(trouble));
                    }
                }
                None => self.doubt_all(&text[at..end], "is a program that may define anything"),
            }
        }
    }
}

/// The names of the macros that Lua defines or takes back; nothing where it does not say so plainly.
fn defined(macros: &Macros, code: &str) -> Option<Vec<String>> {
    if REACHES.iter().any(|word| code.contains(word)) {
        return None;
    }
    let mut names = Vec::new();
    for (at, _) in code.match_indices("rpm") {
        let call = &code[at + "rpm".len()..];
        let call = call.strip_prefix('.')?;
        let (function, text) = call.split_at(word(call));
        let text = text.trim_start_matches(['(', ' ']);
        if ["vercmp", "isdefined"].contains(&function) {
            continue;
        }
        let quote = text.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
        let (text, behind) = text[1..].split_once(quote)?;
        // A text that is put together, or has escapes in it, may be any.
        if !behind.trim_start().starts_with(')') || text.contains('\\') {
            return None;
        }
        match function {
            "define" | "undefine" => {
                let name = &text[..word(text)];
                if name.is_empty() {
                    return None;
                }
                names.push(name.to_owned());
            }
            "expand" => {
                let mut names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let acts = DIRECTIVES.iter().any(|word| text.contains(word));
                if acts || names.any(|name| macros.leads_on(name)) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(names)
}
