// SPDX-License-Identifier: GPL-2.0-or-later
//! What a build leaves behind, where the build is hostile: commands of the toy's %clean, which runs as
//! the builder when all packages are written.

mod given;
mod swap;

use crate::support;
use crate::support::{Toy, ends_with, events, program, ran, refusal, stable};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vgpu_pipeline::Event;

const RPM: &str = "qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm";
const SRPM: &str = "qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.src.rpm";

/// Has the toy's build run commands at its end.
fn clean(toy: &Toy, commands: &str) {
    toy.edit("qemu.spec", "\n%files\n", &format!("\n%clean\nset -e\n{commands}\n\n%files\n"));
}

/// The files of a stage's result in the store.
fn result(events: &[Event], stage: &str) -> PathBuf {
    support::result(events, stage).join("files")
}

/// What is left, by which commands, and what is said of it.
const LEFT: &[(&str, &str, &str)] = &[
    ("a text", "echo x > %{_rpmdir}/evil.txt", "`RPMS/evil.txt` is no package that can leave"),
    ("a page", "echo x > %{_srcrpmdir}/index.html", "`SRPMS/index.html` is no package that can"),
    ("an empty package", ": > %{_rpmdir}/x86_64/a.rpm", "`RPMS/x86_64/a.rpm` is no package that"),
    ("a pipe", "mkfifo %{_rpmdir}/a.rpm", "`RPMS/a.rpm` is a pipe; only regular files are taken"),
    (
        "a socket",
        "perl -MSocket -e 'socket(S,1,1,0); bind(S,sockaddr_un(\"%{_rpmdir}/a\")) or die'",
        "`RPMS/a` is a socket",
    ),
    ("a link", "ln -s /etc/shadow %{_rpmdir}/a.rpm", "`RPMS/a.rpm` is a symbolic link"),
    (
        "a link to a package",
        "cd %{_rpmdir}; ln -s x86_64/*.rpm b.rpm",
        "`RPMS/b.rpm` is a symbolic",
    ),
    (
        "a link for the folder",
        "mv %{_rpmdir} %{_topdir}/x; ln -s x %{_rpmdir}",
        "`RPMS` is no longer the folder that it was",
    ),
    ("a folder of folders", "mkdir -p %{_rpmdir}/a/b", "`RPMS/a/b` lies too deep"),
    (
        "a line break in a name",
        "touch \"%{_rpmdir}/$(printf 'a\\n00  b')\"",
        r"`RPMS/a\n00  b` is no package that can leave",
    ),
    (
        "a name that turns the direction",
        "touch \"%{_rpmdir}/$(printf 'a\\342\\200\\256mpr.b')\"",
        r"`RPMS/a\u{202e}mpr.b` is no package that can leave",
    ),
    ("a name that is no text", "touch \"%{_rpmdir}/$(printf 'a\\377')\"", r"`RPMS/a\xff` is no"),
    (
        "a file of holes",
        "truncate -s 1T %{_rpmdir}/big.rpm",
        "`RPMS/big.rpm` has 1099511627776 bytes, 4294967295 are the most",
    ),
    (
        "ten thousand files",
        "for i in $(seq 10000); do : > %{_rpmdir}/$i; done",
        "`RPMS` holds more than 1000 files",
    ),
    (
        "one package twice",
        "cp %{_rpmdir}/x86_64/qemu-4*.rpm %{_srcrpmdir}/a.rpm",
        "are both called `qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm`",
    ),
    ("no source package", "rm %{_srcrpmdir}/*", "the build left 0 source packages, not one"),
    (
        "a lead that lies",
        "printf '\\1' | dd of=$(echo %{_rpmdir}/x86_64/qemu-4*) bs=1 seek=7 conv=notrunc",
        "it says in one place that it is a source package, and not in another",
    ),
    (
        "half a package",
        "truncate -s 999 %{_srcrpmdir}/*.rpm",
        "vgpu1.src.rpm` is no package that can leave",
    ),
];

#[test]
fn whatever_is_no_package_is_an_error_that_names_it() {
    let mut wrong = Vec::new();
    for (what, commands, expected) in LEFT {
        let toy = Toy::new("toy-left-behind");
        clean(&toy, commands);
        let began = Instant::now();
        let error = refusal(1, &mut toy.until("build"));
        let lines = error.lines().filter(|line| line.contains(expected)).count();
        let one = error.matches("error: ").count() == 1 && error.contains("stage `build`");
        if lines != 1 || !one || error.contains(['\u{202e}', '\u{1b}']) {
            wrong.push(format!("{what}: expected {expected}\n{error}"));
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{what}: {:?}", began.elapsed());
        assert!(!toy.output().exists());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A package is what its header says, wherever it lies, however it is called and whatever its mode.
#[test]
fn kind_name_and_mode_are_not_the_builds_to_choose() {
    let toy = Toy::new("toy-left-elsewhere");
    let commands = "chmod 4755 %{_rpmdir}/x86_64/*.rpm\nchmod 6711 %{_srcrpmdir}/*.rpm\n\
                    mv %{_srcrpmdir}/*.rpm %{_rpmdir}/index.html\n\
                    mv %{_rpmdir}/x86_64/qemu-4*.rpm %{_srcrpmdir}/evil.src.rpm";
    clean(&toy, commands);
    let events = events(&mut toy.run());
    let output = toy.output();
    for (place, folder) in [
        (output.join("Packages").join(RPM), result(&events, "build").join("RPMS").join(RPM)),
        (output.join("SRPMS").join(SRPM), result(&events, "build").join("SRPMS").join(SRPM)),
    ] {
        for file in [place, folder] {
            let meta = file.metadata().unwrap_or_else(|error| panic!("{file:?}: {error}"));
            assert_eq!(meta.permissions().mode() & 0o7777, 0o644, "{}", file.display());
            assert_eq!(
                std::os::unix::fs::MetadataExt::uid(&meta),
                rustix::process::geteuid().as_raw()
            );
        }
    }
    let sums = fs::read_to_string(output.join("SHA256SUMS")).unwrap();
    assert!(!sums.contains("evil") && !sums.contains("index.html"), "{sums}");
    ends_with(0, Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(&output));
}

/// The spec of packages that a build makes besides its own: they say that they come from the same source.
const EVIL: &str = "tr '!' '%' > %{_topdir}/evil.spec <<'END'\n\
    Name: qemu\nEpoch: 2\nVersion: 4.2.1\nRelease: %{release}\nSummary: x\nLicense: x\n\
    !description\nx\n!package -n @NAME@\nSummary: x\n@TAGS@\n!description -n @NAME@\nx\n\
    !install\nmkdir -p !{buildroot}/usr/bin\necho x > !{buildroot}/usr/bin/zz\n\
    !post -n @NAME@\ntouch /pwned\n!files -n @NAME@\n!attr(4755,root,root) /usr/bin/zz\nEND\n\
    rpmbuild -bb --define '_topdir %{_topdir}/evil' --define 'debug_package %%{nil}' \
    --target x86_64 %{_topdir}/evil.spec\n\
    mv %{_topdir}/evil/RPMS/x86_64/*.rpm %{_srcrpmdir}/\nrm -r %{_topdir}/evil";

fn evil(toy: &Toy, name: &str, tags: &str) {
    clean(toy, &EVIL.replace("@NAME@", name).replace("@TAGS@", tags));
}

#[test]
fn a_binary_package_among_the_sources_is_judged_in_full() {
    let toy = Toy::new("toy-in-srpms");
    evil(&toy, "zz", "Epoch: 99\nObsoletes: qemu < 99");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: zz-99:4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64 breaks rules of a package:
      setuid: `/usr/bin/zz` has the mode 4755
      nevra: its epoch is 99, and that of its source package 2
    help: setuid: set it in the spec's %files (`%attr`, `%defattr`)
    help: nevra: give the release a suffix behind the dist tag (`release-suffix: .vgpu1`)
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

/// The stock build does the same, so that a comparison alone would see nothing.
#[test]
fn a_package_called_debuginfo_is_compared_and_held_to_its_name() {
    let toy = Toy::new("toy-zz-debuginfo");
    let edit = "verify:\n  stock: { build: {} }\n  only-adds: [vgpu-stub]\n";
    toy.edit("toy.yaml", "verify:\n", edit);
    evil(&toy, "zz-debuginfo", "Obsoletes: qemu");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: zz-debuginfo-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64 breaks rules of a package:
      setuid: `/usr/bin/zz` has the mode 4755
      debug-package: it has `/usr/bin/zz`, which is no file for debuggers
      debug-package: it has a scriptlet, %post
      debug-package: it requires `/bin/sh`
      debug-package: it obsoletes `qemu`
    help: setuid: set it in the spec's %files (`%attr`, `%defattr`)
    help: debug-package: leave it to rpmbuild to make, or give the package another name
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    // One that keeps its promise, and that the stock build does not make.
    let toy = Toy::new("toy-quiet-debuginfo");
    toy.edit("toy.yaml", "verify:\n", edit);
    let quiet = EVIL
        .replace("!post -n @NAME@\ntouch /pwned\n", "")
        .replace("!attr(4755,root,root) /usr/bin/zz", "/usr/src/debug/zz")
        .replace("/usr/bin", "/usr/src/debug")
        .replace("@NAME@", "zz-debuginfo")
        .replace("@TAGS@", "");
    clean(&toy, &format!("case %{{release}} in *vgpu1)\n{quiet}\nesac"));
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: compared with the stock package, more changed than `verify.only-adds` has:
      package   + architecture in zz-debuginfo  x86_64
      package   + file digests in zz-debuginfo  SHA-256
      package   + format in zz-debuginfo  4
      package   + name in zz-debuginfo  zz-debuginfo
      package   + payload in zz-debuginfo  xz
      package   + tag 100 in zz-debuginfo  C
      package   + tag 1004 in zz-debuginfo  x
      package   + tag 1005 in zz-debuginfo  x
      package   + tag 1014 in zz-debuginfo  x
      package   + tag 1016 in zz-debuginfo  Unspecified
      package   + tag 1021 in zz-debuginfo  linux
      package   + tag 1048 in zz-debuginfo  16 bytes, KEY
      package   + tag 1064 in zz-debuginfo  4.18.0
      package   + tag 1122 in zz-debuginfo  -O2 -fstack-protector-strong
      package   + tag 1126 in zz-debuginfo  2
      package   + tag 1132 in zz-debuginfo  x86_64-debian-linux
      package   + tag 5062 in zz-debuginfo  utf-8
      package   + tag 5093 in zz-debuginfo  4 bytes, KEY
      package   + version in zz-debuginfo  2:4.2.1-5.2.15.2.xcpng8.3.vgpu1
      requires  + rpmlib(CompressedFileNames) <= 3.0.4-1 in zz-debuginfo
      requires  + rpmlib(FileDigests) <= 4.6.0-1 in zz-debuginfo
      requires  + rpmlib(PayloadFilesHavePrefix) <= 4.0-1 in zz-debuginfo
      requires  + rpmlib(PayloadIsXz) <= 5.2-1 in zz-debuginfo
      provides  + zz-debuginfo = (its version) in zz-debuginfo
      provides  + zz-debuginfo(x86-64) = (its version) in zz-debuginfo
    help: an edit of the spec or the environment did this; `only-adds` lists QOM types alone
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
}

#[test]
fn a_package_of_another_source_does_not_leave() {
    let toy = Toy::new("toy-other-source");
    let other = EVIL.replace("Name: qemu\n", "Name: other\n");
    clean(&toy, &other.replace("@NAME@", "zz").replace("@TAGS@", ""));
    let error = refusal(1, &mut toy.until("build"));
    assert_snapshot!(stable(&error), @"
    error: stage `build`: `zz-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm` says that it was built from `other-4.2.1-5.2.15.2.xcpng8.3.vgpu1.src.rpm`, and this build's source package is `qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.src.rpm`
    ");
}

/// The most memory that a command took, in KiB, and its end.
fn peak(command: &mut Command) -> (u64, String, Option<i32>) {
    let log = support::scratch();
    let log = log.path().join("error");
    command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let (mut most, status) = (0, format!("/proc/{}/status", child.id()));
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(kib.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    (most, fs::read_to_string(log).unwrap(), code)
}

/// Lines of every length, no line at all, and more than anybody wants.
#[test]
fn a_flood_of_output_takes_no_memory_and_has_an_end() {
    const MOST: u64 = 64 << 10;
    let long = "head -c 200000000 /dev/zero | tr '\\0' x; echo";
    let toy = Toy::new("toy-flood-passes");
    clean(&toy, long);
    let (kib, error, code) = peak(&mut toy.until("build"));
    assert!(code == Some(0) && kib < MOST, "{kib} KiB, {code:?}: {error}");
    for (name, commands, expected) in [
        (
            "toy-flood-lines",
            "yes $(head -c 1000 /dev/zero | tr '\\0' x) | head -c 400000000",
            "printed more than 268435456 bytes",
        ),
        ("toy-flood", "head -c 400000000 /dev/zero", "printed more than 268435456 bytes"),
        ("toy-flood-short", "yes | head -c 400000000", "printed more than 4194304 lines"),
    ] {
        let toy = Toy::new(name);
        clean(&toy, commands);
        let (kib, error, code) = peak(&mut toy.until("build"));
        assert!(code == Some(1) && kib < MOST, "{kib} KiB, {code:?}: {error}");
        assert_eq!(error.lines().filter(|line| line.contains(expected)).count(), 1, "{error}");
    }
}

/// The test binary comes through the same door, out of the tree that was built.
#[test]
fn a_test_binary_that_is_no_file_is_not_taken() {
    let file = "i386-softmmu/qemu-system-i386";
    let section = format!("build:\n  test-binary:\n    file: {file}\n    edits: []\n");
    for (commands, expected) in [
        ("ln -sf /etc/passwd FILE", "%build left 0 files `i386-softmmu/qemu-system-i386`"),
        ("rm FILE; mkfifo FILE", "%build left 0 files"),
        ("mv i386-softmmu real; ln -s real i386-softmmu", "%build left 0 files"),
        ("truncate -s 1T FILE", "/i386-softmmu/qemu-system-i386` has 1099511627776 bytes"),
        ("cp -r ../$(basename $PWD) ../again", "%build left 2 files"),
    ] {
        let toy = Toy::new("toy-odd-test-binary");
        toy.edit("toy.yaml", "build:\n", &section);
        let commands = commands.replace("FILE", file);
        // For the test binary alone: the packages are built of the same tree.
        let only = format!(
            "case \"$(cat /proc/$PPID/cmdline | tr '\\0' ' ')\" in *' -bc '*) {commands} ;; esac"
        );
        toy.edit("qemu.spec", "\n%install\n", &format!("\n{only}\n\n%install\n"));
        let error = refusal(1, &mut toy.until("build"));
        assert!(error.contains(expected), "{commands}: {error}");
    }
}

/// What `run` does where everything is as it should be, for the tests of swaps.
fn until(toy: &Toy, stage: &str) -> Vec<Event> {
    events(&mut toy.until(stage))
}

#[test]
fn the_door_costs_a_good_build_nothing() {
    let toy = Toy::new("toy-door");
    let events = until(&toy, "build");
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let built = result(&events, "build");
    assert!(names(&built.join("RPMS")).contains(&RPM.to_owned()));
    assert_eq!(names(&built.join("SRPMS")), [SRPM]);
    assert!(ran(&until(&toy, "build")).is_empty());
    ends_with(0, program().arg("verify").arg(built.join("SRPMS").join(SRPM)));
}
