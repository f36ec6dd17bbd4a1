// SPDX-License-Identifier: GPL-2.0-or-later
//! One tag of a preamble.

/// A line such as `Source2: name.tar.gz`. As in rpm, a tag begins in the first column.
pub struct Tag<'a> {
    /// The name as the spec spells it, without its number.
    pub name: &'a str,
    pub number: Option<u32>,
    pub value: &'a str,
    /// What stands between the colon and the value.
    gap: &'a str,
    /// Where the value begins.
    column: usize,
}

impl<'a> Tag<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (head, rest) = text.split_once(':')?;
        let label = match head.get(..6).or(head.get(..5)) {
            // What follows their number is nothing to rpm: `Patch1 (old): a`, and `Source 1: a` has none.
            Some(start) if is_numbered(start) => head.split([' ', '\t']).next().unwrap_or(head),
            _ => head.split('(').next().unwrap_or(head).trim_end(),
        };
        let name = label.trim_end_matches(|c: char| c.is_ascii_digit());
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) {
            return None;
        }
        let digits = &label[name.len()..];
        let number = if digits.is_empty() { None } else { Some(digits.parse().ok()?) };
        let value = rest.trim();
        let gap = &rest[..rest.len() - rest.trim_start().len()];
        Some(Self {
            name,
            number,
            value,
            gap,
            column: head.chars().count() + 1 + gap.chars().count(),
        })
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The capabilities that it names, where it is a tag of dependencies.
    pub fn capabilities(&self) -> Vec<String> {
        capabilities(self.value)
    }

    /// A new tag line in the manner of this one: a value that stood in a column stands in it again.
    pub fn alike(&self, label: &str, value: &str) -> String {
        let width = match self.gap {
            "" | " " => 0,
            tabs if tabs.contains('\t') => return format!("{label}:{tabs}{value}"),
            _ => self.column.saturating_sub(1),
        };
        format!("{:width$} {value}", format!("{label}:"))
    }
}

fn is_numbered(start: &str) -> bool {
    let start = start.to_ascii_lowercase();
    start.starts_with("source") || start.starts_with("patch")
}

/// The single capabilities of a dependency list, spaced alike.
pub fn capabilities(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut versioned = false;
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
    {
        let operator = ["<", "<=", "=", ">=", ">"].contains(&word);
        match found.last_mut() {
            Some(last) if operator || versioned => {
                last.push(' ');
                last.push_str(word);
            }
            _ => found.push(word.to_owned()),
        }
        versioned = operator;
    }
    found
}
