// SPDX-License-Identifier: GPL-2.0-or-later
//! What a commit's tree holds, as `git ls-tree` lists it.

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file like any other.
    File,
    /// A symbolic link: its content is where it leads.
    Link,
    Folder,
    /// Another repository.
    Submodule,
    /// Anything at a path that is not UTF-8.
    Unreadable,
}

/// A path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// From the top of the tree; as git quotes it where it is not UTF-8.
    pub path: String,
    pub kind: Kind,
    pub object: String,
    /// 0 for what is no file.
    pub size: u64,
}

impl TreeEntry {
    /// Reads a line of `git ls-tree --long`: mode, type, object, size, a tab, the path.
    pub fn read(line: &str) -> Option<Self> {
        let (facts, quoted) = line.split_once('\t')?;
        let mut facts = facts.split_ascii_whitespace();
        let (mode, kind, object) = (facts.next()?, facts.next()?, facts.next()?);
        let size = facts.next().and_then(|size| size.parse().ok()).unwrap_or_default();
        let kind = match (mode, kind) {
            ("120000", "blob") => Kind::Link,
            (_, "blob") => Kind::File,
            (_, "tree") => Kind::Folder,
            _ => Kind::Submodule,
        };
        let object = object.to_owned();
        Some(match unquoted(quoted) {
            Some(path) => Self { path, kind, object, size },
            None => Self { path: quoted.to_owned(), kind: Kind::Unreadable, object, size },
        })
    }
}

/// A path as git shows it: in quotes and as a string of C where it has other characters than plain ones
/// (git-config, `core.quotePath`).
fn unquoted(shown: &str) -> Option<String> {
    let Some(inside) = shown.strip_prefix('"') else { return Some(shown.to_owned()) };
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.strip_suffix('"')?.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let digits = [first, rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()?
            }
            plain @ (b'"' | b'\\') => plain,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_entry_is_told_from_the_others() {
        for (line, kind, size) in [
            ("100644 blob 00     579\ta.patch", Kind::File, 579),
            ("100755 blob 00       1\ta.patch", Kind::File, 1),
            ("120000 blob 00      11\ta.patch", Kind::Link, 11),
            ("040000 tree 00       -\ta.patch", Kind::Folder, 0),
            ("160000 commit 00       -\ta.patch", Kind::Submodule, 0),
            ("100644 blob 00       1\t\"a\\377b\"", Kind::Unreadable, 1),
            ("100644 blob 00       1\t\"a\\8b\"", Kind::Unreadable, 1),
            ("100644 blob 00       1\t\"a", Kind::Unreadable, 1),
        ] {
            let entry = TreeEntry::read(line).unwrap();
            assert_eq!((entry.kind, entry.size), (kind, size), "{line}");
        }
        assert_eq!(TreeEntry::read("fatal: nothing"), None);
    }

    #[test]
    fn a_quoted_path_is_the_one_that_was_committed() {
        for (shown, path) in [
            ("foo@.service", "foo@.service"),
            ("a b~1+2.patch", "a b~1+2.patch"),
            ("\"\\303\\274.txt\"", "\u{fc}.txt"),
            ("\"a\\\"b\\\\c\"", "a\"b\\c"),
            ("\"a\\nb\\tc\\033\"", "a\nb\tc\u{1b}"),
        ] {
            assert_eq!(unquoted(shown).as_deref(), Some(path));
        }
    }
}
