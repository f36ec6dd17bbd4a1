//! One tag of a preamble, and the numbers of Source and Patch tags.

use super::scan::Section;
use super::spec::SpecText;

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
        let label = head.split('(').next().unwrap_or(head).trim_end();
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

/// A Source or a Patch with the number that rpm gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub line: usize,
    pub number: u32,
    /// The number is rpm's, the tag has none.
    pub automatic: bool,
    /// The last part of its path or address, as the spec spells it.
    pub file: String,
    /// Whether it surely is there under this number: nothing about it hangs on a conditional.
    pub certain: bool,
}

/// Every `Source` or `Patch` tag. One without a number follows the highest so far, and the first
/// is 0. Tags in conditionals and in macro bodies use up their numbers too.
pub fn numbered(spec: &SpecText, name: &str) -> Vec<Numbered> {
    let mut found: Vec<Numbered> = Vec::new();
    let mut highest: Option<u32> = None;
    let mut all_certain = true;
    for line in 0..spec.len() {
        let place = spec.place(line);
        if !matches!(place.section, Section::Preamble | Section::Package) {
            continue;
        }
        let Some(tag) = Tag::parse(spec.text(line)).filter(|tag| tag.is(name)) else {
            continue;
        };
        let number = tag.number.unwrap_or(highest.map_or(0, |highest| highest.saturating_add(1)));
        highest = highest.max(Some(number));
        let always = place.depth == 0 && !place.body;
        all_certain &= always;
        let certain = always && (tag.number.is_some() || all_certain);
        let file = tag.value.rsplit('/').next().unwrap_or_default().to_owned();
        let automatic = tag.number.is_none();
        found.push(Numbered { line, number, automatic, file, certain });
    }
    found
}
