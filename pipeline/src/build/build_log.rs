// SPDX-License-Identifier: GPL-2.0-or-later
//! What rpmbuild's log shows: how far it is, and the lines that people look for.

use super::{DevicePath, LogSummary};

/// As many lines of a kind as anybody reads: a build may print what it likes, as often as it likes.
const MOST_SHOWN: usize = 200;
/// The longest word of a log that is shown.
const LONGEST_WORD: usize = 300;

/// How far a build is, by ninja's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
}

/// Reads ninja's `[12/1200] …`.
pub fn progress(line: &str) -> Option<Progress> {
    let (counts, _) = line.strip_prefix('[')?.split_once(']')?;
    let (done, total) = counts.split_once('/')?;
    let (done, total) = (done.trim().parse().ok()?, total.trim().parse().ok()?);
    // Whoever prints more has not counted.
    (done <= total && total > 0).then_some(Progress { done, total })
}

/// The lines of a log that show what was done, read one after the other: a log is larger than memory is.
pub struct BuildLog<'a> {
    names: &'a [DevicePath],
    compiled: Vec<Option<String>>,
    shown: LogSummary,
}

impl<'a> BuildLog<'a> {
    pub fn of(lines: impl IntoIterator<Item = String>, names: &'a [DevicePath]) -> Self {
        let compiled = vec![None; names.len()];
        let mut witness = Self { names, compiled, shown: LogSummary::default() };
        lines.into_iter().for_each(|line| witness.hear(&line));
        witness
    }

    pub fn summary(self) -> LogSummary {
        let Self { names, compiled, mut shown } = self;
        for (name, found) in names.iter().zip(compiled) {
            match found {
                Some(line) => shown.compiled.push(line),
                None => shown.not_compiled.push(name.stem().to_owned()),
            }
        }
        shown
    }

    fn hear(&mut self, line: &str) {
        for (name, found) in self.names.iter().zip(&mut self.compiled) {
            if found.is_none() {
                *found = compiled(line, name.stem()).map(|object| short(line, object));
            }
        }
        let LogSummary { linked: links, wrote, .. } = &mut self.shown;
        if let Some(target) = linked(line) {
            let link = short(line, target);
            // QEMU's `make install` may link again.
            if links.len() < MOST_SHOWN && !links.contains(&link) {
                links.push(link);
            }
        }
        if let Some(path) = line.strip_prefix("Wrote: ")
            && wrote.len() < MOST_SHOWN
        {
            wrote.push(clipped(path));
        }
    }
}

/// The object of make's `CC      hw/misc/vgpu-stub.o`, or of meson's `Compiling C object
/// …/hw_misc_vgpu-stub.c.o`; with `-v` it stands in the compiler's own line.
fn compiled<'a>(line: &'a str, stem: &str) -> Option<&'a str> {
    line.split(' ').find(|word| {
        let object = word.strip_suffix(".c.o").or_else(|| word.strip_suffix(".o"));
        object.and_then(|object| object.strip_suffix(stem)).is_some_and(|folder| {
            // `hw/misc/` of make, `hw_misc_` of meson: a longer name is another file.
            folder.is_empty() || folder.ends_with(['/', '_'])
        })
    })
}

/// The target of make's `LINK    i386-softmmu/qemu-system-i386`, of meson's `Linking target
/// qemu-system-x86_64`, or of the linker's own line under `-v`.
fn linked(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let target = match words[..] {
        ["LINK", target, ..] | [_, "Linking", "target", target, ..] => Some(target),
        _ => words.windows(2).find(|pair| pair[0] == "-o").map(|pair| pair[1]),
    };
    target.filter(|target| {
        let name = target.rsplit('/').next().unwrap_or_default();
        name.starts_with("qemu-system-") && !name.contains('.')
    })
}

/// A compiler's line under `-v` fills a screen: its start and the word that counts are enough.
fn short(line: &str, word: &str) -> String {
    const LONGEST: usize = 100;
    let line = line.trim();
    if line.chars().count() <= LONGEST {
        return clipped(line);
    }
    let begin: Vec<&str> = line.split_whitespace().take(2).collect();
    format!("{} … {}", clipped(&begin.join(" ")), clipped(word))
}

/// Fit for a terminal: short, and without what would move its cursor or turn its direction.
pub(super) fn clipped(text: &str) -> String {
    let plain = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() || is_direction(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().take(LONGEST_WORD).map(plain).collect()
}

/// Unicode's `Bidi_Control`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn summary(log: &str) -> LogSummary {
        let names = [DevicePath::new("hw/misc", "vgpu-stub.c", PathBuf::from("vgpu-stub.c"))];
        BuildLog::of(log.lines().map(str::to_owned), &names).summary()
    }

    #[test]
    fn the_lines_of_make_are_seen() {
        let shown =
            summary("  CC      hw/misc/vgpu-stub.o\n  LINK    i386-softmmu/qemu-system-i386\n");
        assert_eq!(shown.compiled, ["CC      hw/misc/vgpu-stub.o"]);
        assert_eq!(shown.linked, ["LINK    i386-softmmu/qemu-system-i386"]);
    }

    #[test]
    fn the_lines_of_ninja_are_seen() {
        let shown = summary(
            "[7/9] Compiling C object libcommon.fa.p/hw_misc_vgpu-stub.c.o\n\
             [8/9] cc -o qemu-system-x86_64 a.o\n[9/9] Linking target qemu-system-x86_64\n\
             Wrote: /build/RPMS/x86_64/qemu.rpm\n",
        );
        assert_eq!(shown.compiled.len(), 1);
        assert_eq!(shown.linked.len(), 2);
        assert_eq!(shown.wrote, ["/build/RPMS/x86_64/qemu.rpm"]);
    }

    #[test]
    fn a_count_is_taken_where_it_can_be_one() {
        let most = u32::MAX;
        for (line, counted) in [
            ("[1/2] cc".to_owned(), Some((1, 2))),
            ("[ 0 / 9 ]".to_owned(), Some((0, 9))),
            (format!("[{most}/{most}] cc"), Some((most, most))),
            (format!("[1/{most}] cc"), Some((1, most))),
            ("[0/0] cc".to_owned(), None),
            ("[3/2] cc".to_owned(), None),
            ("[-1/2] cc".to_owned(), None),
            ("[1/-2] cc".to_owned(), None),
            ("[1.5/2] cc".to_owned(), None),
            ("[0x1/0x2] cc".to_owned(), None),
            (format!("[1/{}] cc", u64::from(most) + 1), None),
            (format!("[{0}/{0}] cc", u64::MAX), None),
            (format!("[{}/{}] cc", u64::MAX / 100 + 1, u64::MAX), None),
            (format!("[1/{}] cc", "9".repeat(1 << 16)), None),
            ("[/] [1/2".to_owned(), None),
        ] {
            let found = progress(&line);
            assert_eq!(
                found.map(|it| (it.done, it.total)),
                counted,
                "{}",
                &line[..line.len().min(60)]
            );
        }
    }

    #[test]
    fn another_file_and_another_target_do_not_count() {
        let shown =
            summary("CC my-vgpu-stub.o\nCC vgpu-stub.c\nLinking target libqemu-system-x.so\n");
        assert_eq!(
            shown,
            LogSummary { not_compiled: vec!["vgpu-stub".into()], ..LogSummary::default() }
        );
    }

    #[test]
    fn a_screenful_of_flags_is_cut_to_what_counts() {
        let line = format!("[1/2] cc {} -o a/hw_misc_vgpu-stub.c.o -c x.c", "-W".repeat(80));
        assert_eq!(summary(&line).compiled, ["[1/2] cc … a/hw_misc_vgpu-stub.c.o"]);
    }

    #[test]
    fn a_log_that_says_everything_for_ever_is_told_in_short() {
        let log =
            "Wrote: \u{1b}[2J\u{202e}x\n".repeat(5000) + &format!("Wrote: {}", "x".repeat(1 << 20));
        let shown = summary(&log);
        assert_eq!(shown.wrote.len(), MOST_SHOWN);
        assert!(shown.wrote.iter().all(|line| !line.contains(['\u{1b}', '\u{202e}'])));
        assert_eq!(clipped(&"x".repeat(1 << 20)).len(), LONGEST_WORD);
    }

    #[test]
    fn ninja_says_how_far_it_is() {
        assert_eq!(progress("[12/1200] x"), Some(Progress { done: 12, total: 1200 }));
        assert_eq!(progress("[x] y"), None);
    }
}
