// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;

mod gallery;
mod mutations;

const WORKSTATION: &str = include_str!("../../workstation.yaml");

fn refusal(text: &str) -> String {
    format!("{:#}", parse(text, "p.yaml").unwrap_err())
}

/// The workstation pipeline with one piece of text changed.
fn changed(from: &str, to: &str) -> String {
    assert!(WORKSTATION.contains(from), "{from}");
    WORKSTATION.replacen(from, to, 1)
}

#[test]
fn the_default_pipeline_is_good() {
    let pipeline = parse(WORKSTATION, "workstation.yaml").unwrap();
    assert_eq!(pipeline.name.as_str(), "workstation");
    assert_eq!(pipeline.build, Build::default());
}

#[test]
fn an_unknown_key_names_place_and_nearest_word() {
    let error = refusal(&changed("      package: qemu", "      pakage: qemu"));
    assert!(
        error.starts_with("source[0].debian: unknown key `pakage`\n  --> p.yaml:11:7\n"),
        "{error}"
    );
    assert!(error.ends_with("help: did you mean `package`?"), "{error}");
}

#[test]
fn a_wrong_type_names_its_place() {
    let error = refusal(&changed("name: workstation", "name: [a]"));
    assert!(
        error.starts_with("name: this is a list, and one value is wanted\n --> p.yaml:7:7\n"),
        "{error}"
    );
}

#[test]
fn a_missing_section_says_what_to_add() {
    let error = refusal(&WORKSTATION.replace("\ndevice:\n", "\nsource2:\n"));
    assert!(error.contains("unknown key `source2`"), "{error}");
    let start = WORKSTATION.find("\nverify:").unwrap();
    let error = refusal(&WORKSTATION[..start]);
    assert!(error.contains("the key `verify` is missing"), "{error}");
    assert!(error.contains("help: add `verify:`"), "{error}");
}

#[test]
fn another_format_version_is_refused_before_anything_else() {
    let error = refusal("version: 2\nwhatever: true\n");
    assert!(
        error.starts_with("pipeline format version 2 is not known\n --> p.yaml:1:10\n"),
        "{error}"
    );
}

#[test]
fn a_value_that_breaks_its_rule_names_its_place() {
    let error = refusal(&changed("CONFIG_PCI", "CONFIG_PCI; rm"));
    assert!(
        error.starts_with("device[0].condition: `CONFIG_PCI; rm` is not")
            && error.contains("--> p.yaml:47:16\n"),
        "{error}"
    );
    let error = refusal(&changed("hw/misc", "../misc"));
    assert!(error.contains("`../misc` is not a relative path"), "{error}");
}

#[test]
fn the_value_of_a_define_is_taken_as_it_is_spelled() {
    let with = |value| {
        let defines = format!("CONFIG_PCI\n    defines: {{ VGPU_STUB_CLASS: {value} }}\n");
        changed("CONFIG_PCI\n", &defines)
    };
    for value in ["0x0302", "\"0x0302\""] {
        let device = parse(&with(value), "p.yaml").unwrap().device.remove(0);
        let (name, value) = device.defines.first_key_value().unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("VGPU_STUB_CLASS", "0x0302"));
    }
    let error = refusal(&with("\"'a'\""));
    assert!(error.contains("device[0].defines.VGPU_STUB_CLASS: `'a'` is not"), "{error}");
}

#[test]
fn a_reference_to_nothing_suggests_what_is_there() {
    let error = refusal(&changed("add-source: vgpu-stub.c", "add-source: vgpu-stb.c"));
    assert!(error.contains("`vgpu-stb.c` is not the source of a device"), "{error}");
    assert!(error.ends_with("help: did you mean `vgpu-stub.c`?"), "{error}");
}

#[test]
fn a_device_that_nothing_would_prove_is_refused() {
    let other = "types:\n    - name: other\n";
    let error = refusal(&changed("contracts: [../device/vgpu-stub.yaml]\n", other));
    assert!(error.contains("`verify` does not name `vgpu-stub`"), "{error}");
    let error = parse(WORKSTATION, "p.yaml").unwrap().with_contracts(vec![], WORKSTATION, "p.yaml");
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.contains("`verify` does not name `vgpu-stub`"), "{error}");
}

#[test]
fn paths_that_allow_nothing_are_refused() {
    let verify =
        |paths: &str| refusal(&changed("\nverify:\n", &format!("\nverify:\n  paths: {paths}\n")));
    let error = verify("[]");
    assert!(error.contains("verify.paths: this list is empty"), "{error}");
    let error = verify("[usr/bin]");
    assert!(error.contains("verify.paths[0]: `usr/bin` is not an absolute path"), "{error}");
}

#[test]
fn a_device_source_with_too_long_a_name_is_refused() {
    let long = format!("{}.c", "a".repeat(99));
    let error = refusal(&changed("source: ../device/vgpu-stub.c", &format!("source: {long}")));
    assert!(error.contains("a plain name of at most 100 letters"), "{error}");
}

#[test]
fn the_schema_in_the_tree_is_current() {
    let written = include_str!("../../schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert!(written == current, "stale: `vgpu-pipeline schema > pipeline/schema.json` renews it");
}
