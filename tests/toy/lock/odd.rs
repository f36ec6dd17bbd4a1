// SPDX-License-Identifier: GPL-2.0-or-later
//! Repositories with an entry that cannot be read, or that is only unusual.

use super::World;
use crate::support::{ends_with, refusal};
use std::fs;

/// One entry of a list, changed.
fn with(xml: &str, name: &str, change: impl Fn(&str) -> String) -> String {
    let at = xml.find(&format!("<name>{name}</name>")).unwrap();
    let from = xml[..at].rfind("<package ").unwrap();
    let to = at + xml[at..].find("</package>").unwrap() + "</package>".len();
    format!("{}{}{}", &xml[..from], change(&xml[from..to]), &xml[to..])
}

fn lock(world: &World) -> (String, String) {
    let output = ends_with(0, &mut world.program("lock"));
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_odd_package_that_nobody_asked_for_hinders_nothing() {
    let world = World::new("odd-unasked");
    world.lock();
    let before = fs::read_to_string(world.lock_file()).unwrap();
    for (from, to) in [
        ("<location ", "<location xml:base=\"http://elsewhere.invalid/\" "),
        ("ver=\"1.0\"", "ver=\"1:0:0\""),
        ("epoch=\"0\"", "epoch=\"many\""),
        ("<arch>noarch<", "<arch>(none)<"),
        ("unrelated-1.0", "un related-1.0"),
    ] {
        world.vendor.index();
        world.vendor.rewrite(|xml| {
            with(xml, "unrelated", |entry| {
                assert!(entry.contains(from), "{from}: {entry}");
                entry.replace(from, to)
            })
        });
        let (changes, notes) = lock(&world);
        assert_eq!(changes, "nothing changed\n", "{to}");
        assert!(notes.contains("note: repository `vendor` has entries that cannot be read, 1 of them; `unrelated`: "), "{notes}");
        assert_eq!(fs::read_to_string(world.lock_file()).unwrap(), before);
    }
    let report = String::from_utf8(ends_with(0, &mut world.radar()).stdout).unwrap();
    assert!(report.contains("    repository `vendor` has entries that cannot be read"), "{report}");
    // What is only unusual is not even told. (A checksum of a kind that nobody knows is for dnf no
    // repository at all; that we would read it is a unit test.)
    for (from, to) in [("<location ", "<location xml:base=\"\" "), ("<arch>noarch<", "<arch>e2k<")]
    {
        world.vendor.index();
        world.vendor.rewrite(|xml| with(xml, "unrelated", |entry| entry.replace(from, to)));
        let (changes, notes) = lock(&world);
        assert_eq!(changes, "nothing changed\n", "{to}");
        assert!(!notes.contains("note: "), "{notes}");
    }
}

#[test]
fn an_odd_package_that_is_asked_for_is_refused_by_its_name() {
    let world = World::new("odd-asked");
    let base = world.server.as_ref().unwrap().url("centos/");
    let elsewhere = format!("<location xml:base=\"{base}\" ");
    // The one that yum takes.
    world
        .centos
        .rewrite(|xml| with(xml, "toy-libs", |entry| entry.replace("<location ", &elsewhere)));
    let error = refusal(1, &mut world.program("lock"));
    let expected = "the environment needs toy-libs-1.0-1.el7.noarch, and repository `centos` has an \
                    entry that cannot be read for `toy-libs`: ";
    assert!(error.contains(expected), "{error}");
    assert!(!world.lock_file().exists());
    // Another of its name, which yum does not take, and which may be what it should have taken.
    world.centos.index();
    world.centos.rewrite(|xml| {
        with(xml, "toy-libs", |entry| {
            let other = entry.replace("ver=\"1.0\"", "ver=\"0.1\"");
            format!("{entry}\n{}", other.replace("<location ", &elsewhere))
        })
    });
    let error = refusal(1, &mut world.program("lock"));
    assert!(error.contains(expected), "{error}");
    assert!(!world.lock_file().exists());
    // For a machine that nobody builds on, it is nobody's.
    world.centos.index();
    world.centos.rewrite(|xml| {
        with(xml, "rpm-build", |entry| {
            let other =
                entry.replace("<arch>noarch<", "<arch>src<").replace("<location ", &elsewhere);
            format!("{entry}\n{other}")
        })
    });
    let (_, notes) = lock(&world);
    assert!(notes.contains("`rpm-build`: "), "{notes}");
    // The radar wants somebody to look.
    world
        .centos
        .rewrite(|xml| with(xml, "toy-libs", |entry| entry.replace("<location ", &elsewhere)));
    let report = world.radar().output().unwrap();
    assert_eq!(report.status.code(), Some(1));
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(
        report
            .contains("ACT repository `centos` has an entry that cannot be read for `toy-libs`: "),
        "{report}"
    );
    assert!(!report.contains("withdrawn"), "{report}");
}
