// SPDX-License-Identifier: GPL-2.0-or-later
//! Types that a program makes from tables.

use super::super::{Family, QomType};
use super::{ARM, FORMS, PLAIN, Qom, SHAPES, compile, names, report};

fn family(report: &Qom, family: Family) -> Vec<&QomType> {
    report.types.iter().filter(|type_| type_.family == Some(family)).collect()
}

fn of<'t>(types: &[&'t QomType], name: &str) -> &'t QomType {
    types.iter().find(|type_| type_.name == name).unwrap()
}

#[test]
fn virtio_makes_a_base_and_its_devices() {
    for form in FORMS {
        for shape in SHAPES {
            let report = report(&compile(form, shape, "-O2"));
            let found = family(&report, Family::VirtioPci);
            let parents: Vec<_> =
                found.iter().map(|t| (t.name.as_str(), t.parent.as_str())).collect();
            let expected = [
                ("virtio-blk-pci", "virtio-blk-pci-base"),
                ("virtio-blk-pci-base", "virtio-pci"),
                ("virtio-blk-pci-non-transitional", "virtio-blk-pci-base"),
                ("virtio-blk-pci-transitional", "virtio-blk-pci-base"),
                ("virtio-vga", "virtio-vga-base-type"),
                ("virtio-vga-base-type", "pci-device"),
            ];
            assert_eq!(parents, expected, "{form:?} {shape}");
            let base = of(&found, "virtio-blk-pci-base");
            assert!(base.is_abstract && base.class_init);
            assert_eq!(base.instance_size, 4096);
            assert_eq!(names(base), ["vectors", "iothread"], "{form:?} {shape}");
            let link = base.properties.as_ref().unwrap()[1].kind.as_deref();
            assert_eq!(link, Some("link<iothread>"));
            let generic = of(&found, "virtio-blk-pci");
            assert_eq!(names(generic), ["disable-modern"], "{form:?} {shape}");
            assert_eq!(generic.interfaces, ["pci-express-device", "conventional-pci-device"]);
            let transitional = of(&found, "virtio-blk-pci-transitional");
            assert_eq!(transitional.interfaces, ["conventional-pci-device"]);
            assert!(!transitional.class_init && names(transitional).is_empty());
            // Without a base of its own the two tables change places.
            assert_eq!(names(of(&found, "virtio-vga")), ["vectors", "iothread"]);
            assert_eq!(names(of(&found, "virtio-vga-base-type")), ["disable-modern"]);
        }
    }
}

#[test]
fn a_loop_makes_a_type_of_each_element() {
    for form in FORMS {
        for shape in SHAPES {
            let report = report(&compile(form, shape, "-O2"));
            let found = family(&report, Family::Table);
            assert_eq!(found.len(), 12, "{form:?} {shape}");
            for card in found {
                assert_eq!(card.parent, "card-base");
                assert_eq!(names(card), ["vectors", "iothread"]);
                assert_eq!(card.conditional, None);
            }
        }
    }
}

#[test]
fn a_model_of_x86_has_versions_and_aliases() {
    for shape in SHAPES {
        let report = report(&compile(PLAIN, shape, "-O2"));
        let found = family(&report, Family::X86Cpu);
        let expected = [
            "Denverton-v1-x86_64-cpu",
            "Denverton-x86_64-cpu",
            "EPYC-Rome-fixed-x86_64-cpu",
            "EPYC-Rome-v1-x86_64-cpu",
            "EPYC-Rome-v2-x86_64-cpu",
            "EPYC-Rome-x86_64-cpu",
            "qemu64-v1-x86_64-cpu",
            "qemu64-x86_64-cpu",
        ];
        let models: Vec<&str> = found.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(models, expected, "{shape}");
        assert!(found.iter().all(|model| model.parent == "x86_64-cpu"));
    }
}

#[test]
fn a_model_of_arm_has_its_suffix() {
    for shape in SHAPES {
        let report = report(&compile(ARM, shape, "-O2"));
        let found = family(&report, Family::ArmCpu);
        let models: Vec<&str> = found.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(models, ["cortex-a53-arm-cpu", "cortex-a72-arm-cpu", "max-arm-cpu"], "{shape}");
        assert!(found.iter().all(|model| model.parent == "arm-cpu"));
    }
}
