// SPDX-License-Identifier: GPL-2.0-or-later
//! Our own files with a slip in every line: whatever it is, the schema and the types judge alike, and what is
//! said has a place in the file.

use crate::config::{ExpectedType, Mistakes, Pipeline, parse, parse_contract};

type Slip = fn(&str) -> String;

const SLIPS: &[Slip] = &[
    |_| String::new(),
    |line| format!("{line}\n{line}"),
    |line| format!(" {line}"),
    |line| line.strip_prefix("  ").unwrap_or(line).to_owned(),
    |line| format!("\t{}", line.trim_start()),
    |line| line.replacen(": ", ":", 1),
    |line| line.replacen(':', "s:", 1),
    |line| line.replacen("- ", "", 1),
    |line| value(line, ""),
    |line| value(line, "~"),
    |line| value(line, "no"),
    |line| value(line, "1.10"),
    |line| value(line, "0x7"),
    |line| value(line, "[a]"),
    |line| value(line, "{ a: b }"),
    |line| value(line, "'a: b"),
    |line| line.to_uppercase(),
];

/// The line with another value behind its key.
fn value(line: &str, value: &str) -> String {
    match line.split_once(": ") {
        Some((key, _)) => format!("{key}: {value}"),
        None => line.to_owned(),
    }
}

/// Makes each slip in each line, and returns how many were refused.
fn slips<T: serde::de::DeserializeOwned>(
    text: &str,
    read: fn(&str, &str) -> Result<T, Mistakes>,
) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let mut refused = 0;
    for (number, line) in lines.iter().enumerate() {
        for slip in SLIPS {
            let slipped = slip(line);
            let mut changed: Vec<&str> = lines.clone();
            changed[number] = &slipped;
            let changed = changed.join("\n") + "\n";
            let types = serde_yaml::from_str::<T>(&changed);
            let Err(mistakes) = read(&changed, "f.yaml") else {
                assert!(types.is_ok(), "only the types refuse {slipped:?}");
                continue;
            };
            refused += 1;
            let said = mistakes.to_string();
            assert!(!said.contains("invalid type"), "{slipped:?}: {said}");
            for mistake in &mistakes.mistakes {
                let found = changed.lines().nth(mistake.line - 1).unwrap_or_default();
                let columns = found.chars().count() + 1;
                assert!((1..=columns).contains(&mistake.column), "{slipped:?}: {said}");
                assert!(said.contains(&format!("f.yaml:{}:{}", mistake.line, mistake.column)));
            }
        }
    }
    refused
}

#[test]
fn every_slip_in_a_pipeline_is_judged_alike_by_schema_and_types() {
    let refused = slips::<Pipeline>(include_str!("../../../workstation.yaml"), parse)
        + slips::<Pipeline>(include_str!("../../../xcp-ng-8.3.yaml"), parse);
    assert!(refused > 1000, "{refused}");
}

#[test]
fn every_slip_in_a_contract_is_judged_alike_by_schema_and_types() {
    let contract = include_str!("../../../../device/vgpu-stub.yaml");
    let refused = slips::<ExpectedType>(contract, parse_contract);
    assert!(refused > 200, "{refused}");
}

/// What a program reads of a mistake. One of the lines has no path, and one between fields has.
#[test]
fn a_mistake_is_data() {
    let text = include_str!("../../../workstation.yaml");
    let paths = [
        ("      package: qemu", "      pakage: qemu", Some("source[0].debian")),
        ("add-source: vgpu-stub.c", "add-source: x.c", Some("spec.edits[0].add-source")),
        ("name: workstation", "surname: workstation", None),
        ("only-adds: [vgpu-stub]", "only-adds: [vgpu-stub", None),
    ];
    for (from, to, path) in paths {
        assert!(text.contains(from), "{from}");
        let mistakes = parse(&text.replacen(from, to, 1), "f.yaml").unwrap_err();
        let mistake = &mistakes.mistakes[0];
        assert_eq!(mistake.path.as_deref(), path, "{mistake}");
        assert!(mistake.help.is_some() && !mistake.message.is_empty(), "{mistake}");
        let json = serde_json::to_value(mistake).unwrap();
        assert_eq!(json.get("path").and_then(|path| path.as_str()), path);
        assert_eq!(
            (&json["line"], &json["column"]),
            (&mistake.line.into(), &mistake.column.into())
        );
    }
}

#[test]
fn of_many_mistakes_the_first_are_shown_and_the_others_counted() {
    let edits: String = (0..60).map(|_| "    - provde: x\n").collect();
    let text = include_str!("../../../workstation.yaml")
        .replace("  edits:\n", &format!("  edits:\n{edits}"));
    let mistakes = parse(&text, "f.yaml").unwrap_err();
    let said = mistakes.to_string();
    assert_eq!(said.matches("\nerror: ").count() + 1, 20, "{said}");
    assert!(said.ends_with("\n\nand 40 more mistakes"), "{said}");
    let json = serde_json::to_value(&mistakes).unwrap();
    assert_eq!(json["more"], 40);
    let first = &json["mistakes"][0];
    assert_eq!(
        (&first["file"], &first["line"], &first["column"]),
        (&"f.yaml".into(), &52.into(), &7.into())
    );
    assert_eq!(first["path"], "spec.edits[0]");
    assert_eq!(first["message"], "spec.edits[0]: unknown key `provde`");
    assert_eq!(first["help"], "did you mean `provide`?");
    assert!(first["expected"].as_str().unwrap().contains("`provide`"), "{first}");
}
