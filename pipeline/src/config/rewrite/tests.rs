// SPDX-License-Identifier: GPL-2.0-or-later

use super::*;
use crate::config::{LfsObject, Source};

const TEXT: &str = include_str!("../../../xcp-ng-8.3.yaml");
const OTHER: &str = "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f";

fn changed(text: &str, change: impl Fn(&mut Pipeline)) -> Result<String, Reason> {
    let mut wanted = parse(text, "p.yaml").unwrap_or_else(|error| panic!("{error}"));
    change(&mut wanted);
    rewrite(text, "p.yaml", &wanted)
}

fn lfs(pipeline: &mut Pipeline) -> &mut Vec<LfsObject> {
    match &mut pipeline.source[0] {
        Source::Git(git) => &mut git.lfs,
        other => panic!("{other:?}"),
    }
}

fn sha256(text: &str) -> crate::config::Sha256 {
    text.to_owned().try_into().unwrap()
}

/// The lines that are only in one of the two texts.
fn difference(before: &str, after: &str) -> String {
    let only = |these: &str, those: &str, mark: &str| -> Vec<String> {
        let lines: Vec<&str> = those.lines().collect();
        let only = these.lines().filter(|line| !lines.contains(line));
        only.map(|line| format!("{mark}{line}\n")).collect()
    };
    [only(before, after, "-"), only(after, before, "+")].concat().concat()
}

#[test]
fn a_value_changes_and_no_byte_around_it() {
    let after = changed(TEXT, |it| {
        lfs(it)[0].sha256 = sha256(OTHER);
        lfs(it)[0].size = 7;
    });
    let after = after.unwrap();
    assert_eq!(
        difference(TEXT, &after),
        format!(
            "-          sha256: b2027a2285acf14ddceca33e0a64c40e1b07845427fab9e27a6bac2cd4022d8e\n\
             -          size: 28315815\n\
             +          sha256: {OTHER}\n+          size: 7\n"
        )
    );
    assert_eq!(changed(TEXT, |_| ()).unwrap(), TEXT);
    let quoted = TEXT.replacen("size: 28315815", "size: 28315815 # bytes", 1).replacen(
        "sha256: b2027a2285acf14ddceca33e0a64c40e1b07845427fab9e27a6bac2cd4022d8e",
        "sha256: \"b2027a2285acf14ddceca33e0a64c40e1b07845427fab9e27a6bac2cd4022d8e\"   # it's \"his\"",
        1,
    );
    let after = changed(&quoted, |it| {
        lfs(it)[0].sha256 = sha256(OTHER);
        lfs(it)[0].size = 7;
    });
    let after = after.unwrap();
    let expected = format!("sha256: \"{OTHER}\"   # it's \"his\"\n          size: 7 # bytes\n");
    assert!(after.contains(&expected), "{after}");
}

#[test]
fn what_yaml_would_take_for_a_number_is_quoted() {
    for digest in
        ["1".repeat(64), format!("{}e1", "3".repeat(62)), format!("{}12e4", "0".repeat(60))]
    {
        let after = changed(TEXT, |it| lfs(it)[1].sha256 = sha256(&digest)).unwrap();
        assert!(after.contains(&format!("sha256: '{digest}'")), "{after}");
    }
    // Beyond every number, or with zeros before it: text in any reading.
    for digest in [format!("1e{}", "2".repeat(62)), "0".repeat(64)] {
        let after = changed(TEXT, |it| lfs(it)[1].sha256 = sha256(&digest)).unwrap();
        assert!(after.contains(&format!("sha256: {digest}\n")), "{after}");
    }
}

#[test]
fn what_goes_takes_its_lines_along_and_no_others() {
    let after = changed(TEXT, |it| lfs(it)[0].same_as = None).unwrap();
    assert_eq!(after.lines().count(), TEXT.lines().count() - 5);
    assert!(after.contains("size: 28315815\n        - file: keycodemapdb"), "{after}");
    // The first of the two items, then the last, then both with the key of the list.
    for (number, left) in
        [(0, "      lfs:\n        - file: keycodemapdb"), (1, "qemu-4.2.1\n\nenvironment:")]
    {
        let after = changed(TEXT, |it| drop(lfs(it).remove(number))).unwrap();
        assert!(after.contains(left), "{after}");
    }
    let after = changed(TEXT, |it| lfs(it).clear()).unwrap();
    assert!(after.contains("      branch: master\n\nenvironment:"), "{after}");
}

#[test]
fn an_item_is_added_as_the_others_are_indented() {
    let added = |it: &mut Pipeline| {
        let mut object = lfs(it)[1].clone();
        (object.file, object.same_as) = ("new-1.0.tar.gz".to_owned().try_into().unwrap(), None);
        lfs(it).push(object);
    };
    let after = changed(TEXT, added).unwrap();
    assert_eq!(
        difference(TEXT, &after),
        "+        - file: new-1.0.tar.gz\n",
        "the other lines are those of the one that was copied"
    );
    assert!(after.contains("size: 29719\n\nenvironment:"), "{after}");
    let windows = changed(&TEXT.replace('\n', "\r\n"), added).unwrap();
    assert_eq!(windows.replace("\r\n", "\n"), after);
}

/// The list of objects in brackets.
fn in_brackets(objects: &str) -> String {
    let begin = TEXT.find("      lfs:").unwrap();
    let end = TEXT.find("\nenvironment:").unwrap();
    format!("{}      lfs: {objects}\n{}", &TEXT[..begin], &TEXT[end..])
}

#[test]
fn the_first_item_of_a_list_brings_its_key_and_names_their_quotes() {
    let without = changed(TEXT, |it| lfs(it).clear()).unwrap();
    let object = |file: &str| LfsObject {
        file: file.to_owned().try_into().unwrap(),
        sha256: sha256(OTHER),
        size: 7,
        same_as: None,
    };
    let names = ["foo^1.tar.gz", "x(1).gz", "a b.tar.gz", "ü.gz", "it's.gz", "1.0", "@{a}"];
    let after = changed(&without, |it| lfs(it).extend(names.map(object))).unwrap();
    assert!(
        after.contains("      branch: master\n      lfs:\n        - file: 'foo^1.tar.gz'\n"),
        "{after}"
    );
    assert!(after.contains("- file: 'it''s.gz'\n") && after.contains("- file: '1.0'\n"), "{after}");
}

#[test]
fn a_comment_stays_with_what_it_is_about() {
    let commented = TEXT
        .replacen("        - file: qemu", "        # A: the tarball\n        -   file: qemu", 1)
        .replacen("          sha256: b2", "            sha256: b2", 1)
        .replacen("          size: 28315815", "            size: 28315815 # of A", 1)
        .replacen(
            "        - file: key",
            "        # B: the keys\n        -\n          file: key",
            1,
        );
    let begin = commented.find("          same-as:").unwrap();
    let end = commented.find("        # B:").unwrap();
    let commented = format!("{}{}", &commented[..begin], &commented[end..]);
    let after = changed(&commented, |it| drop(lfs(it).remove(1))).unwrap();
    assert!(after.contains("# of A\n        # B: the keys\n\nenvironment"), "{after}");
    // One goes and another comes: each that stays has its comments.
    let after = changed(&commented, |it| {
        let mut new = lfs(it).remove(0);
        new.file = "zlib.tar.gz".to_owned().try_into().unwrap();
        lfs(it).push(new);
    });
    let after = after.unwrap();
    let order = [
        "# A: the tarball\n        # B: the keys\n        -\n          file: key",
        "- file: zlib.tar.gz",
    ];
    assert!(order.iter().all(|piece| after.contains(piece)), "{after}");
}

#[test]
fn brackets_are_kept() {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let same = format!("{{ url: https://x.example/y.git, commit: {}, prefix: p }}", "c".repeat(40));
    let text = in_brackets(&format!(
        "[{{ file: a, sha256: {a}, size: 1, same-as: {same} }}, {{ same-as: {same}, file: b, sha256: {b}, size: 2 }}]"
    ));
    let after = changed(&text, |it| lfs(it).iter_mut().for_each(|it| it.same_as = None)).unwrap();
    let objects =
        format!("[{{ file: a, sha256: {a}, size: 1 }}, {{ file: b, sha256: {b}, size: 2 }}]");
    assert_eq!(after, in_brackets(&objects));
    for (number, left) in [
        (0, format!("[{{ file: b, sha256: {b}, size: 2 }}]")),
        (1, format!("[{{ file: a, sha256: {a}, size: 1 }}]")),
    ] {
        assert_eq!(changed(&after, |it| drop(lfs(it).remove(number))).unwrap(), in_brackets(&left));
    }
}

#[test]
fn what_cannot_be_changed_safely_is_said_with_what_to_do_by_hand() {
    // An alias: what is changed here would change there too.
    let anchored = TEXT.replacen("sha256: b2027a", "sha256: &digest b2027a", 1).replacen(
        "sha256: 0c5ba55aeb93fe5380cd04b2fe8f7edca9828c9bf6118b426239bfbce76f0e7a",
        "sha256: *digest",
        1,
    );
    for (text, number) in [(&anchored, 0), (&anchored, 1)] {
        let error =
            changed(text, |it| lfs(it)[number].sha256 = sha256(OTHER)).unwrap_err().to_string();
        let by_hand = format!("by hand:\n  source[0].git.lfs[{number}].sha256: \"{OTHER}\"");
        assert!(error.starts_with("`p.yaml` is written in a way"), "{error}");
        assert!(error.ends_with(&by_hand), "{error}");
    }
    // In brackets, one between what stays and what goes.
    let (a, b) = ("a".repeat(64), "c".repeat(40));
    let flow = in_brackets(&format!(
        "[{{ file: a, sha256: {a}, size: 1 # by hand\n          , same-as: {{ url: https://x.example/y.git, commit: {b}, prefix: p }} }}]"
    ));
    assert!(changed(&flow, |it| lfs(it)[0].same_as = None).is_err());
    // A comment between what goes and what takes its place is of one of the two.
    let first = in_brackets(&format!(
        "\n        - same-as: {{ url: https://x.example/y.git, commit: {}, prefix: p }}\n          # what is it of?\n          file: a\n          sha256: {OTHER}\n          size: 1",
        "c".repeat(40)
    ));
    assert!(changed(&first, |it| lfs(it)[0].same_as = None).is_err());
    let plain = first.replace("          # what is it of?\n", "");
    let after = changed(&plain, |it| lfs(it)[0].same_as = None).unwrap();
    assert!(
        after.contains(&format!("\n        - file: a\n          sha256: {OTHER}\n")),
        "{after}"
    );
}
