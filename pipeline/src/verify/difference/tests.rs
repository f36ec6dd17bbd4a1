// SPDX-License-Identifier: GPL-2.0-or-later
mod content;

use super::{Allowed, Area, Attribute, Change, Fate, difference, only_adds};
use crate::rules::sample::{FOLDER, LINK, PLAIN, file, package};
use crate::rules::{ElfFile, InspectedPackage};
use crate::verify::difference::Snapshot;
use rpm_inspect::{FileEntry, mode};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const QEMU: &str = "/usr/bin/qemu-system-x86_64";

fn snapshot(lines: &[(&str, Area, &str, &str)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (place, area, name, text) in lines {
        snapshot.put(place, *area, *name, *text);
    }
    snapshot
}

fn change(area: Area, name: &str, fate: Fate) -> Change {
    let attribute = Attribute { place: String::new(), area, name: name.to_owned() };
    Change { attribute, fate }
}

fn judge(changes: &[Change]) -> Result<(), String> {
    let allowed = Allowed {
        types: BTreeSet::from(["vgpu-stub"]),
        provides: BTreeSet::from(["qemu-device(vgpu-stub) = 1"]),
    };
    only_adds(changes, &allowed).map_err(|error| crate::error::render(&error))
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
    let before = snapshot(&[
        (QEMU, Area::Type, "e1000", "pci-device"),
        (QEMU, Area::Type, "vga", "pci-device"),
        ("", Area::Requires, "libc.so.6()(64bit)", ""),
    ]);
    let after = snapshot(&[
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
    let attribute = Attribute { place: QEMU.to_owned(), area: Area::Elf, name: "glibc".to_owned() };
    let change = Change { attribute, fate: changed("2.17", "2.34") };
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

/// All that differs between the packages of two builds, as it is shown.
fn shown(before: &[InspectedPackage], after: &[InspectedPackage]) -> Vec<String> {
    let changes = difference(&Snapshot::of_packages(before), &Snapshot::of_packages(after));
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn two_packages_of_one_name_are_added_up() {
    let of = |arch: &str, mode: u16| {
        let mut facts = package("qemu", arch);
        facts.package.files = vec![file("/usr/bin/a", PLAIN | mode, None)];
        facts
    };
    let stock = [of("x86_64", 0)];
    // Whichever comes last, the other one is seen.
    for odd in [of("x86_64", 0o4111), of("noarch", 0), of("noarch", 0o4111)] {
        for ours in [[of("x86_64", 0), odd.clone()], [odd.clone(), of("x86_64", 0)]] {
            let said = shown(&stock, &ours).join("\n");
            assert!(said.contains("version in qemu  1-1 → 1-1, and 1-1"), "{said}");
            let arch = said.contains("architecture in qemu  x86_64 → noarch, and x86_64");
            assert_eq!(arch, odd.id.arch == "noarch", "{said}");
            let mode = said.contains("100644 root:root → 100644 root:root, and 104755 root:root");
            assert_eq!(mode, odd.files[0].mode == PLAIN | 0o4111, "{said}");
            assert!(
                judge(&difference(&Snapshot::of_packages(&stock), &Snapshot::of_packages(&ours)))
                    .unwrap_err()
                    .contains("version in qemu")
            );
            // The other way round, and in another order of the same.
            assert!(shown(&ours, &stock).join("\n").contains("1-1, and 1-1 → 1-1"));
            let [first, second] = ours.clone();
            assert_eq!(shown(&ours, &[second, first]), [] as [&str; 0]);
        }
    }
}

#[test]
fn what_several_say_alike_is_counted() {
    // One path in two packages, of which one loses what the other has: a type, a requirement, a library.
    let of = |types: &[&str]| {
        let lines: Vec<_> =
            types.iter().map(|name| (QEMU, Area::Type, *name, "pci-device")).collect();
        snapshot(&lines)
    };
    let changes = difference(&of(&["vga", "vga"]), &of(&["vga"]));
    assert_eq!(
        changes[0].to_string(),
        format!("type      ~ vga in {QEMU}  pci-device, and pci-device → pci-device")
    );
    let unnamed = |times: usize| snapshot(&vec![("", Area::Requires, "a", ""); times]);
    for (before, after, expected) in [
        (1, 2, Some("requires  ~ a   → 2 times")),
        (3, 2, Some("requires  ~ a  3 times → 2 times")),
        (2, 2, None),
        (0, 1, Some("requires  + a")),
    ] {
        let changes = difference(&unnamed(before), &unnamed(after));
        assert_eq!(changes.first().map(ToString::to_string).as_deref(), expected);
    }
}

/// Of what lies at `/usr/lib/.build-id`, only what rpmbuild makes there is passed over.
#[test]
fn a_file_by_build_id_is_compared_unless_it_is_a_link_to_a_program_of_its_package() {
    let program = file("/usr/bin/a", PLAIN, None);
    let with = |path: &str, mode: u16, link: Option<&str>| {
        let mut facts = package("qemu", "x86_64");
        facts.package.files = vec![program.clone(), file(path, mode, link)];
        [facts]
    };
    let stock = with("/usr/bin/a", PLAIN, None).map(|mut facts| {
        facts.package.files.pop();
        facts
    });
    for (path, mode, link) in [
        ("/usr/lib/.build-id", FOLDER, None),
        ("/usr/lib/.build-id/ab", FOLDER, None),
        ("/usr/lib/.build-id/ab/cd01", LINK, Some("../../../../usr/bin/a")),
        ("/usr/lib/.build-id/ab/cd01.1", LINK, Some("../../../../usr/bin/a")),
    ] {
        assert_eq!(shown(&stock, &with(path, mode, link)), [] as [&str; 0], "{path}");
    }
    for (path, mode, link) in [
        ("/usr/lib/.build-id/ab/cd01", PLAIN, None),
        ("/usr/lib/.build-id/ab/cd01", mode::REGULAR | 0o755, None),
        ("/usr/lib/.build-id/evil", PLAIN, None),
        ("/usr/lib/.build-id", PLAIN, None),
        ("/usr/lib/.build-id", LINK, Some("/etc")),
        ("/usr/lib/.build-id/ab", LINK, Some("../../../etc")),
        ("/usr/lib/.build-id/ab/cd01", LINK, Some("/usr/bin/a")),
        ("/usr/lib/.build-id/ab/cd01", LINK, Some("../../../../usr/bin/other")),
        ("/usr/lib/.build-id/ab/cd01", LINK, Some("../../../../etc/shadow")),
        ("/usr/lib/.build-id/ab/cd01", FOLDER, None),
        ("/usr/lib/.build-id/ab", mode::DIRECTORY | 0o777, None),
        ("/usr/lib/.build-id/ab", mode::DIRECTORY, None),
        ("/usr/lib/.build-id/zz", FOLDER, None),
        ("/usr/lib/.build-id/evil", FOLDER, None),
        ("/usr/lib/.build-id/ab/evil", LINK, Some("../../../../usr/bin/a")),
        ("/usr/lib/.build-id-of-mine", PLAIN, None),
        ("/usr/lib/.build-idx/ab", FOLDER, None),
        ("/usr/lib/.build-idx", LINK, Some("/etc")),
    ] {
        let said = shown(&stock, &with(path, mode, link)).join("\n");
        assert!(said.contains(&format!("file      + {path} in qemu")), "{path} {mode:o}: {said}");
    }
    for (flag, user, seen) in
        [("artifact", "root", false), ("config", "root", true), ("artifact", "qemu", true)]
    {
        let mut ours = with("/usr/lib/.build-id/ab", FOLDER, None);
        ours[0].package.files[1].flags.push(flag.to_owned());
        ours[0].package.files[1].user = user.to_owned();
        assert_eq!(!shown(&stock, &ours).is_empty(), seen, "{flag} {user}");
    }
}

/// As many as anybody reads.
#[test]
fn many_changes_are_told_in_some_lines() {
    let changes: Vec<Change> = (0..1000)
        .map(|number| change(Area::File, &format!("/{number}"), added("100644")))
        .collect();
    let message = judge(&changes).unwrap_err();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 43, "{message}");
    assert_eq!(lines[40..42], ["  file      + /39  100644", "  … and 960 more"]);
}

/// Each file is looked up among the ELF files: by the square of their number that took a minute.
#[test]
fn a_snapshot_of_many_programs_takes_no_time() {
    let mut many = package("many", "x86_64");
    for number in 0..20_000 {
        let path = format!("/opt/{number}");
        many.package.files.push(file(&path, PLAIN, None));
        many.elf.push(ElfFile {
            path: path.into(),
            info: None,
            unread: None,
            starts: None,
            for_debuggers: false,
            scripts: false,
        });
    }
    let began = Instant::now();
    let snapshot = Snapshot::of_package(&many);
    assert!(difference(&snapshot, &snapshot).is_empty());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn another_colour_is_a_difference() {
    let of = |colour| {
        let mut facts = package("one", "x86_64");
        facts.package.files = vec![FileEntry { colour, ..file(QEMU, PLAIN, None) }];
        Snapshot::of_package(&facts)
    };
    let changes = difference(&of(2), &of(0));
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [format!("file      ~ {QEMU}  100644 root:root colour 2 → 100644 root:root")]
    );
    assert!(judge(&changes).is_err());
}
