// SPDX-License-Identifier: GPL-2.0-or-later
//! What is kept, and what a change makes run again.

use crate::support::{
    self, Toy, ends_with, events, from, kept, program, ran, scratch, stable, workstation,
};
use crate::support::{result, rewritten};
use insta::assert_snapshot;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn a_second_run_is_all_cached_and_starts_no_process() {
    let published = workstation();
    let trace = scratch();
    let trace = trace.path().join("trace");
    let mut traced = Command::new("strace");
    traced
        .args(["--follow-forks", "--trace=execve,execveat", "--output"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_vgpu-pipeline"))
        .args(["run", "pipeline/workstation.yaml", "--output"])
        .arg(&published.repository)
        .current_dir(support::root())
        .env("VGPU_PIPELINE_STORE", kept("store"))
        .env("XDG_DATA_HOME", kept("data"));
    let events = events(&mut traced);
    assert!(ran(&events).is_empty(), "{events:#?}");
    let trace = fs::read_to_string(trace).unwrap();
    let started: Vec<&str> = trace.lines().filter(|line| line.contains("exec")).collect();
    assert_eq!(started.len(), 1, "only the program itself: {started:#?}");
}

#[test]
fn one_byte_of_the_device_runs_what_depends_on_it_and_nothing_else() {
    let toy = Toy::new("toy-one-byte");
    events(&mut toy.run());
    let path = toy.path("vgpu-stub.c");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "\n").unwrap();
    let events = events(&mut toy.run());
    assert_eq!(ran(&events), from(&events, "inject", &[]));
}

#[test]
fn what_was_deleted_or_edited_in_the_output_comes_back_without_work() {
    let toy = Toy::new("toy-output");
    events(&mut toy.run());
    let repomd = toy.output().join("repodata/repomd.xml");
    let sums = toy.output().join("SHA256SUMS");
    let before = fs::read(&repomd).unwrap();
    fs::write(&repomd, "edited").unwrap();
    fs::remove_file(&sums).unwrap();
    let events = events(&mut toy.run());
    assert!(ran(&events).is_empty(), "{events:#?}");
    assert!(rewritten(&events));
    assert_eq!(fs::read(&repomd).unwrap(), before);
    assert!(sums.exists());
}

#[test]
fn a_damaged_result_is_dropped_and_made_again_when_it_is_needed() {
    let toy = Toy::new("toy-damaged");
    let first = events(&mut toy.run());
    let file = result(&first, "source").join("files/SOURCES/qemu-4.2.1.tar.gz");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[1..]).unwrap();
    // Nothing reads the sources while everything is cached; a changed spec does.
    assert!(ran(&events(&mut toy.run())).is_empty());
    toy.edit("qemu.spec", "Stand-in for tests", "Stand-in for tests, changed");
    let again = events(&mut toy.run());
    assert_eq!(ran(&again), from(&again, "source", &["environment"]));
    assert_eq!(fs::read(&file).unwrap(), whole);
}

#[test]
fn a_reader_sees_the_old_repository_or_the_new_one() {
    let toy = Toy::new("toy-switch");
    events(&mut toy.run());
    let index = toy.output().join("repodata/repomd.xml");
    let old = fs::read(&index).unwrap();
    fs::write(toy.path("vgpu-stub.c"), fs::read_to_string(toy.path("vgpu-stub.c")).unwrap() + "\n")
        .unwrap();
    let mut child = toy.run().stderr(Stdio::null()).spawn().unwrap();
    let mut seen = vec![old.clone()];
    while child.try_wait().unwrap().is_none() {
        let now = fs::read(&index).expect("an index is there at every moment");
        if *seen.last().unwrap() != now {
            seen.push(now);
        }
    }
    assert!(child.wait().unwrap().success());
    let new = fs::read(&index).unwrap();
    assert_ne!(old, new);
    assert!(seen == [old.clone(), new.clone()] || seen == [old], "{} states were seen", seen.len());
}

#[test]
fn two_first_runs_at_once_agree_on_one_development_key() {
    let toy = Toy::new("toy-first-runs");
    let data = scratch();
    let outputs = ["one", "other"].map(|name| toy.path(name));
    let children = outputs.clone().map(|output| {
        let mut run = program();
        run.arg("run").arg(toy.path("toy.yaml")).arg("--output").arg(output);
        run.env("XDG_DATA_HOME", data.path()).stderr(Stdio::null()).spawn().unwrap()
    });
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let [one, other] = outputs.map(|output| fs::read(output.join("SHA256SUMS")).unwrap());
    assert_eq!(one, other);
}

#[test]
fn plan_shows_what_is_cached_and_the_edited_spec() {
    workstation();
    let said = ends_with(0, program().args(["plan", "pipeline/workstation.yaml", "--diff"])).stdout;
    let said = String::from_utf8(said).unwrap();
    assert_snapshot!(stable(&said), @r#"
    pipeline `workstation`
      source       cached  KEY  in the store
      environment  cached  KEY  in the store
      inject       cached  KEY  in the store
      stock        cached  KEY  in the store
      build        cached  KEY  in the store
      dom0         cached  KEY  in the store
      verify       cached  KEY  in the store
      sign         cached  KEY  in the store
      publish      cached  KEY  in the store
    edits of the spec
      add-source vgpu-stub.c as Source2: applied
      insert-after `grep -qxF '%{version}' VERSION`: device vgpu-stub from Source2 to hw/misc/vgpu-stub.c: applied
      release-suffix .vgpu1: applied
      provide qemu-device(vgpu-stub) = 1: applied
    --- as it stands
    +++ as it is built
    @@ -7,13 +7,14 @@

     Name:           qemu
     Version:        7.2.22
    -Release:        1%{?dist}
    +Release:        1%{?dist}.vgpu1
     Summary:        QEMU, the machine emulator, for x86 guests

     License:        GPL-2.0-only AND GPL-2.0-or-later AND LGPL-2.1-or-later AND BSD-2-Clause AND BSD-3-Clause AND MIT
     URL:            https://www.qemu.org/
     Source0:        qemu_7.2+dfsg.orig.tar.xz
     Source1:        qemu_%{debian_version}.debian.tar.xz
    +Source2:        vgpu-stub.c

     ExclusiveArch:  x86_64

    @@ -26,6 +27,7 @@
     BuildRequires:  libfdt-dev
     BuildRequires:  pkgconfig(pixman-1)
     BuildRequires:  pkgconfig(zlib)
    +Provides:       qemu-device(vgpu-stub) = 1

     %description
     QEMU is a machine emulator. This package holds the system emulator for x86
    @@ -39,6 +41,22 @@
         patch -s -p1 -F0 -E -t --no-backup-if-mismatch -i "debian/patches/$name"
     done
     grep -qxF '%{version}' VERSION
    +# the device vgpu-stub: copied in, and registered the way this tree registers its own
    +if [ -e hw/misc/vgpu-stub.c ]; then
    +  echo "vgpu-stub: this tree has a hw/misc/vgpu-stub.c of its own" >&2
    +  exit 1
    +fi
    +cp -p "%{SOURCE2}" hw/misc/vgpu-stub.c
    +if [ -f hw/misc/Makefile.objs ]; then
    +  printf '\ncommon-obj-$(CONFIG_PCI) += vgpu-stub.o\n' >> hw/misc/Makefile.objs
    +elif qemu_ss=$(sed -n -e '/^softmmu_ss[.]add(/{s/[.].*//p;q;}' \
    +    -e '/^system_ss[.]add(/{s/[.].*//p;q;}' hw/misc/meson.build | grep .); then
    +  printf "\n$qemu_ss.add(when: 'CONFIG_PCI', if_true: files('vgpu-stub.c'))\n" >> hw/misc/meson.build
    +else
    +  echo "vgpu-stub: hw/misc has no Makefile.objs, and no meson.build that" \
    +    "adds to softmmu_ss or system_ss; the device cannot be registered" >&2
    +  exit 1
    +fi

     %build
     cat >configs/devices/x86_64-softmmu/pc.mak <<'END'
    "#);
}

/// The stages that read each one's result, by the composition of the run. All tests share the
/// environment, and so it is left alone.
const READERS: [(&str, &[&str]); 6] = [
    ("source", &["inject", "stock", "build", "verify", "publish"]),
    ("inject", &["build", "verify", "publish"]),
    ("stock", &["build", "verify"]),
    ("build", &["verify", "sign"]),
    ("dom0", &["verify", "sign", "publish"]),
    ("sign", &["publish"]),
];

/// A log is for people.
fn is_read_by_none(file: &Path) -> bool {
    file.ends_with("build.log")
}

/// Of each result the file that comes next; with `VGPU_DAMAGE=all` every one, before every stage that
/// reads it.
#[test]
fn a_damaged_file_is_noticed_by_every_stage_that_reads_it() {
    let all = std::env::var("VGPU_DAMAGE").is_ok_and(|it| it == "all");
    let toy = Toy::with_stock("toy-each-damage");
    let own = support::root().join("wrapper/sample/qemu-wrapper");
    fs::copy(own, toy.path("wrapper")).unwrap();
    let sha256 = support::sha256(&toy.path("wrapper"));
    let section = format!(
        "wrapper:\n  vendor: {{ path: {{ file: wrapper, sha256: {sha256} }} }}\n\nverify:\n"
    );
    toy.with_settings().edit("toy.yaml", "verify:\n", &section);
    let first = events(&mut toy.run());
    let sums = || fs::read(toy.output().join("SHA256SUMS")).unwrap();
    let (before, mut count) = (sums(), 0);
    for (stage, readers) in READERS {
        let files = result(&first, stage).join("files");
        let mut found: Vec<PathBuf> = every_file(&files);
        found.retain(|file| !is_read_by_none(file));
        found.sort();
        assert!(!found.is_empty(), "{stage}");
        for (number, reader) in readers.iter().enumerate() {
            let mut damage: Vec<&PathBuf> = found.iter().collect();
            if !all {
                damage = vec![found.iter().cycle().nth(number).unwrap()];
            }
            for file in damage {
                let whole = fs::read(file).unwrap();
                fs::write(file, [&whole[..whole.len() / 2], b"damage"].concat()).unwrap();
                for later in from(&first, reader, &[]) {
                    fs::remove_dir_all(result(&first, later)).unwrap();
                }
                let again = events(&mut toy.run());
                let case = format!("{} before {reader}", file.display());
                assert!(ran(&again).contains(&stage), "{case}: {again:#?}");
                assert_eq!(fs::read(file).unwrap(), whole, "{case}");
                assert_eq!(sums(), before, "{case}");
                count += 1;
            }
        }
    }
    println!("{count} damaged files");
}

fn every_file(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|it| it.is_dir());
    files.extend(folders.iter().flat_map(|folder| every_file(folder)));
    files
}
