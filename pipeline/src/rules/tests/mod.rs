// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of rules against its files and the pipeline file's words.

pub mod sample;

use super::list::LIST;
use super::{Policy, Rule, judge};
use std::collections::BTreeSet;

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

#[test]
fn the_default_policy_asks_nothing_of_a_target() {
    let targets = LIST.iter().filter(|spec| !spec.targets.is_empty());
    assert_eq!(targets.count(), 12);
    assert_eq!(judge(&sample::package("a", "noarch"), &Policy::default()), []);
}
