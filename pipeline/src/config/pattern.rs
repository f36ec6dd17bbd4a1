// SPDX-License-Identifier: GPL-2.0-or-later
//! A text of literal characters and classes of them, in the words of regular expressions, and without what
//! makes those slow or surprising: no alternatives, no groups, no dot, no escapes; from end to end.

use std::collections::BTreeSet;

/// The longest text that an operator may set.
pub const LONGEST_TEXT: u16 = 256;
/// What a text may be made of: nothing that QEMU's options, `XenStore` or a shell read as a mark.
const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+/-";

/// A pattern, as pieces one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub pieces: Vec<Piece>,
}

/// Characters, and how often one of them stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub characters: BTreeSet<char>,
    pub least: u16,
    /// None where there is no bound of its own.
    pub most: Option<u16>,
}

impl Pattern {
    /// Reads one, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut pieces = Vec::new();
        while let Some(first) = rest.chars().next() {
            let (characters, behind) = match first {
                '[' => class(&rest[1..])?,
                _ if is_literal(first) => (BTreeSet::from([first]), &rest[first.len_utf8()..]),
                _ => return Err(format!("`{first}` is no literal character here")),
            };
            let (least, most, behind) = quantifier(behind)?;
            pieces.push(Piece { characters, least, most });
            rest = behind;
        }
        if pieces.is_empty() { Err("it admits no text".to_owned()) } else { Ok(Self { pieces }) }
    }

    /// The most characters of a text that it admits, if that is bounded.
    pub fn longest(&self) -> Option<usize> {
        self.pieces.iter().map(|piece| piece.most.map(usize::from)).sum()
    }

    /// The fewest.
    pub fn shortest(&self) -> usize {
        self.pieces.iter().map(|piece| usize::from(piece.least)).sum()
    }

    /// Whether a text is its pieces one after another.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut places = BTreeSet::from([0]);
        for piece in &self.pieces {
            let mut following = BTreeSet::new();
            for place in places {
                let run = text[place..].iter().take_while(|c| piece.characters.contains(c)).count();
                let most = piece.most.map_or(run, |most| run.min(usize::from(most)));
                following.extend((usize::from(piece.least)..=most).map(|count| place + count));
            }
            places = following;
        }
        places.contains(&text.len())
    }
}

/// A dot and a plus stand for themselves in a class alone: elsewhere people mean something else by them.
fn is_literal(character: char) -> bool {
    CHARACTERS.contains(character) && !".+".contains(character)
}

/// The characters of a class behind its `[`, and what stands behind its `]`.
fn class(text: &str) -> Result<(BTreeSet<char>, &str), String> {
    let (inside, behind) = text.split_once(']').ok_or("a class has no `]`")?;
    let inside: Vec<char> = inside.chars().collect();
    let mut characters = BTreeSet::new();
    let mut at = 0;
    while at < inside.len() {
        let first = inside[at];
        if !CHARACTERS.contains(first) {
            return Err(format!("`{first}` is no character of a text that an operator may set"));
        }
        if let (Some('-'), Some(&last)) = (inside.get(at + 1), inside.get(at + 2)) {
            let kinds: [fn(&char) -> bool; 3] =
                [char::is_ascii_lowercase, char::is_ascii_uppercase, char::is_ascii_digit];
            if first > last || !kinds.iter().any(|kind| kind(&first) && kind(&last)) {
                return Err(format!("`{first}-{last}` is no range of letters or digits"));
            }
            characters.extend(first..=last);
            at += 3;
        } else {
            characters.insert(first);
            at += 1;
        }
    }
    if characters.is_empty() {
        Err("a class is empty".to_owned())
    } else {
        Ok((characters, behind))
    }
}

/// How often a piece may stand, and what is behind that.
fn quantifier(text: &str) -> Result<(u16, Option<u16>, &str), String> {
    let Some(first) = text.chars().next() else { return Ok((1, Some(1), text)) };
    match first {
        '?' => Ok((0, Some(1), &text[1..])),
        '*' => Ok((0, None, &text[1..])),
        '+' => Ok((1, None, &text[1..])),
        '{' => {
            let (inside, behind) = text[1..].split_once('}').ok_or("a `{` has no `}`")?;
            let count = |digits: &str| {
                digits
                    .parse()
                    .ok()
                    .filter(|count| *count <= LONGEST_TEXT && !digits.starts_with('+'))
            };
            let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
            match (count(least), count(most)) {
                (Some(least), Some(most)) if least <= most && most > 0 => {
                    Ok((least, Some(most), behind))
                }
                _ => Err(format!("`{{{inside}}}` is no count from 0 to {LONGEST_TEXT}")),
            }
        }
        _ => Ok((1, Some(1), text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_and_what_does_not() {
        for (pattern, good, bad) in [
            ("[a-z][a-z0-9-]{0,3}", vec!["a", "a-1z"], vec!["", "1", "A", "a-1zz", "a_"]),
            ("[.]x?[0-9]+", vec![".1", ".x22"], vec!["x1", ".x", ".xx1"]),
            ("[a]*[ab]*[b]", vec!["b", "ab", "aabb"], vec!["a", "aba"]),
            ("[a-]{2}", vec!["--", "a-"], vec!["-", "a-a"]),
        ] {
            let found = Pattern::parse(pattern).unwrap();
            assert!(good.iter().all(|text| found.matches(text)), "{pattern}");
            assert!(!bad.iter().any(|text| found.matches(text)), "{pattern}");
        }
        assert_eq!(Pattern::parse("[a-z]{2,5}x").unwrap().longest(), Some(6));
        assert_eq!(Pattern::parse("[a-z]+").unwrap().longest(), None);
    }

    #[test]
    fn what_is_no_pattern() {
        for pattern in [
            "", "^a", "a$", "a|b", "(a)", ".", "\\d", "[^a]", "[a", "[]", "[z-a]", "[a-Z]", "a{",
            "a{2", "a{3,2}", "a{257}", "a{0}", "a{x}", "a b", "a,b", "a;b", "a=b", "é", "a{+1}",
            "{2}", "*", "[,]", "a**",
        ] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
