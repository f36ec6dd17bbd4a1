// SPDX-License-Identifier: GPL-2.0-or-later
//! Where each line of a spec stands: its section, the conditionals around it, the macro bodies.
//!
//! The rules are rpm's own (`readLine` and `isPart` in its build/parseSpec.c), without expansion.

/// The sections that an edit needs to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The main package's tags.
    Preamble,
    /// A subpackage's tags.
    Package,
    Prep,
    Changelog,
    SourceList,
    PatchList,
    /// Prose, in which nothing is used.
    Description,
    Other,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub struct LineContext {
    /// A heading belongs to the section that it opens.
    pub section: Section,
    /// How many conditionals are open behind the line: 0 on an `%endif` that closes the last one.
    pub depth: usize,
    /// Whether rpm reads the line, as `%if 1` and `%if 0` say it; nothing where a conditional around it
    /// hangs on what is defined.
    pub read: Option<bool>,
    /// The line is the body of a macro that began above it, so it is neither tag nor heading.
    pub in_macro_body: bool,
    /// The next line goes on with this one: a backslash at the end, or a `%{` that is still open.
    pub continues: bool,
}

pub fn contexts<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<LineContext> {
    let mut section = Section::Preamble;
    // The branch that is read of each open conditional: whether it is there, as far as that is certain.
    let mut branches: Vec<Option<bool>> = Vec::new();
    let mut state = MacroState::default();
    lines
        .map(|text| {
            let in_macro_body = state.in_macro_body();
            if !state.is_open() {
                state.defines = definition(text).is_some();
            }
            if !in_macro_body {
                section = heading(text).unwrap_or(section);
                let text = text.trim_start();
                match directive(text) {
                    "%if" => branches.push(constant(&text["%if".len()..])),
                    "%ifarch" | "%ifnarch" | "%ifos" | "%ifnos" => branches.push(None),
                    "%else" => {
                        branches.last_mut().into_iter().for_each(|last| *last = last.map(|it| !it));
                    }
                    word if word.starts_with("%elif") => {
                        branches.last_mut().into_iter().for_each(|last| *last = None);
                    }
                    "%endif" => drop(branches.pop()),
                    _ => {}
                }
            }
            state.read(text);
            let read = if branches.contains(&Some(false)) {
                Some(false)
            } else {
                branches.iter().copied().collect::<Option<Vec<_>>>().map(|_| true)
            };
            LineContext {
                section,
                depth: branches.len(),
                read,
                in_macro_body,
                continues: state.is_open(),
            }
        })
        .collect()
}

/// What a condition is that hangs on nothing.
fn constant(condition: &str) -> Option<bool> {
    match condition.trim() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Whether a line with this text would go on in the next one.
pub fn leaves_open(text: &str) -> bool {
    let mut state = MacroState::default();
    state.read(text);
    state.is_open()
}

/// How long the first line of a text is, in which rpm includes what that line leaves open.
pub fn line_end(text: &str) -> usize {
    let mut state = MacroState::default();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        state.read(line.trim_end_matches('\n'));
        if !state.is_open() {
            break;
        }
    }
    end
}

/// The part behind `%global` or `%define`.
pub fn definition(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let rest = text.strip_prefix("%global").or_else(|| text.strip_prefix("%define"))?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim_start())
}

/// Whether a word is a condition of rpm's, with its `%`.
pub fn is_conditional(word: &str) -> bool {
    let word = word.strip_prefix('%').unwrap_or_default();
    let rest = word.strip_prefix("if").or_else(|| word.strip_prefix("elif"));
    matches!(rest, Some("" | "arch" | "narch" | "os" | "nos")) || matches!(word, "else" | "endif")
}

/// Whether rpm itself reads a call, written without braces, so that no macro has to be known.
pub fn is_directive(call: &str) -> bool {
    let number = call.strip_prefix("%patch").map(|rest| rest.chars().all(|c| c.is_ascii_digit()));
    is_conditional(call)
        || matches!(call, "%include" | "%setup")
        || number == Some(true)
        || heading(call).is_some()
}

/// A `%` and the letters behind it.
pub fn directive(text: &str) -> &str {
    let end = text.strip_prefix('%').map_or(0, |rest| {
        1 + rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
    });
    &text[..end]
}

/// The section that a line opens. As in rpm: in the first column only, in any case.
pub fn heading(text: &str) -> Option<Section> {
    let word = text.split_whitespace().next().filter(|word| text.starts_with(word))?;
    Some(match word.to_ascii_lowercase().as_str() {
        "%package" => Section::Package,
        "%prep" => Section::Prep,
        "%changelog" => Section::Changelog,
        "%sourcelist" => Section::SourceList,
        "%patchlist" => Section::PatchList,
        "%description" => Section::Description,
        "%generate_buildrequires"
        | "%conf"
        | "%build"
        | "%install"
        | "%check"
        | "%clean"
        | "%pre"
        | "%post"
        | "%preun"
        | "%postun"
        | "%pretrans"
        | "%posttrans"
        | "%preuntrans"
        | "%postuntrans"
        | "%trigger"
        | "%triggerin"
        | "%triggerun"
        | "%triggerprein"
        | "%triggerpostun"
        | "%filetriggerin"
        | "%filetriggerun"
        | "%filetriggerpostun"
        | "%transfiletriggerin"
        | "%transfiletriggerun"
        | "%transfiletriggerpostun"
        | "%verifyscript"
        | "%files"
        | "%sepolicy"
        | "%policies" => Section::Other,
        _ => return None,
    })
}

/// What is still open at the end of a line: rpm joins lines until nothing is.
#[derive(Default)]
struct MacroState {
    braces: usize,
    parentheses: usize,
    brackets: usize,
    backslash: bool,
    /// Whether the joined line began with `%global` or `%define`.
    defines: bool,
}

impl MacroState {
    fn is_open(&self) -> bool {
        self.backslash || self.in_macro()
    }

    fn in_macro(&self) -> bool {
        self.braces + self.parentheses + self.brackets > 0
    }

    /// A backslash joins the lines of a definition; elsewhere rpm hands them out again singly.
    fn in_macro_body(&self) -> bool {
        self.in_macro() || (self.backslash && self.defines)
    }

    fn read(&mut self, text: &str) {
        self.backslash = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => self.backslash = chars.next().is_none(),
                '%' => {
                    match chars.peek() {
                        Some('{') => self.braces += 1,
                        Some('(') => self.parentheses += 1,
                        Some('[') => self.brackets += 1,
                        Some('%') => {}
                        _ => continue,
                    }
                    chars.next();
                }
                '{' if self.braces > 0 => self.braces += 1,
                '(' if self.parentheses > 0 => self.parentheses += 1,
                '[' if self.brackets > 0 => self.brackets += 1,
                '}' => self.braces = self.braces.saturating_sub(1),
                ')' => self.parentheses = self.parentheses.saturating_sub(1),
                ']' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
        }
    }
}
