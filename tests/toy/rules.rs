// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules for packages: each is broken once by a real package, and says what its table in the
//! documents has; and whatever is not a sound package is one clear error.

mod attacks;
mod builder;
mod debug;
mod format;
mod mutation;

use crate::support::{ends_with, program, root, scratch};
use builder::{FILE, Recipe, build, of_format_6, plain};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A row of the table of rules.
struct Row {
    rule: String,
    level: String,
    message: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("pipeline/docs/verify.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| rule | level |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [rule, level, _, _, message] = cells[..] else { panic!("{line}") };
            let rule = rule.trim_matches('`').to_owned();
            Row { rule, level: level.to_owned(), message: message.to_owned() }
        })
        .collect()
}

/// A program that gcc and ld make as they are told.
fn compiled(flags: &str) -> String {
    format!(
        "mkdir -p %{{buildroot}}/usr/bin\n\
         echo 'int main(int n, char **v) {{ char b[64]; __builtin_strcpy(b, v[0]); return b[n]; }}' | \
         cc -x c - -O2 -fstack-protector-all {flags} -o %{{buildroot}}/usr/bin/ruled"
    )
}

/// A package that breaks a rule, and how `verify` is to be called for it.
fn broken(rule: &str, folder: &Path) -> (PathBuf, Vec<String>) {
    let make = |recipe: Recipe| build(folder, &recipe);
    let none = Recipe::default;
    let tagged = |tags| make(Recipe { tags, ..none() });
    let defined = |define: &str| make(Recipe { define: &[define], ..none() });
    let file = |path: &str, attributes: &str| {
        let install =
            format!("mkdir -p %{{buildroot}}$(dirname {path})\ncp $file %{{buildroot}}{path}");
        make(Recipe { install: &install, files: &format!("{attributes} {path}"), ..none() })
    };
    let binary =
        |flags: &str| make(Recipe { install: &compiled(flags), files: "/usr/bin/ruled", ..none() });
    let mut args = vec!["--target=el7".to_owned()];
    let package = match rule {
        "digests" => {
            let mut bytes = plain(folder);
            let payload = bytes.payload();
            bytes.replace(payload, b"there to be judged", b"THERE to be judged").write(folder)
        }
        "payload" => {
            let mut bytes = plain(folder);
            let payload = bytes.payload();
            let path = format!(".{FILE}");
            bytes.replace(payload, path.as_bytes(), b"./usr/../../etc/passwd");
            bytes.fix().write(folder)
        }
        "signature" => {
            args.push(format!("--key={}", root().join("tests/fixtures/stranger.asc").display()));
            make(none())
        }
        "package-format" => of_format_6(folder),
        "debug-package" => make(Recipe { name: "ruled-debuginfo", ..none() }),
        "rpmlib-features" => make(Recipe { version: "1^2", ..none() }),
        "rich-dependencies" => tagged("Requires: (this or that)"),
        "user-group-requires" => tagged("Requires: user(qemu)"),
        "glibc" => binary(""),
        "payload-compressor" => defined("_binary_payload w3.zstdio"),
        "signature-header" => defined("__gpg_reserved_space 9000"),
        "md5-digest" => {
            let mut bytes = plain(folder);
            let signature = bytes.signature();
            bytes.hide(&signature, 1004, 1012).write(folder)
        }
        "payload-digest" => {
            args = vec!["--target=el8".to_owned()];
            let mut bytes = plain(folder);
            let header = bytes.header();
            bytes.hide(&header, 5092, 5999).fix().write(folder)
        }
        "file-digests" => defined("_binary_filedigest_algorithm 1"),
        "file-triggers" => make(Recipe { more: "%filetriggerin -- /usr/lib\n:\n", ..none() }),
        "build-id-links" => {
            let install = "mkdir -p %{buildroot}/usr/lib/.build-id/ab\n\
                           ln -s ../../../share/ruled/file %{buildroot}/usr/lib/.build-id/ab/cd";
            make(Recipe { install, files: "/usr/lib/.build-id/ab/cd", ..none() })
        }
        "setuid" => file("/usr/bin/helper", "%attr(4755, root, root)"),
        "world-writable" => file("/usr/share/ruled/open", "%attr(0666, root, root)"),
        "ownership" => file("/usr/share/ruled/foreign", "%attr(0644, nobody, nogroup)"),
        "paths" => file("/srv/ruled", ""),
        "file-conflicts" => {
            let list = folder.join("installed");
            fs::write(&list, format!("other 100644 {FILE}\nother 40755 /usr/share\n")).unwrap();
            args.push(format!("--installed={}", list.display()));
            make(none())
        }
        "unread-program" => {
            let spoilt =
                "printf '\\002' | dd of=%{buildroot}/usr/bin/ruled bs=1 seek=5 conv=notrunc";
            let install = format!("{}\n{spoilt}", compiled(""));
            make(Recipe { install: &install, files: "/usr/bin/ruled", ..none() })
        }
        "interpreter" => binary("-Wl,--dynamic-linker=/opt/ld.so"),
        "rpath" => binary("-Wl,-rpath,/opt/lib"),
        "executable-stack" => binary("-Wl,-z,execstack"),
        "hardening" => binary("-no-pie -fno-stack-protector -Wl,-z,norelro,-z,lazy"),
        _ => panic!("no package breaks `{rule}`"),
    };
    if ["unread-program", "interpreter", "rpath", "executable-stack", "hardening"].contains(&rule) {
        args.clear();
    }
    (package, args)
}

/// The order of versions needs a stock package, which only a pipeline has: a unit test breaks `nevra`.
#[test]
fn every_rule_is_broken_by_a_package_and_says_what_its_table_has() {
    let rows = rows();
    assert!(rows.len() > 20, "the table of rules in verify.md has {} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.rule != "nevra") {
        let folder = scratch();
        let (package, args) = broken(&row.rule, folder.path());
        let output = program().arg("verify").arg(package).args(args).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let (word, code) = if row.level == "require" { ("broken", 1) } else { ("warning", 0) };
        let line = format!("{word} {}: {}", row.rule, row.message);
        if !said.lines().any(|found| found == line) || output.status.code() != Some(code) {
            let error = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("expected {code}, {line}\n{}, {said}{error}", output.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_package_that_breaks_nothing_is_told_as_it_is() {
    let folder = scratch();
    let package = build(folder.path(), &Recipe::default());
    let verify = |target: &str| {
        let mut verify = program();
        verify.arg("verify").arg(&package).args(["--target", target]);
        let said = String::from_utf8(ends_with(0, &mut verify).stdout).unwrap();
        // The last line is the time that it took.
        said.lines().filter(|line| !line.starts_with("read ")).collect::<Vec<_>>().join("\n")
    };
    for target in ["el7", "el8", "el9"] {
        let said = verify(target);
        let [first, digests] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
        assert!(first.starts_with("ruled-2:1-1.x86_64: 1 files in "), "{said}");
        assert!(first.ends_with(" bytes of gzip"), "{said}");
        let all = "md5, header-sha1, header-sha256, payload-sha256, unpacked-sha256";
        assert_eq!(digests, format!("  digests     {all}"));
    }
}

/// Everything that a package says, as rpm says it too.
#[test]
fn the_facts_of_a_package_are_those_that_rpm_has() {
    let folder = scratch();
    let recipe = Recipe {
        tags: "Requires: this >= 1\nProvides: that = 2:3-4\nConflicts: other < 5\nRequires(pre): sh",
        install: "ln $file %{buildroot}/usr/share/ruled/hard\nln -s file %{buildroot}/usr/share/ruled/soft",
        files: "%config(noreplace) /usr/share/ruled/hard\n/usr/share/ruled/soft\n%ghost /etc/ruled",
        more: "%post -p /bin/bash\necho post\n%triggerin -- other > 1\necho trigger\n\
               %changelog\n* Tue Dec 16 2025 Somebody <a@b> - 1-1\n- Begin\n",
        ..Recipe::default()
    };
    let package = build(folder.path(), &recipe);
    let said = ends_with(0, program().arg("verify").arg(&package).arg("--json")).stdout;
    let facts: serde_json::Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(facts["kind"], "package");
    let lines = |query: &[&str]| -> Vec<String> {
        let output = ends_with(0, Command::new("rpm").arg("-qp").args(query).arg(&package)).stdout;
        String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
    };
    let listed = |name: &str| -> Vec<String> {
        let list = facts[name].as_array().unwrap().iter();
        list.map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    for name in ["provides", "requires", "conflicts", "obsoletes"] {
        assert_eq!(listed(name), lines(&[&format!("--{name}")]), "{name}");
    }
    let format = "[%{FILENAMES} %{FILESIZES} %{FILEMODES} %{FILEUSERNAME} %{FILELINKTOS}\\n]";
    let files = facts["files"].as_array().unwrap().iter().map(|file| {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let [size, mode] = ["size", "mode"].map(|name| file[name].to_string());
        format!("{} {size} {mode} {} {}", text("path"), text("user"), text("link"))
    });
    assert_eq!(files.collect::<Vec<_>>(), lines(&["--qf", format]));
    assert_eq!(facts["changelog"][0]["text"], "- Begin");
    assert_eq!(facts["scriptlets"][0]["interpreter"][0], "/bin/bash");
    assert_eq!(facts["scriptlets"][0]["text"], "echo post");
    assert_eq!(facts["triggers"][0]["on"][0], "in other > 1");
    assert_eq!(facts["files"][0]["path"], "/etc/ruled");
    assert_eq!(facts["findings"], serde_json::json!([]));
    assert_eq!(facts["faults"], serde_json::json!([]));
}

/// Sizes, colours, inodes and flags are as the real rpmbuild writes them, wherever a name of a file is.
#[test]
fn what_rpmbuild_makes_of_links_ghosts_and_programs_is_sound() {
    let folder = scratch();
    let install = "cd %{buildroot}/usr/share/ruled; mkdir ../other; ln file hard; ln file ../hard\n\
                   : > empty; ln empty void; ln -s file soft; echo half > half; ln half ../other/left\n\
                   cp /bin/true %{buildroot}/usr/share/ruled/idle; cp -p /bin/true run; cp -p run gone\n\
                   gzip -nc run > packed; echo ghost > ghost; ln ghost spirit";
    let files = "%dir /usr/share/ruled\n/usr/share/hard\n/usr/share/ruled/[hesvp]*\n/usr/share/ruled/run\n\
                 %attr(0644, root, root) /usr/share/ruled/idle\n%ghost /usr/share/ruled/g*\n\
                 %exclude /usr/share/other";
    let plain = "__os_install_post %{nil}";
    for payload in ["w.ufdio", "w6.xzdio"] {
        let payload = format!("_binary_payload {payload}");
        let define = [&*payload, plain, "_build_id_links none"];
        let recipe = Recipe { install, files, define: &define, ..Recipe::default() };
        let package = build(folder.path(), &recipe);
        let said = ends_with(0, program().arg("verify").arg(&package).arg("--json")).stdout;
        let facts: serde_json::Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(facts["faults"], serde_json::json!([]));
        let files = facts["files"].as_array().unwrap();
        let coloured: Vec<&str> = files
            .iter()
            .filter(|file| file["colour"] != 0)
            .map(|file| file["path"].as_str().unwrap())
            .collect();
        let expected = ["/usr/share/ruled/gone", "/usr/share/ruled/run"];
        assert_eq!(coloured, expected);
        assert_eq!(files.len(), 14);
    }
}
