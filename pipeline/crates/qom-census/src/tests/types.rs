// SPDX-License-Identifier: GPL-2.0-or-later
//! One type, and all of them: what is read of each, and what is refused.

use super::super::{Census, Module, QomType, TypeInfoLayout, Uncounted};
use super::{FORMS, OLD, PLAIN, SHAPES, compile, error, find_type, names, property, report};

fn stub() -> QomType {
    QomType {
        name: "vgpu-stub".to_owned(),
        parent: "pci-device".to_owned(),
        is_abstract: false,
        interfaces: vec!["conventional-pci-device".to_owned(), "hotplug-handler".to_owned()],
        properties: Some(vec![
            property("pool_id", "str"),
            property("priority", "str"),
            property("vm_id", "uint32"),
        ]),
        unresolved: None,
        instance_size: 3000,
        class_size: 0,
        class_init: true,
        family: None,
        conditional: None,
    }
}

#[test]
fn a_type_is_read_in_every_shape_of_qemu_and_at_every_optimisation() {
    for shape in SHAPES {
        for optimisation in ["-O0", "-O2", "-Os"] {
            let file = compile(PLAIN, shape, optimisation);
            let found = find_type(&file, "vgpu-stub").unwrap();
            assert_eq!(found, Some(stub()), "{shape} {optimisation}");
            let layout = if shape == 42 { TypeInfoLayout::V4_2 } else { TypeInfoLayout::V5_2 };
            assert_eq!(report(&file).layout, Some(layout));
            // Through a helper, with a PropertyInfo and an interface list that are blank in the
            // file.
            let late = find_type(&file, "late").unwrap().unwrap();
            assert_eq!(late.parent, "sys-bus-device");
            assert_eq!(names(&late), ["first", "second", "third"], "{shape} {optimisation}");
            assert!(late.interfaces.is_empty());
        }
    }
}

#[test]
fn a_type_is_read_in_every_form_of_elf() {
    for form in FORMS {
        for shape in SHAPES {
            let file = compile(form, shape, "-O2");
            assert_eq!(find_type(&file, "vgpu-stub").unwrap(), Some(stub()), "{form:?} {shape}");
        }
    }
}

#[test]
fn every_form_of_elf_tells_the_same() {
    for shape in SHAPES {
        let of_gcc = report(&compile(PLAIN, shape, "-O2"));
        for form in &FORMS[1..3] {
            let other = report(&compile(*form, shape, "-O2"));
            let comparable = |mut type_: QomType| {
                // It gives addresses.
                type_.unresolved = type_.unresolved.map(|_| String::new());
                type_
            };
            let types =
                |types: &[QomType]| types.iter().cloned().map(comparable).collect::<Vec<_>>();
            assert_eq!(types(&other.types), types(&of_gcc.types), "{form:?} {shape}");
            assert_eq!(other.modules, of_gcc.modules, "{form:?} {shape}");
        }
    }
}

#[test]
fn a_name_that_is_the_tail_of_another_string_is_read() {
    let contains = |bytes: &[u8]| OLD.windows(bytes.len()).any(|window| window == bytes);
    assert!(contains(b"interrupt-priority\0") && !contains(b"\0priority\0"));
    let found = find_type(&OLD, "vgpu-stub").unwrap().unwrap();
    assert!(names(&found).contains(&"priority"));
}

#[test]
fn a_table_whose_address_comes_from_a_constant_pool_is_read() {
    let found = find_type(&OLD, "pooled").unwrap().unwrap();
    assert_eq!(names(&found), ["first", "second", "third"]);
}

#[test]
fn a_type_without_a_table_has_no_properties() {
    assert_eq!(find_type(&OLD, "plain").unwrap().unwrap().properties, Some(Vec::new()));
    let device = find_type(&OLD, "device").unwrap().unwrap();
    assert!(device.is_abstract && !device.class_init);
    assert_eq!(device.properties, Some(Vec::new()));
}

#[test]
fn the_sizes_are_those_of_the_structure() {
    let device = find_type(&OLD, "device").unwrap().unwrap();
    assert_eq!((device.instance_size, device.class_size), (128, 56));
    let root = find_type(&OLD, "object").unwrap().unwrap();
    assert_eq!((root.parent.as_str(), root.instance_size), ("", 40));
}

#[test]
fn a_type_that_is_not_there_is_not_found() {
    // The last two are in the binary: the key of a pair, and the end of a longer string.
    for name in ["vgpu", "", "fake", "priority"] {
        assert_eq!(find_type(&OLD, name).unwrap(), None, "{name}");
    }
}

#[test]
fn a_program_without_types_has_none() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    for file in [own, std::fs::read("/bin/ls").unwrap()] {
        let census = Census::read(&file).unwrap();
        assert_eq!(census.names().len(), 0);
        assert_eq!(census.find("vgpu-stub").unwrap(), None);
        assert_eq!(census.report().layout, None);
    }
}

#[test]
fn what_cannot_be_settled_is_refused() {
    let choosy = error(&OLD, "choosy");
    assert!(choosy.contains("of QOM type `choosy`"), "{choosy}");
    assert!(choosy.contains("names two property tables"), "{choosy}");
    let listed = report(&OLD).types.into_iter().find(|type_| type_.name == "choosy").unwrap();
    assert_eq!(listed.properties, None);
    assert!(listed.unresolved.unwrap().contains("two property tables"));
    let twice = error(&OLD, "twice");
    assert_eq!(twice, "the binary describes QOM type `twice` more than once, and differently");
    let mixed = error(&compile(PLAIN, 52, "-DMIXED"), "vgpu-stub");
    assert!(
        mixed.starts_with("the layout of `TypeInfo` is ambiguous: 1 types have that of QEMU 4.2"),
        "{mixed}"
    );
    let orphan = error(&OLD, "orphan");
    assert!(orphan.contains("`orphan` derives from `nobody`"), "{orphan}");
}

#[test]
fn a_type_that_is_registered_under_a_condition_is_named_so() {
    for form in FORMS {
        let file = compile(form, 72, "-O2");
        let condition = |name| find_type(&file, name).unwrap().unwrap().conditional;
        assert_eq!(condition("vgpu-stub"), None, "{form:?}");
        // An element of an array, registered in a loop.
        assert_eq!(condition("hotplug-handler"), None, "{form:?}");
        let lucky = condition("lucky").unwrap();
        assert_eq!(lucky, "its registration depends on what the program finds", "{form:?}");
        let moody = condition("moody").unwrap();
        assert_eq!(moody, "nothing registers it when the program starts", "{form:?}");
    }
}

#[test]
fn what_is_outside_is_a_number_and_what_modules_bring_a_list() {
    let report = report(&OLD);
    let module = |name: &str, types: &[&str]| Module {
        name: name.to_owned(),
        types: types.iter().map(|&name| name.to_owned()).collect(),
    };
    let expected = [
        module("audio-alsa", &[]),
        module("hw-display-qxl", &["qxl-vga", "qxl"]),
        module("ui-spice-core", &[]),
    ];
    assert_eq!(report.modules, expected);
    let Uncounted { without_root, .. } = report.uncounted;
    // `orphan`, and a pair of names in the list of interfaces or beside it.
    assert!((1..5).contains(&without_root), "{without_root}");
}

#[test]
fn the_json_has_the_words_of_qom() {
    let report = report(&OLD);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["layout"], "4.2");
    assert_eq!(json["property_layout"], "4.2");
    let found = json["types"].as_array().unwrap().iter().find(|type_| type_["name"] == "vgpu-stub");
    assert_eq!(found.unwrap()["abstract"], false);
    assert_eq!(serde_json::from_value::<super::Qom>(json).unwrap(), report);
}
