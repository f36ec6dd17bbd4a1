//! The macros of a spec, as far as they can be expanded by text alone.
//!
//! The rules are rpm's own (`expandMacro` and `doDefine` in its rpmio/macro.c), but where rpm would
//! leave a macro as it is, run it or look it up elsewhere, the answer is why it has no value here.
//! What rpm's own configuration, an included file or Lua would define is taken for undefined. No
//! program ever enters this module, and however a spec is written, the work is bounded.

use crate::config::{Line, MacroName};
use crate::inject::scan;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// How deep macros may lead into each other; rpm's own limit.
const DEPTH: usize = 64;

/// How much text the bodies of macros may make in one spec, so that a few lines cannot fill the
/// memory.
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

pub struct Macros {
    bodies: BTreeMap<String, Result<Rc<str>, Trouble>>,
    /// What is left of [`EXPANSION`].
    left: usize,
    /// The line that is read.
    line: usize,
}

impl Macros {
    pub fn new(defines: &BTreeMap<MacroName, Line>) -> Self {
        let body = |value: &Line| Ok(Rc::from(value.as_str().trim()));
        let defines = defines.iter().map(|(name, value)| (name.to_string(), body(value)));
        Self { bodies: defines.collect(), left: EXPANSION, line: 0 }
    }

    pub fn set(&mut self, name: &str, body: Result<String, Trouble>) {
        self.bodies.insert(name.to_owned(), body.map(Rc::from));
    }

    /// Takes in that nothing is sure about what the text defines or takes back.
    pub fn doubt(&mut self, text: &str, trouble: &Trouble) {
        for call in text.split('%').skip(1) {
            let call = call.trim_start_matches('{');
            let name = ["define", "global", "undefine"].into_iter().find_map(|word| {
                let rest = call.strip_prefix(word)?;
                let name = rest.trim_start_matches([' ', '\t', ':']);
                (name.len() < rest.len()).then_some(name)
            });
            if let Some(name) = name {
                let name = name[..word(name)].to_owned();
                self.bodies.insert(name, Err(trouble.clone()));
            }
        }
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
                "%define" => self.define(behind, None)?,
                "%global" => self.define(behind, Some(depth))?,
                "%undefine" => return Err(self.trouble(from, "is left to rpm")),
                "%%" => {
                    out.push('%');
                    behind
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
            let (body, rest) = body.split_at(scan::line_end(body));
            (unescaped(body).trim_end().to_owned(), rest)
        };
        if text.starts_with('(') {
            return Err(self.trouble(definition, "takes arguments"));
        }
        let body = match depth {
            None => body,
            Some(depth) => {
                let mut out = String::new();
                self.write(&mut out, &body, self.below(depth, definition)?)?;
                out
            }
        };
        self.set(name, Ok(body));
        Ok(rest)
    }
}

/// How long the name is that a text begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Where the brace is closed that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// A backslash in a definition keeps the character behind it, mostly a line break.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}
