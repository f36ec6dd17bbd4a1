// SPDX-License-Identifier: GPL-2.0-or-later
//! The macros of a spec, as far as they can be expanded by text alone.
//!
//! The rules are rpm's own (`expandMacro` and `doDefine` in its rpmio/macro.c), but where rpm would
//! leave a macro as it is, run it or look it up elsewhere, the answer is why it has no value here.
//! There are two readers. One wants a value for certain, and takes what rpm's own configuration, an
//! included file or Lua would define for undefined. The other, [`Macros::outline`], wants to know what
//! could stand there at all, and gets marks where that is not certain. No program ever enters this
//! module, and however a spec is written, the work is bounded.

mod call;
mod lua;
mod watch;

use super::line_context;
use crate::config::{Line, MacroName};
use call::unescaped;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// How deep macros may lead into each other; rpm's own limit.
const DEPTH: usize = 64;

/// How much text the bodies of macros may make in one spec, so that it cannot fill the memory.
const EXPANSION: usize = 1 << 20;

/// Why a text has no value for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    culprit: String,
    why: &'static str,
    /// Where it stands.
    pub line: usize,
}

impl Trouble {
    pub fn new(culprit: &str, why: &'static str, line: usize) -> Self {
        let first = culprit.trim().lines().next().unwrap_or_default();
        let mut shown: String = first.chars().take(60).collect();
        if shown.len() < culprit.trim().len() {
            shown.push('…');
        }
        Self { culprit: shown, why, line }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.culprit, self.why)
    }
}

/// Marks in an outline: characters that Unicode keeps free for such use within a program.
pub mod mark {
    /// Text that cannot be known, lines with tags in it perhaps.
    pub const UNSEEN: char = '\u{FDD0}';
    /// Text that only the builder's own configuration knows, and that is no Source and no Patch.
    pub const OUTSIDE: char = '\u{FDD1}';
    /// What stands between these two is there or is not.
    pub const MAYBE: char = '\u{FDD2}';
    pub const END: char = '\u{FDD3}';

    pub fn is(c: char) -> bool {
        (UNSEEN..=END).contains(&c)
    }
}

pub struct Macros {
    bodies: BTreeMap<String, Result<Rc<str>, Trouble>>,
    /// The bodies of macros with arguments, for an outline.
    parametric: BTreeMap<String, Rc<str>>,
    /// Whether an outline is written.
    outlines: bool,
    /// Within how much of an outline that is perhaps not there.
    unsure: usize,
    /// Whether a program or a file of macros could have defined anything.
    anything: bool,
    /// Whether what the last outline holds is the output of a program, in part.
    pub ran: bool,
    /// The first line that may define a macro by which a source or patch is known.
    pub redefined: Option<usize>,
    watched: watch::Watched,
    /// What is left of [`EXPANSION`].
    left: usize,
    /// The line that is read.
    line: usize,
}

impl Macros {
    pub fn new(defines: &BTreeMap<MacroName, Line>) -> Self {
        let body = |value: &Line| Ok(Rc::from(value.as_str().trim()));
        let defines = defines.iter().map(|(name, value)| (name.to_string(), body(value)));
        Self {
            bodies: defines.collect(),
            parametric: BTreeMap::new(),
            outlines: false,
            unsure: 0,
            anything: false,
            ran: false,
            redefined: None,
            watched: watch::Watched::default(),
            left: EXPANSION,
            line: 0,
        }
    }

    pub fn set(&mut self, name: &str, body: Result<String, Trouble>) {
        self.note(name);
        self.bodies.insert(name.to_owned(), body.map(Rc::from));
    }

    /// The last part of a path or address. Where a macro in it has no value, it stays as it is
    /// spelled.
    pub fn file(&mut self, path: &str, line: usize) -> String {
        let expanded = self.expand(path, line);
        let path = expanded.as_deref().unwrap_or(path);
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The text with its macros expanded. What it defines is taken in; where it has no value, what
    /// it defines is in doubt.
    pub fn expand(&mut self, text: &str, line: usize) -> Result<String, Trouble> {
        self.line = line;
        let mut out = String::new();
        self.write(&mut out, text, 0)?;
        Ok(out)
    }

    /// What the text may come to, with a [`mark`] for all that is not certain. `sure` says that rpm
    /// reads this line in any case.
    pub fn outline(&mut self, text: &str, line: usize, sure: bool) -> String {
        let text = &text.replace(mark::is, "\u{FFFD}");
        self.outlines = true;
        self.ran = false;
        self.unsure = usize::from(!sure);
        self.line = line;
        let mut out = String::new();
        // An outline has a mark where another reader has trouble.
        if self.write(&mut out, text, 0).is_err() {
            out.extend(['\n', mark::UNSEEN]);
        }
        self.outlines = false;
        out
    }

    /// Takes in what a tag gives for its macro, marks and all.
    pub fn set_outlined(&mut self, name: &str, value: &str, sure: bool, line: usize) {
        self.parametric.remove(name);
        let doubt = || Trouble::new(value, "is perhaps not the value", line);
        self.set(name, if sure { Ok(value.to_owned()) } else { Err(doubt()) });
    }

    /// Whether a macro takes arguments, as far as that is known.
    pub fn takes_arguments(&self, name: &str) -> Option<bool> {
        if self.parametric.contains_key(name) {
            return Some(true);
        }
        match self.bodies.get(name) {
            Some(Ok(_)) => Some(false),
            _ => None,
        }
    }

    fn trouble(&self, culprit: &str, why: &'static str) -> Trouble {
        Trouble::new(culprit, why, self.line)
    }

    /// The depth of what `culprit` leads into.
    fn below(&self, depth: usize, culprit: &str) -> Result<usize, Trouble> {
        let why = "leads too deep, as if it were defined by itself";
        if depth < DEPTH { Ok(depth + 1) } else { Err(self.trouble(culprit, why)) }
    }

    fn write(&mut self, out: &mut String, text: &str, depth: usize) -> Result<(), Trouble> {
        let written = self.write_calls(out, text, depth);
        if let Err(trouble) = &written {
            self.doubt(text, trouble);
        }
        written
    }

    fn write_calls(&mut self, out: &mut String, text: &str, depth: usize) -> Result<(), Trouble> {
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let (plain, from) = rest.split_at(at);
            out.push_str(plain);
            let end = match from.as_bytes().get(1) {
                Some(b'%') => 2,
                Some(b'(' | b'[') if self.outlines => match closing(&from[1..]) {
                    Some(end) => {
                        self.doubt(&from[..end + 2], &self.trouble(from, "would run a program"));
                        self.ran = true;
                        out.push(mark::UNSEEN);
                        rest = &from[end + 2..];
                        continue;
                    }
                    None => return Err(self.trouble(from, "is not closed")),
                },
                Some(b'(') => return Err(self.trouble(from, "would run a program")),
                Some(b'[') => return Err(self.trouble(from, "is left to rpm")),
                Some(b'{') => match closing(&from[1..]) {
                    Some(end) => 1 + end + 1,
                    None => return Err(self.trouble(from, "is not closed")),
                },
                _ => {
                    let name = from[1..].trim_start_matches(['?', '!']);
                    from.len() - name.len() + word(name)
                }
            };
            let (call, behind) = from.split_at(end);
            rest = match call {
                "%define" | "%global" | "%undefine" | "%dnl" if self.outlines => {
                    self.outline_directive(call, behind, depth)?
                }
                "%define" => self.define(behind, None)?,
                "%include" if self.outlines => {
                    self.doubt_all(from, "is a file that may define anything");
                    out.push_str(call);
                    behind
                }
                "%global" => self.define(behind, Some(depth))?,
                "%undefine" => return Err(self.trouble(from, "is left to rpm")),
                "%%" => {
                    out.push('%');
                    behind
                }
                _ if self.outlines => {
                    let taken = self.outline_call(out, call, behind, depth)?;
                    &behind[taken..]
                }
                _ => {
                    self.call(out, call, depth)?;
                    behind
                }
            };
        }
        out.push_str(rest);
        Ok(())
    }

    /// Writes what a call gives, such as `%name` or `%{?name:value}`.
    fn call(&mut self, out: &mut String, call: &str, depth: usize) -> Result<(), Trouble> {
        let braced = call.strip_prefix("%{").and_then(|inner| inner.strip_suffix('}'));
        let inner = braced.unwrap_or(&call[1..]);
        let name = inner.trim_start_matches(['?', '!']);
        let tests = &inner[..inner.len() - name.len()];
        let (name, behind) = name.split_at(word(name));
        // A percent sign on its own.
        if braced.is_none() && name.is_empty() {
            out.push_str(call);
            return Ok(());
        }
        let (asks, denies) = (tests.contains('?'), tests.matches('!').count() % 2 == 1);
        let value = behind.strip_prefix(':').filter(|value| asks && !value.is_empty());
        if name.is_empty() || (value.is_none() && !behind.is_empty()) {
            return Err(self.trouble(call, "is left to rpm"));
        }
        let body = self.bodies.get(name).cloned().transpose()?;
        match (value, body) {
            (_, body) if asks && body.is_some() == denies => Ok(()),
            (Some(value), _) => self.write(out, value, self.below(depth, call)?),
            (None, Some(body)) => {
                let why = "makes more text than a spec should need";
                let left = self.left.checked_sub(body.len() + 1);
                self.left = left.ok_or_else(|| self.trouble(call, why))?;
                self.write(out, &body, self.below(depth, call)?)
            }
            (None, None) if asks => Ok(()),
            (None, None) => Err(self.trouble(call, "is not defined")),
        }
    }

    /// Takes in the definition that `text` begins with, and gives the text behind it. A body is
    /// expanded where it is used, or at once with the `depth` that it stands in.
    fn define<'t>(&mut self, text: &'t str, depth: Option<usize>) -> Result<&'t str, Trouble> {
        let definition = text.trim_start_matches([' ', '\t']);
        let (name, text) = definition.split_at(word(definition));
        let body = text.trim_start_matches([' ', '\t']);
        // As in rpm, braces around all of a body only group it.
        let (body, rest) = if body.starts_with('{') {
            let end = closing(body).ok_or_else(|| self.trouble(definition, "is not closed"))?;
            (body[1..end].to_owned(), &body[end + 1..])
        } else {
            let (body, rest) = body.split_at(line_context::line_end(body));
            (unescaped(body).trim_end().to_owned(), rest)
        };
        if text.starts_with('(') {
            if self.outlines {
                self.outline_parametric(name, text, definition);
                let end = line_context::line_end(text);
                return Ok(text[end..].trim_start_matches('\n'));
            }
            return Err(self.trouble(definition, "takes arguments"));
        }
        self.parametric.remove(name);
        let body = match depth {
            None => body,
            Some(depth) => {
                let mut out = String::new();
                self.write(&mut out, &body, self.below(depth, definition)?)?;
                out
            }
        };
        let body = if self.unsure == 0 {
            Ok(body)
        } else {
            let trouble = self.trouble(definition, "is perhaps not defined so");
            self.doubt(&body, &trouble);
            Err(trouble)
        };
        self.set(name, body);
        Ok(rest)
    }
}

/// How long the name is that a text begins with.
pub fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Where the brace, bracket or parenthesis is closed that a text begins with.
pub fn closing(text: &str) -> Option<usize> {
    let pair = match text.as_bytes().first() {
        Some(b'(') => (b'(', b')'),
        Some(b'[') => (b'[', b']'),
        _ => (b'{', b'}'),
    };
    let mut open = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == pair.0 {
            open += 1;
        } else if byte == pair.1 {
            open = open.checked_sub(1)?;
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}
