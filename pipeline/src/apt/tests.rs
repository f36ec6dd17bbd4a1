// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use std::fs;

const DEB: &str = "http://ftp.debian.org/debian/";
const FIXES: &str = "http://security.debian.org/debian-security/";

fn lines(targets: &str, suite: &str) -> Vec<String> {
    choose(targets, suite).unwrap().iter().map(Origin::binary_line).collect()
}

/// A suite of Debian's by the usual mirrors.
fn usual(suite: &str) -> Vec<String> {
    vec![
        format!("deb {DEB} {suite} main"),
        format!("deb {DEB} {suite}-updates main"),
        format!("deb {FIXES} {suite}-security main"),
    ]
}

#[test]
fn a_suite_comes_with_its_updates_and_fixes_whatever_the_machine_is() {
    let debian = |suite: &str| {
        format!(
            "{DEB} {suite} main Debian\n{DEB} {suite}-updates main Debian\n\
             {FIXES} {suite}-security main Debian\n"
        )
    };
    let ubuntu = "http://archive.ubuntu.com/ubuntu/ noble main Ubuntu\n\
                  http://security.ubuntu.com/ubuntu/ noble-security main Ubuntu\n";
    for machine in ["bookworm", "trixie", "forky"].map(debian) {
        assert_eq!(lines(&machine, "bookworm"), usual("bookworm"), "{machine}");
        assert_eq!(lines(&machine, "trixie"), usual("trixie"), "{machine}");
    }
    // Where nothing is known of a mirror, Debian's own is.
    let fixes = format!("deb {FIXES} bookworm-security main");
    for machine in [ubuntu, ""] {
        assert_eq!(lines(machine, "bookworm")[2], fixes, "{machine}");
        assert_eq!(lines(machine, "bookworm"), usual("bookworm"), "{machine}");
    }
    // A machine that left its fixes out gets them all the same.
    let bare = format!("{DEB} bookworm main Debian\n");
    assert_eq!(lines(&bare, "bookworm"), usual("bookworm"));
}

#[test]
fn each_age_of_debian_has_its_own_names() {
    let fixes = |suite| lines("", suite).pop().unwrap();
    assert_eq!(fixes("buster"), format!("deb {FIXES} buster/updates main"));
    assert_eq!(fixes("bullseye"), format!("deb {FIXES} bullseye-security main"));
    assert_eq!(fixes("stable"), format!("deb {FIXES} stable-security main"));
    for suite in ["sid", "unstable"] {
        assert_eq!(lines("", suite), [format!("deb {DEB} {suite} main")]);
    }
}

#[test]
fn the_machines_mirror_is_taken_before_debians() {
    let mirror = "http://mirror.example/debian/ trixie main Debian\n";
    assert_eq!(
        lines(mirror, "bookworm"),
        [
            "deb http://mirror.example/debian/ bookworm main",
            "deb http://mirror.example/debian/ bookworm-updates main",
            "deb http://security.debian.org/debian-security/ bookworm-security main",
        ]
    );
    let with = format!("{mirror}http://mirror.example/fixes/ trixie-security main Debian\n");
    assert_eq!(
        lines(&with, "bookworm")[2],
        "deb http://mirror.example/fixes/ bookworm-security main"
    );
    let cache = "http://cache:3142/old.example/archive/debian/1/ trixie main Debian\n";
    assert_eq!(
        lines(cache, "bookworm")[2],
        "deb http://cache:3142/old.example/archive/debian-security/1/ bookworm-security main"
    );
    let day = "http://old.example/archive/debian/20250520T000000Z/ trixie main\n";
    assert_eq!(
        lines(day, "bookworm")[2],
        "deb http://old.example/archive/debian-security/20250520T000000Z/ bookworm-security main"
    );
}

#[test]
fn what_only_bears_the_name_of_a_suite_is_not_it() {
    let others = "http://packages.example/debian/12/prod/ bookworm main example-prod\n\
                  http://docker.example/linux/debian/ bookworm stable Docker\n\
                  http://raspbian.example/raspbian/ bookworm main Raspbian\n\
                  cdrom:[Debian]/ bookworm main Debian\n";
    assert_eq!(lines(others, "bookworm"), usual("bookworm"));
}

#[test]
fn a_suite_of_somebody_else_comes_from_the_machine_alone() {
    let ubuntu = "http://u/ noble main Ubuntu\nhttp://u/ noble universe Ubuntu\n\
                  http://s/ noble-security main Ubuntu\n";
    assert_eq!(
        lines(ubuntu, "noble"),
        ["deb http://u/ noble main", "deb http://s/ noble-security main"]
    );
    let error = choose("http://u/ jammy main\n", "noble").unwrap_err().rendered();
    assert!(error.contains("do not serve `noble`") && error.contains("\nhelp: "), "{error}");
}

/// The forms in which a machine can say it, as the real apt reads them.
#[test]
fn apt_is_asked_so_every_form_of_its_files_counts() {
    let forms = [
        ("a.list", format!("deb {DEB} trixie main contrib\ndeb {DEB} trixie-updates main\n")),
        ("a.list", format!("deb [arch=amd64 signed-by={}] {DEB} trixie main\n", KEYRINGS[0])),
        ("a.list", format!("# deb http://no/ trixie main\ndeb-src {DEB} sid main\n")),
        (
            "a.sources",
            format!(
                "Types: deb deb-src\nURIs: {DEB}\nSuites: trixie trixie-updates\nComponents: main\n\
                 Signed-By: {}\n\nTypes: deb\nURIs: {FIXES}\nSuites: trixie-security\n\
                 Components: main\n",
                KEYRINGS[0]
            ),
        ),
        (
            "a.sources",
            format!(
                "Enabled: no\nTypes: deb\nURIs: http://no/\nSuites: trixie\nComponents: main\n\nTypes: deb\nURIs: {DEB}\nSuites: trixie\nComponents: contrib\n"
            ),
        ),
        ("a.list", String::new()),
    ];
    for (name, text) in forms {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(path("parts")).unwrap();
        fs::write(folder.path().join("parts").join(name), &text).unwrap();
        let config = format!(
            "Dir::Etc::SourceList \"/dev/null\";\nDir::Etc::SourceParts \"{}\";\n\
             Dir::State::Lists \"{}\";\n",
            path("parts"),
            path("lists")
        );
        fs::write(path("apt.conf"), config).unwrap();
        let log = folder.path().join("log");
        let runner = Runner::new(&log, |_| {}).unwrap();
        let call = Invocation::new("apt-get")
            .args(["indextargets", "--format", FORMAT, "Created-By: Packages"])
            .env("APT_CONFIG", path("apt.conf"));
        let said = runner.run(&call.capture_stdout()).unwrap().stdout;
        assert_eq!(lines(&said, "bookworm"), usual("bookworm"), "{text}: {said}");
    }
}

#[test]
fn a_machine_without_debians_keys_is_told_which_package_has_them() {
    let error = refuse_without_keys("trixie", None).unwrap_err().rendered();
    assert!(error.ends_with("\nhelp: apt-get install debian-archive-keyring"), "{error}");
    refuse_without_keys("noble", None).unwrap();
    refuse_without_keys("trixie", Some(Path::new(KEYRINGS[0]))).unwrap();
}
