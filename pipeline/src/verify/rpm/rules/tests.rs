//! The list of rules against the README's table and the pipeline file's words.

use super::super::facts::{ElfFile, mode};
use super::super::nevra::between;
use super::super::read::read;
use super::super::sample::{facts, file};
use super::{LIST, PackageFacts, Policy, Signing, judge, shared};
use crate::config::{Level, Rule};
use crate::rpmfile::Nevra;
use qom_census::ElfInfo;
use std::collections::BTreeSet;

const README: &str = include_str!("../../../../../README.md");

/// A cell of a table has no line breaks.
fn row(entry: &super::Entry) -> String {
    let level = if entry.level == Level::Require { "require" } else { "warn" };
    format!("| `{}` | {level} | {} | {} | ", entry.rule, entry.targets, entry.asks)
}

#[test]
fn the_readme_has_every_rule_as_it_is() {
    let table = README.lines().skip_while(|line| !line.starts_with("| rule | level |")).skip(2);
    let table: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    let rows: Vec<String> = LIST.iter().map(row).collect();
    for (line, row) in table.iter().zip(&rows) {
        assert!(line.starts_with(row.as_str()), "README.md has\n{line}\nand the program\n{row}");
    }
    assert_eq!(table.len(), rows.len());
}

#[test]
fn no_rule_is_told_twice() {
    let rules: BTreeSet<Rule> = LIST.iter().map(|entry| entry.rule).collect();
    assert_eq!(rules.len(), LIST.len());
}

/// The one rule that no package alone can break.
#[test]
fn the_readme_says_what_breaks_the_order_of_versions() {
    let named = |release: &str| Nevra::new("ruled", 2, "1", release, "x86_64").unwrap();
    let said = between(&named("1.el7"), &named("1.vgpu1.el7"));
    let [message, ..] = &said[..] else { panic!("{said:?}") };
    let cell = format!(" | {message} |");
    let line = README.lines().find(|line| line.starts_with("| `nevra` |")).unwrap();
    assert!(line.ends_with(&cell), "{line}\n{cell}");
}

#[test]
fn the_default_policy_asks_nothing_of_a_target() {
    let targets = LIST.iter().filter(|entry| entry.targets != "all");
    assert_eq!(targets.count(), 11);
    let _: fn(&PackageFacts, &Policy) -> Vec<super::Finding> = judge;
}

/// A run without a target has no rpm to name, and signs no such package all the same.
#[test]
fn a_run_takes_no_package_of_format_6() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("six.rpm");
    let mut builder = rpm::PackageBuilder::new("six", "1", "MIT", "noarch", "A test");
    builder.using_config(rpm::BuildConfig::v6()).build().unwrap().write_file(&path).unwrap();
    // The crate's lead says 3, and its header 6.
    let facts = read(&path, &[], &mut |_, _| Ok(None)).unwrap();
    assert_eq!((facts.format, facts.source), (6, false));
    let run = Policy { signing: Signing::ToCome, ..Policy::default() };
    let found: Vec<(Rule, String)> =
        judge(&facts, &run).into_iter().map(|found| (found.rule, found.what)).collect();
    let what = "it is a package of the format 6, and only the format 4 is signed here".to_owned();
    assert_eq!(found, [(Rule::PackageFormat, what)]);
    assert!(judge(&facts, &Policy::default()).is_empty());
}

#[test]
fn a_folder_that_everybody_may_write_to_is_refused_unless_stock_has_it() {
    let open = |path: &str, mode: u16| {
        let mut facts = facts("shared", "noarch");
        facts.files = vec![file(path, mode, None)];
        facts
    };
    let found = |ours: &PackageFacts, stock: &[PackageFacts]| -> Vec<String> {
        let shared = shared(stock);
        let policy = Policy { shared: Some(&shared), ..Policy::default() };
        let all = judge(ours, &policy).into_iter().chain(judge(ours, &Policy::default()));
        all.filter(|found| found.rule == Rule::WorldWritable).map(|found| found.what).collect()
    };
    let (sticky, bare) = (mode::DIRECTORY | 0o1777, mode::DIRECTORY | 0o777);
    let none: [String; 0] = [];
    let ours = open("/etc/profile.d", sticky);
    // With stock, and without any.
    let twice = |text: &str| vec![text.to_owned(); 2];
    assert_eq!(found(&ours, &[]), twice("`/etc/profile.d` has the mode 1777"));
    assert_eq!(found(&ours, &[open("/var/tmp", sticky)]).len(), 2);
    assert_eq!(found(&ours, &[open("/etc/profile.d", mode::DIRECTORY | 0o755)]).len(), 2);
    assert_eq!(found(&ours, &[open("/etc/profile.d", bare)]).len(), 2);
    assert_eq!(found(&ours, &[open("/x", sticky), open("/etc/profile.d", sticky)]).len(), 1);
    // One that is not sticky is refused whoever has it; a file's bit means nothing.
    for open in [open("/etc/profile.d", bare), open("/etc/profile.d/x.sh", mode::REGULAR | 0o1666)]
    {
        assert_eq!(found(&open, std::slice::from_ref(&open)).len(), 2);
    }
    assert_eq!(found(&open("/etc/profile.d", mode::DIRECTORY | 0o1775), &[]), none);
}

/// A program of this machine, with one library more.
#[test]
fn a_library_has_a_name_and_no_path() {
    let rpath = LIST.iter().find(|entry| entry.rule == Rule::Rpath).unwrap();
    let program = ElfInfo::read(&std::fs::read("/proc/self/exe").unwrap()).unwrap();
    for (name, refused) in [
        ("libevil.so.1", false),
        ("/tmp/libevil.so", true),
        ("./libevil.so", true),
        ("$ORIGIN-libevil.so", true),
    ] {
        let mut facts = facts("a", "x86_64");
        let mut found = program.clone();
        found.needed.push(name.to_owned());
        facts.elf.push(ElfFile {
            path: "/usr/bin/a".into(),
            facts: Some(found),
            unread: None,
            starts: None,
            for_debuggers: false,
            scripts: false,
        });
        let expected = format!("`/usr/bin/a` loads `{name}` by its path");
        let expected = if refused { vec![expected] } else { Vec::new() };
        assert_eq!((rpath.check)(&facts, &Policy::default()), expected);
    }
}
