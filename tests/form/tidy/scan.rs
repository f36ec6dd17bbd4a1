// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads Rust as far as the house rules need it: text with comments and literals blanked out, the
//! paths in what is left, and the literals of messages.

/// A file of the runner.
pub struct Source {
    /// Its module path, empty for `main.rs`.
    module: Vec<String>,
    code: String,
}

/// One use of a room: where, which, and which name of it (none where the room itself is imported).
pub struct Used {
    pub line: usize,
    pub room: String,
    pub name: Option<String>,
}

/// One path, with the braces of its `use` unfolded.
struct Leaf {
    at: usize,
    segments: Vec<String>,
    alias: Option<String>,
}

impl Source {
    /// `path` starts from the runner's source folder.
    pub fn new(path: &str, text: &str) -> Self {
        let parts = path.trim_end_matches(".rs").split('/').filter(|part| *part != "mod");
        let module =
            if path == "main.rs" { Vec::new() } else { parts.map(str::to_owned).collect() };
        Self { module, code: without_text(text) }
    }

    pub fn room(&self) -> &str {
        self.module.first().map_or("main", String::as_str)
    }

    /// Whether it is compiled into tests alone.
    pub fn is_test(&self) -> bool {
        self.module.iter().any(|part| part == "tests")
    }

    /// Whether it is a stage's step, which is run.
    pub fn is_step(&self) -> bool {
        self.module.last().is_some_and(|part| part == "step")
    }

    pub fn code(&self) -> &str {
        &self.code
    }

    /// Every path that starts at `std`, without that word.
    pub fn std_paths(&self) -> Vec<(usize, Vec<String>)> {
        let leaves = paths(&self.code, "std").into_iter();
        let leaves = leaves.filter(|leaf| !leaf.segments.is_empty());
        leaves.map(|leaf| (line_of(&self.code, leaf.at), leaf.segments)).collect()
    }

    /// Every use of a room, this file's own included.
    pub fn uses(&self, rooms: &[&str]) -> Vec<Used> {
        let mut leaves = paths(&self.code, "crate");
        for mut leaf in paths(&self.code, "super") {
            let ups = 1 + leaf.segments.iter().take_while(|segment| *segment == "super").count();
            let mut whole = self.module.clone();
            whole.resize(whole.len() + inline_modules(&self.code[..leaf.at]), "inline".to_owned());
            whole.truncate(whole.len().saturating_sub(ups));
            whole.extend(leaf.segments.drain(ups - 1..));
            leaves.push(Leaf { segments: whole, ..leaf });
        }
        // Names that stand for a room: imported ones, and in `main.rs` those of the modules.
        let modules = rooms.iter().filter(|_| self.module.is_empty());
        let mut names: Vec<(String, String)> =
            modules.map(|room| ((*room).to_owned(), (*room).to_owned())).collect();
        for leaf in &leaves {
            if let [room] = &leaf.segments[..] {
                names.push((leaf.alias.as_ref().unwrap_or(room).clone(), room.clone()));
            }
        }
        let mut found: Vec<(usize, Vec<String>)> =
            leaves.into_iter().map(|leaf| (leaf.at, leaf.segments)).collect();
        for (name, room) in names {
            for leaf in paths(&self.code, &name) {
                found.push((leaf.at, [vec![room.clone()], leaf.segments].concat()));
            }
        }
        found.sort();
        found.dedup();
        let used = |(at, segments): (usize, Vec<String>)| Used {
            line: line_of(&self.code, at),
            room: segments.first().map_or("crate", String::as_str).to_owned(),
            name: segments.get(1).cloned(),
        };
        found.into_iter().map(used).collect()
    }
}

/// The paths that start with a word.
fn paths(code: &str, root: &str) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for at in places(code, root) {
        let goes_on = code[at + root.len()..].starts_with("::");
        if goes_on && !code[..at].ends_with("::") && !code[..at].ends_with('$') {
            tree(code, at + root.len(), at, &[], &mut leaves);
        }
    }
    leaves
}

/// Reads on from behind a segment, and says where it stopped.
fn tree(code: &str, from: usize, at: usize, before: &[String], leaves: &mut Vec<Leaf>) -> usize {
    let skip = |from: usize| from + (code[from..].len() - code[from..].trim_start().len());
    let word = |from: usize| {
        let end = code[from..].find(|c| !is_word(c)).map_or(code.len(), |end| from + end);
        (code[from..end].to_owned(), end)
    };
    let mut segments = before.to_vec();
    // Inside braces the first segment stands without a separator.
    let mut place = if code[from..].starts_with("::") { from + 2 } else { from };
    loop {
        if code[place..].starts_with('{') {
            place = skip(place + 1);
            while !code[place..].starts_with('}') && place < code.len() {
                let end = skip(tree(code, place, place, &segments, leaves));
                let comma = usize::from(code[end..].starts_with(','));
                place = skip(end.max(place + 1 - comma) + comma);
            }
            return (place + 1).min(code.len());
        }
        if code[place..].starts_with('*') {
            segments.push("*".to_owned());
            place += 1;
            break;
        }
        let (segment, end) = word(place);
        if segment.is_empty() {
            break;
        }
        place = end;
        if segment != "self" {
            segments.push(segment);
        }
        if !code[place..].starts_with("::") {
            break;
        }
        place += 2;
    }
    let alias = code[skip(place)..].starts_with("as ").then(|| word(skip(skip(place) + 3)));
    let end = alias.as_ref().map_or(place, |(_, end)| *end);
    leaves.push(Leaf { at, segments, alias: alias.map(|(name, _)| name) });
    end
}

/// How many `mod name {` are open at the end of this code.
fn inline_modules(code: &str) -> usize {
    let mut open = Vec::new();
    for (at, brace) in code.match_indices(['{', '}']) {
        if brace == "}" {
            open.pop();
        } else {
            open.push(code[..at].split_whitespace().rev().nth(1) == Some("mod"));
        }
    }
    open.into_iter().filter(|module| *module).count()
}

/// The lines that hold a word. It ends where identifiers do, on those sides where it is one itself.
pub fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    places(text, word).map(|at| line_of(text, at))
}

fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joined =
        |a: Option<char>, b: Option<char>| a.is_some_and(is_word) && b.is_some_and(is_word);
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !joined(before.chars().next_back(), word.chars().next())
            && !joined(word.chars().next_back(), after.chars().next())
    })
}

/// The first literal behind each of some calls, read as its lines.
pub fn literals(text: &str, calls: &[&str]) -> Vec<(usize, String)> {
    let code = without_text(text);
    let mut found = Vec::new();
    for call in calls {
        for at in places(&code, call) {
            let opening = |c: char| c.is_whitespace() || c == '{';
            let rest = code[at + call.len()..].trim_start_matches(opening);
            let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
            let Some(inside) = rest.strip_prefix('"') else { continue };
            let start = code.len() - inside.len();
            let end = inside.find('"').map_or(code.len(), |end| start + end);
            // A backslash at the end of a line joins it to the next.
            let lines = text[start..end].split("\\\n").map(str::trim_start);
            found.push((line_of(text, at), lines.collect::<String>().replace("\\n", "\n")));
        }
    }
    found
}

/// The same text, byte by byte, with blanks for comments and for what literals hold.
pub fn without_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // What is kept as it stands, what is blanked, and what is kept behind that.
        let (head, inside, tail) = literal(rest, out.chars().next_back());
        let head = if head + inside + tail == 0 { first.len_utf8() } else { head };
        out.push_str(&rest[..head]);
        let blank = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
        out.extend(rest[head..head + inside].bytes().map(blank));
        let end = rest.len().min(head + inside + tail);
        out.push_str(&rest[head + inside..end]);
        rest = &rest[end..];
    }
    out
}

/// The lengths of opening, content and closing of the comment or literal that begins here, if any.
fn literal(rest: &str, before: Option<char>) -> (usize, usize, usize) {
    let closed = |open: usize, close: &str| {
        (open, rest[open..].find(close).unwrap_or(rest.len() - open), close.len())
    };
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), Some('/'), _) => (0, rest.find('\n').unwrap_or(rest.len()), 0),
        (Some('/'), Some('*'), _) => (0, comment(rest.as_bytes()), 0),
        (Some('r'), Some('"' | '#'), _) if before.is_none_or(|c| !is_word(c) || c == 'b') => {
            let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
            let raw = rest[1 + hashes..].starts_with('"');
            if raw { closed(hashes + 2, &format!("\"{}", "#".repeat(hashes))) } else { (0, 0, 0) }
        }
        (Some('"'), ..) => (1, unescaped(&rest[1..], '"'), 1),
        (Some('\''), Some('\\'), _) => (1, unescaped(&rest[1..], '\''), 1),
        (Some('\''), Some(c), Some('\'')) => (1, c.len_utf8(), 1),
        _ => (0, 0, 0),
    }
}

/// The length of a comment that may hold others.
fn comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// How far it is to a quote that no backslash escapes.
fn unescaped(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.unwrap_or(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}
