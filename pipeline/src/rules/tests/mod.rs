//! The list of rules against the README's table and the pipeline file's words.

pub mod sample;

use super::list::LIST;
use super::version_order::between;
use super::{Level, Policy, Rule, RuleSpec, judge};
use rpm_inspect::Nevra;
use std::collections::BTreeSet;

const README: &str = include_str!("../../../../README.md");

/// A cell of a table has no line breaks.
fn row(spec: &RuleSpec) -> String {
    let level = if spec.level == Level::Require { "require" } else { "warn" };
    format!("| `{}` | {level} | {} | {} | ", spec.name, spec.hosts(), spec.asks)
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
fn no_rule_is_told_twice_and_each_is_called_as_its_file() {
    let rules: BTreeSet<&str> = LIST.iter().map(|spec| spec.name).collect();
    assert_eq!(rules.len(), LIST.len());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/pipeline/src/rules/list");
    for name in rules {
        let file = format!("{folder}/{}.rs", name.replace('-', "_"));
        assert!(std::path::Path::new(&file).exists(), "{file}");
    }
}

#[test]
fn a_rule_is_written_by_its_name_and_no_other_is_one() {
    for spec in LIST {
        let written = format!("\"{}\"", spec.name);
        let rule: Rule = serde_json::from_str(&written).unwrap();
        assert_eq!((rule, serde_json::to_string(&rule).unwrap()), (spec.rule(), written));
    }
    let error = serde_json::from_str::<Rule>("\"setiud\"").unwrap_err().to_string();
    assert!(error.starts_with("unknown variant `setiud`, expected one of `digests`, "), "{error}");
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
    let targets = LIST.iter().filter(|spec| !spec.targets.is_empty());
    assert_eq!(targets.count(), 11);
    assert_eq!(judge(&sample::package("a", "noarch"), &Policy::default()), []);
}
