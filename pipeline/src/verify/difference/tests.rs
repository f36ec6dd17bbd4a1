use super::{Allowed, Area, Change, Fate, Subject, difference, only_adds};
use crate::verify::difference::Portrait;
use std::collections::BTreeSet;

const QEMU: &str = "/usr/bin/qemu-system-x86_64";

fn portrait(lines: &[(&str, Area, &str, &str)]) -> Portrait {
    let mut portrait = Portrait::default();
    for (place, area, name, text) in lines {
        portrait.put(place, *area, *name, *text);
    }
    portrait
}

fn change(area: Area, name: &str, fate: Fate) -> Change {
    let subject = Subject { place: String::new(), area, name: name.to_owned() };
    Change { subject, fate }
}

fn judge(changes: &[Change]) -> Result<(), String> {
    let allowed = Allowed {
        types: BTreeSet::from(["vgpu-stub"]),
        provides: BTreeSet::from(["qemu-device(vgpu-stub) = 1"]),
    };
    only_adds(changes, &allowed).map_err(|error| error.to_string())
}

fn added(text: &str) -> Fate {
    Fate::Added { is: text.to_owned() }
}

fn removed() -> Fate {
    Fate::Removed { was: String::new() }
}

fn changed(was: &str, is: &str) -> Fate {
    Fate::Changed { was: was.to_owned(), is: is.to_owned() }
}

#[test]
fn what_came_went_and_changed_is_told_apart() {
    let before = portrait(&[
        (QEMU, Area::Type, "e1000", "pci-device"),
        (QEMU, Area::Type, "vga", "pci-device"),
        ("", Area::Requires, "libc.so.6()(64bit)", ""),
    ]);
    let after = portrait(&[
        (QEMU, Area::Type, "vga", "sys-bus-device"),
        (QEMU, Area::Type, "vgpu-stub", "pci-device"),
        ("", Area::Requires, "libc.so.6()(64bit)", ""),
    ]);
    let shown: Vec<String> = difference(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "type      - e1000 in /usr/bin/qemu-system-x86_64  pci-device",
            "type      ~ vga in /usr/bin/qemu-system-x86_64  pci-device → sys-bus-device",
            "type      + vgpu-stub in /usr/bin/qemu-system-x86_64  pci-device",
        ]
    );
    assert!(difference(&after, &after).is_empty());
}

#[test]
fn a_program_gets_each_change_as_one_flat_object() {
    let subject = Subject { place: QEMU.to_owned(), area: Area::Elf, name: "glibc".to_owned() };
    let change = Change { subject, fate: changed("2.17", "2.34") };
    let json = serde_json::to_value(&change).unwrap();
    let expected = serde_json::json!({
        "place": QEMU, "area": "elf", "name": "glibc", "change": "changed", "was": "2.17", "is": "2.34",
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<Change>(json).unwrap(), change);
    let file = serde_json::to_value(self::change(Area::File, "/a", removed())).unwrap();
    assert_eq!(file["change"], "removed");
    assert_eq!(file.get("place"), None);
}

#[test]
fn what_was_asked_for_is_allowed() {
    let asked = [
        change(Area::Type, "vgpu-stub", added("pci-device")),
        change(Area::Property, "vgpu-stub.pool_id", added("str")),
        change(Area::Provides, "qemu-device(vgpu-stub) = 1", added("")),
        change(Area::Package, "version", changed("7.2-1", "7.2-1.vgpu1")),
        change(Area::Binary, QEMU, changed("1", "2")),
        change(Area::Changelog, "2026-01-01 somebody: words", added("")),
    ];
    judge(&asked).unwrap();
}

#[test]
fn whatever_nobody_asked_for_is_refused_by_its_name() {
    let unasked = [
        change(Area::Type, "vgpu-stub-2", added("pci-device")),
        change(Area::Type, "e1000", removed()),
        change(Area::Type, "vga", changed("pci-device", "device")),
        change(Area::Property, "vga.vgamem_mb", added("uint32")),
        change(Area::Property, "vgpu-stub.pool_id", changed("str", "bool")),
        change(Area::Provides, "qemu-device(other) = 1", added("")),
        change(Area::Provides, "qemu", removed()),
        change(Area::Requires, "libz.so.1()(64bit)", added("")),
        change(Area::Conflicts, "xenopsd-xc < 0.123.0", removed()),
        change(Area::Obsoletes, "qemu-dp", added("")),
        change(Area::Scriptlet, "post", added("/bin/sh")),
        change(Area::Changelog, "2020-01-01 somebody: words", removed()),
        change(Area::File, "/usr/bin/new", added("-rwxr-xr-x root root")),
        change(Area::File, QEMU, changed("-rwxr-xr-x root root", "-rwsr-xr-x root root")),
        change(Area::Content, "/etc/qemu/qemu.conf", changed("1", "2")),
        change(Area::Binary, "/usr/bin/new", added("1")),
        change(Area::Elf, "needed libz.so.1", added("")),
        change(Area::Elf, "glibc", changed("2.17", "2.34")),
        change(Area::Package, "tag 1014", changed("GPLv2", "MIT")),
        change(Area::Package, "version", changed("7.2-1", "5:7.2-1")),
        change(Area::Package, "version", changed("7.2-1", "7.2-10")),
        change(Area::Package, "version", changed("7.2-1", "7.2-1.a-1")),
    ];
    let asked = change(Area::Type, "vgpu-stub", added("pci-device"));
    for one in unasked {
        let error = judge(&[asked.clone(), one.clone()]).unwrap_err();
        assert!(error.contains(&one.to_string()), "{error}");
        assert!(error.contains("more changed than `verify.only-adds` has"), "{error}");
    }
}

#[test]
fn a_type_that_is_not_new_is_refused() {
    let error = judge(&[]).unwrap_err();
    assert!(error.starts_with("`verify.only-adds` names `vgpu-stub`, and"), "{error}");
}
