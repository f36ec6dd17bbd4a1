// SPDX-License-Identifier: GPL-2.0-or-later
//! What a macro call comes to in an outline: text where that is certain, marks where it is not.

use super::{Macros, Trouble, closing, lua, mark, word};
use crate::inject::line_context;
use std::rc::Rc;

/// Macros of rpm and of distributions that stand in a line of their own among the tags and make
/// neither a Source nor a Patch.
const HARMLESS: [&str; 25] = [
    "bcond",
    "bcond_with",
    "bcond_without",
    "filter_from_provides",
    "filter_from_requires",
    "filter_provides_in",
    "filter_requires_in",
    "filter_setup",
    "fontmeta",
    "forgemeta",
    "gobject_introspection_requires",
    "gometa",
    "java_arches",
    "kernel_module_package_buildreqs",
    "nodejs_default_filter",
    "perl_default_filter",
    "perl_requires",
    "py_provides",
    "python_enable_dependency_generator",
    "python_provide",
    "qt5_qtwebengine_arches",
    "systemd_ordering",
    "systemd_requires",
    "sysusers_requires_base",
    "sysusers_requires_compat",
];

/// Macros of distributions that open sections of their own.
const SECTIONS: [&str; 2] = ["debug_package", "ldconfig_scriptlets"];

/// Built-in macros that say something, and nothing to the spec.
const SILENT: [&str; 7] = ["dnl", "dump", "echo", "error", "nil", "trace", "warn"];

/// Built-in macros that give one word which is no tag.
const WORDS: [&str; 10] =
    ["F", "P", "S", "defined", "getconfdir", "getncpus", "suffix", "undefined", "with", "without"];

impl Macros {
    /// `%define`, `%global`, `%undefine` and `%dnl`; gives the text behind what they take.
    pub(super) fn outline_directive<'t>(
        &mut self,
        call: &str,
        behind: &'t str,
        depth: usize,
    ) -> Result<&'t str, Trouble> {
        match call {
            "%define" => {
                let rest = self.define(behind, None)?;
                if depth > 0 {
                    // Within a macro, rpm takes it back with that macro, or some time later.
                    let name = behind.trim_start_matches([' ', '\t']);
                    self.forget(&name[..word(name)], "is defined within a macro");
                }
                Ok(rest)
            }
            "%global" => self.define(behind, Some(depth)),
            "%undefine" => {
                let rest = behind.trim_start_matches([' ', '\t']);
                let name = &rest[..word(rest)];
                self.forget(name, "was taken back");
                Ok(&rest[name.len()..])
            }
            _ => Ok(&behind[behind.find('\n').unwrap_or(behind.len())..]),
        }
    }

    /// Takes in a macro with arguments, whose definition goes on with `text`.
    pub(super) fn outline_parametric(&mut self, name: &str, text: &str, definition: &str) {
        let (options, body) = text[1..].split_once(')').unwrap_or((text, ""));
        let body = body.trim_start_matches([' ', '\t']);
        let end = if body.starts_with('{') { closing(body) } else { None };
        let body = match end {
            Some(end) => body[1..end].to_owned(),
            None => unescaped(&body[..line_context::line_end(body)]).trim_end().to_owned(),
        };
        self.forget(name, "takes options");
        if self.unsure == 0 && matches!(options, "" | "-") {
            self.bodies.remove(name);
            self.note(name);
            self.parametric.insert(name.to_owned(), Rc::from(body));
        } else {
            self.doubt(&body, &self.trouble(definition, "is perhaps not defined so"));
        }
    }

    fn forget(&mut self, name: &str, why: &'static str) {
        self.parametric.remove(name);
        let trouble = self.trouble(name, why);
        self.set(name, Err(trouble));
    }

    /// Writes what a call comes to; gives how much of the text behind it are its arguments.
    pub(super) fn outline_call(
        &mut self,
        out: &mut String,
        call: &str,
        behind: &str,
        depth: usize,
    ) -> Result<usize, Trouble> {
        let braced = call.strip_prefix("%{").and_then(|inner| inner.strip_suffix('}'));
        let inner = braced.unwrap_or(&call[1..]);
        let name = inner.trim_start_matches(['?', '!']);
        let tests = &inner[..inner.len() - name.len()];
        let (name, rest) = name.split_at(word(name));
        if braced.is_none() && name.is_empty() {
            out.push_str(call);
            return Ok(0);
        }
        let value = rest.strip_prefix(':');
        if line_context::is_directive(call) {
            out.push_str(call);
        } else if name.is_empty() {
            self.unseen(out, call);
        } else if tests.contains('?') {
            let denies = tests.matches('!').count() % 2 == 1;
            self.outline_test(out, name, value.filter(|value| !value.is_empty()), denies, depth)?;
        } else if let Some(body) = self.parametric.get(name).cloned() {
            let line = behind.find('\n').unwrap_or(behind.len());
            let free = braced.is_none() && behind.starts_with([' ', '\t']);
            let given = if free { &behind[..line] } else { value.unwrap_or(rest) };
            let mut arguments = String::new();
            self.write(&mut arguments, given, self.below(depth, call)?)?;
            match with_arguments(&body, &arguments) {
                Some(body) => self.outline_body(out, &body, call, depth)?,
                None => self.unseen(out, call),
            }
            return Ok(if free { line } else { 0 });
        } else if let Some(body) = self.bodies.get(name).cloned() {
            match body {
                Ok(body) => self.outline_body(out, &body, call, depth)?,
                Err(_) => out.push(mark::UNSEEN),
            }
        } else {
            self.outline_builtin(out, call, name, value.unwrap_or_default(), depth)?;
        }
        Ok(0)
    }

    fn outline_body(
        &mut self,
        out: &mut String,
        body: &str,
        call: &str,
        depth: usize,
    ) -> Result<(), Trouble> {
        let why = "makes more text than a spec should need";
        let left = self.left.checked_sub(body.len() + 1);
        self.left = left.ok_or_else(|| self.trouble(call, why))?;
        // A body has marks where a program ran when it was defined.
        self.ran |= body.contains(mark::UNSEEN);
        self.write(out, body, self.below(depth, call)?)
    }

    /// `%{?name}`, `%{?name:value}` and what denies these.
    fn outline_test(
        &mut self,
        out: &mut String,
        name: &str,
        value: Option<&str>,
        denies: bool,
        depth: usize,
    ) -> Result<(), Trouble> {
        let below = self.below(depth, name)?;
        let body = match self.bodies.get(name).cloned() {
            Some(Ok(body)) => Some(body),
            _ => self.parametric.get(name).cloned(),
        };
        match (value, body) {
            (_, Some(_)) if denies => Ok(()),
            (Some(value), Some(_)) => self.write(out, value, below),
            (None, Some(body)) => self.outline_body(out, &body, name, depth),
            (Some(value), None) => self.maybe(out, value, below),
            (None, None) => {
                let seen = !self.anything;
                if !denies && seen && SECTIONS.contains(&name) {
                    out.push_str("%files");
                } else if !denies && self.bodies.contains_key(name) {
                    out.push(mark::UNSEEN);
                } else if !denies {
                    out.push(if seen { mark::OUTSIDE } else { mark::UNSEEN });
                }
                Ok(())
            }
        }
    }

    fn maybe(&mut self, out: &mut String, text: &str, depth: usize) -> Result<(), Trouble> {
        out.push(mark::MAYBE);
        self.unsure += 1;
        let written = self.write(out, text, depth);
        self.unsure -= 1;
        out.push(mark::END);
        written
    }

    fn outline_builtin(
        &mut self,
        out: &mut String,
        call: &str,
        name: &str,
        value: &str,
        depth: usize,
    ) -> Result<(), Trouble> {
        match name {
            "expand" => {
                let mut once = String::new();
                let before = std::mem::take(&mut self.ran);
                self.write(&mut once, value, self.below(depth, call)?)?;
                // What a program prints is carried out here.
                if self.ran {
                    self.doubt_all(call, "expands what a program prints");
                }
                self.ran |= before;
                return self.outline_body(out, &once, call, depth);
            }
            "verbose" => return self.maybe(out, value, self.below(depth, call)?),
            "lua" => {
                self.doubt(call, &self.trouble(call, "is a program"));
                if lua::prints(call) {
                    self.ran = true;
                    out.push(mark::UNSEEN);
                }
            }
            "load" => self.doubt_all(call, "is a file that may define anything"),
            "define" | "global" | "undefine" => {
                self.doubt(call, &self.trouble(call, "is left to rpm"));
            }
            _ if SILENT.contains(&name) => {}
            // Whatever stands in its place now, it is not known any more.
            _ if self.anything => self.unseen(out, call),
            _ if SECTIONS.contains(&name) => out.push_str("%files"),
            _ if WORDS.contains(&name) || HARMLESS.contains(&name) => out.push(mark::OUTSIDE),
            _ => self.unseen(out, call),
        }
        Ok(())
    }

    fn unseen(&mut self, out: &mut String, call: &str) {
        let trouble = self.trouble(call, "is left to rpm");
        self.doubt(call, &trouble);
        out.push(mark::UNSEEN);
    }
}

/// A body with the arguments in their places; nothing where it asks for more than plain words.
fn with_arguments(body: &str, arguments: &str) -> Option<String> {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    if words.iter().any(|word| word.starts_with('-') || word.contains(['"', '\''])) {
        return None;
    }
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let from = &rest[at + 1..];
        let braced = from.strip_prefix('{');
        let inner = braced.unwrap_or(from);
        let parameter = inner.trim_start_matches(['?', '!']);
        let digits =
            parameter.len() - parameter.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let stars = inner.len() - inner.trim_start_matches('*').len();
        let (text, taken) = if parameter.starts_with('-') {
            return None;
        } else if let Some(escaped) = from.strip_prefix('%') {
            let escaped = escaped.trim_start_matches('{');
            if escaped.starts_with(|c: char| "*#-".contains(c) || c.is_ascii_digit()) {
                return None;
            }
            ("%%".to_owned(), 1)
        } else if digits > 0 {
            let number: usize = parameter[..digits].parse().ok()?;
            let word = number.checked_sub(1).and_then(|at| words.get(at))?;
            if parameter.len() < inner.len() {
                return None;
            }
            ((*word).to_owned(), digits)
        } else if stars > 0 {
            (words.join(" "), stars.min(2))
        } else if inner.starts_with('#') {
            (words.len().to_string(), 1)
        } else {
            ("%".to_owned(), 0)
        };
        let plain = text == "%" || text == "%%";
        rest = match braced {
            Some(inner) if !plain => inner[taken..].strip_prefix('}')?,
            _ => &from[taken..],
        };
        out.push_str(&text);
    }
    out.push_str(rest);
    Some(out)
}

/// A backslash in a definition keeps the character behind it, mostly a line break.
pub fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}
