// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::config::Mistakes;
use std::fmt::Write;
use std::time::Duration;

type Reader<'a> = &'a dyn Fn(&str) -> Result<(), Mistakes>;

/// How long this thread has worked, without what it waited for others' turns (proc(5), schedstat).
fn worked() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Reads a hostile text as everything that is read, within a third of a second each.
fn refused(what: &str, text: &str) -> String {
    let pipeline = |text: &str| crate::config::parse(text, "f").map(drop);
    let lock = |text: &str| crate::config::Lock::parse(text, "f").map(drop);
    let contract = |text: &str| crate::config::parse_contract(text, "f").map(drop);
    let settings = |text: &str| crate::config::Settings::parse(text, "f").map(drop);
    let readers: [Reader; 4] = [&pipeline, &lock, &contract, &settings];
    let mut said = String::new();
    for read in readers {
        let began = worked();
        let error = read(text).expect_err(what).to_string();
        let took = worked().checked_sub(began).unwrap();
        // Without optimisation, all takes ten times as long.
        let most = Duration::from_millis(if cfg!(debug_assertions) { 3000 } else { 300 });
        assert!(took < most, "{what}: {took:?}");
        assert!(error.len() < 16 << 10 && error.contains("--> f:"), "{what}: {error}");
        said = error;
    }
    said
}

#[test]
fn nests_and_repetitions_are_refused_at_once() {
    let deep = |open: &str, times: usize| open.repeat(times);
    let indented = (0..1000).fold(String::new(), |mut text, depth| {
        let _ = writeln!(text, "{}a:", " ".repeat(depth));
        text
    });
    let laughs = (1..9).fold("a0: &a0 [x]\n".to_owned(), |mut text, n| {
        let _ = writeln!(text, "a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 9].join(", "));
        text
    });
    let long = format!("a: &a {}\nb:\n{}", "x".repeat(1 << 19), "- *a\n".repeat(90_000));
    let tags = (0..40_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "%TAG !a{n}! x");
        text
    });
    let keys = (0..80_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "k{n}: 1");
        text
    });
    let texts = [
        ("brackets", deep("[", 50_000), "`[` and `{`"),
        ("braces", deep("{", 50_000), "`[` and `{`"),
        ("braces with keys", deep("{a: ", 50_000), "`[` and `{`"),
        ("brackets that comments close", deep("[ #]\n", 50_000), "`[` and `{`"),
        ("brackets below the bound", deep("[", 1999), ""),
        ("lists in lists", deep("- ", 50_000), "deep"),
        ("keys of keys", deep("? ", 50_000), "deep"),
        ("a staircase", indented, "deep"),
        ("a billion laughs", laughs, "repeat"),
        ("one long scalar many times", long, "its aliases repeat"),
        ("tags", tags, "begin with `%`"),
        ("an anchor in itself", "a: &a [*a]\n".to_owned(), ""),
        ("documents", deep("---\na\n", 100_000), ""),
        ("tagged lists", deep("!a [", 1900), ""),
        ("one scalar", "x".repeat(1 << 20), "this is text, and a mapping is wanted"),
        ("one key", format!("{}: 1", "x".repeat(1000)), ""),
        ("quotes without an end", format!("'{}", "x\n".repeat(1 << 19)), ""),
        ("a list of nonsense", format!("source:\n{}", "- zzz: 1\n".repeat(40_000)), "unknown key"),
        ("one key for ever", "a: 1\n".repeat(60_000), "is given twice"),
        ("nothing for ever", "source:\n".repeat(60_000), "is given twice"),
        ("keys without an end", keys, "more than 131072 values"),
        ("items without an end", "- a\n".repeat(262_000), "more than 131072 values"),
        ("long words", format!("{}: 1\n", "word ".repeat(200_000)), ""),
        ("comments below a text", format!("a: b # c\n{} e: f\n", "# d\n".repeat(250_000)), ""),
        ("blocks and a bracket", format!("{}]", "a: |\n  x\n".repeat(30_000)), ""),
        ("an item behind keys", format!("{}- c\n", "a: b\n".repeat(50_000)), ""),
        ("colons in braces", format!("{{{}", "a:b, ".repeat(40_000)), ""),
        ("a block of text", format!("|\n{}", " x\n".repeat(300_000)), ""),
    ];
    for (what, text, expected) in texts {
        let error = refused(what, &text);
        assert!(error.contains(expected), "{what}: {error}");
    }
}

#[test]
fn a_few_aliases_are_a_convenience() {
    let document = read("- &a [x, y]\n- *a\n- *a\n");
    let root = document.root.unwrap();
    let Content::List(items) = &root.content else { panic!("{root:?}") };
    assert!(Rc::ptr_eq(&items[0], &items[2]) && document.findings.is_empty());
}
