// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages that call themselves `…-debuginfo`: the name alone excuses nothing.

use super::builder::{Recipe, build};
use crate::support::{ends_with, program, scratch, stable};
use insta::assert_snapshot;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that is said of the rule.
fn said(folder: &Path, recipe: &Recipe) -> String {
    let package = build(folder, recipe);
    let output = program().arg("verify").arg(package).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn whatever_a_name_does_not_promise_is_refused() {
    let folder = scratch();
    let install = "mkdir -p %{buildroot}/usr/lib/debug/bin\nprintf '\\177ELF' > %{buildroot}/usr/lib/debug/bin/x";
    let recipe = Recipe {
        name: "zz-debuginfo",
        tags: "Obsoletes: qemu\nConflicts: qemu-img\nProvides: qemu = 99\nRequires: evil\n\
               Recommends: more",
        install,
        files: "/usr/lib/debug/bin",
        more: "%post\n:\n%preun\n:\n%triggerin -- bash\n:\n",
        ..Recipe::default()
    };
    let said = said(folder.path(), &recipe);
    for expected in [
        "it has `/usr/share/ruled/file`, which is no file for debuggers",
        "it has a scriptlet, %post",
        "it has a scriptlet, %preun",
        "it has a package trigger on `in bash`",
        "it provides `qemu = 99`",
        "it requires `evil`",
        "it requires `recommends more`",
        "it conflicts with `qemu-img`",
        "it obsoletes `qemu`",
    ] {
        let line = format!("broken debug-package: {expected}");
        assert!(said.lines().any(|found| found == line), "no `{line}` in\n{said}");
    }
    assert_snapshot!(stable(&said), @"
    zz-debuginfo-2:1-1.x86_64: 3 files in SIZE bytes of gzip
      digests     md5, header-sha1, header-sha256, payload-sha256, unpacked-sha256
    broken debug-package: it has `/usr/share/ruled/file`, which is no file for debuggers
    broken debug-package: it has a scriptlet, %post
    broken debug-package: it has a scriptlet, %preun
    broken debug-package: it has a package trigger on `in bash`
    broken debug-package: it provides `qemu = 99`
    broken debug-package: it requires `/bin/sh`
    broken debug-package: it requires `evil`
    broken debug-package: it requires `recommends more`
    broken debug-package: it conflicts with `qemu-img`
    broken debug-package: it obsoletes `qemu`
    help: leave it to rpmbuild to make, or give the package another name
    read TIME, census TIME, rules TIME
    ");
}

#[test]
fn a_setuid_file_and_another_name_are_judged_as_everywhere() {
    let folder = scratch();
    let recipe = Recipe {
        name: "zz-debugsource",
        install: "mkdir -p %{buildroot}/usr/src/debug\ncp $file %{buildroot}/usr/src/debug/x",
        files: "%attr(4755, root, root) /usr/src/debug/x",
        ..Recipe::default()
    };
    let text = said(folder.path(), &recipe);
    assert!(text.contains("broken setuid: `/usr/src/debug/x` has the mode 4755"), "{text}");
    let recipe = Recipe { name: "debuginfo-zz", tags: "Obsoletes: qemu", ..Recipe::default() };
    assert!(!said(folder.path(), &recipe).contains("debug-package"));
}

/// What lies among the symbols, by real packages.
#[test]
fn what_is_no_plain_file_among_symbols_is_refused() {
    let folder = scratch();
    let mut wrong = Vec::new();
    for (path, install, attributes) in [
        ("usr/bin/x.debug-gdb.py", "cp $file $path", ""),
        (".git/config", "cp $file $path", ""),
        (".gdbinit", "cp $file $path", ""),
        ("closed", "mkdir -p $path", "%dir %attr(0700, root, root)"),
        ("open", "mkdir -p $path", "%dir %attr(2755, root, root)"),
        ("away", "ln -s ../../../etc $path", ""),
        (".build-id/ab", "ln -s /etc $path", ""),
        (".build-id/ab/evil", "cp $file $path", ""),
        ("x.debug", "ln -s /usr/bin/x.debug $path", ""),
        ("pipe", "mkfifo $path", ""),
    ] {
        let path = format!("/usr/lib/debug/{path}");
        let install = format!("path=%{{buildroot}}{path}\nmkdir -p ${{path%%/*}}\n{install}");
        let recipe = Recipe {
            name: "zz-debuginfo",
            install: &install,
            files: &format!("{attributes} {path}"),
            ..Recipe::default()
        };
        let said = said(folder.path(), &recipe);
        let line = format!(
            "broken debug-package: `{path}` is no plain file of symbols or sources, or no open folder"
        );
        if !said.lines().any(|found| found == line) {
            wrong.push(format!("no `{line}` in\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is inside of the files: a script in a section, a program in the place of symbols, another format.
#[test]
fn what_gdb_would_run_and_what_is_no_symbols_is_refused() {
    let folder = scratch();
    let script = "echo 'asm(\".pushsection .debug_gdb_scripts, \\\"MS\\\", @progbits, 1; .byte 4; \
                  .asciz \\\"x\\\"; .popsection\"); int main(void) { return 0; }' | cc -x c - -g -o p";
    let plain = "echo 'int main(void) { return 0; }' | cc -x c - -g -o p";
    let loaded = script.replace("MS", "aMS");
    let symbols = "objcopy --only-keep-debug p $path";
    let path = "/usr/lib/debug/usr/bin/p.debug";
    let within = |name: &str, path: &str, make: &[&str]| {
        let install =
            format!("path=%{{buildroot}}{path}\nmkdir -p ${{path%%/*}}\n{}", make.join("\n"));
        said(folder.path(), &Recipe { name, install: &install, files: path, ..Recipe::default() })
    };
    let line =
        |path: &str, what: &str| format!("broken debug-package: {}", what.replace('@', path));
    let inside = "gdb runs a script that is in `@` (.debug_gdb_scripts)";
    let mode = "chmod 644 $path";
    for (name, path, make, what) in [
        ("zz-debuginfo", path, &[script, symbols, mode][..], Some(inside)),
        ("zz", path, &[script, symbols, mode], Some(inside)),
        // One that is loaded is not stripped.
        ("zz", "/usr/bin/p", &[&loaded, "cp p $path"], Some(inside)),
        (
            "zz-debuginfo",
            path,
            &[plain, "cp p $path", mode],
            Some("`@` is a program, and no file of symbols"),
        ),
        ("zz-debuginfo", path, &["cp $file $path"], Some("`@` is no ELF file, as symbols are")),
        ("zz-debuginfo", path, &[plain, symbols, mode], None),
    ] {
        let said = within(name, path, make);
        match what {
            Some(what) => {
                let line = line(path, what);
                assert!(said.lines().any(|found| found == line), "no `{line}` in\n{said}");
            }
            None => assert!(!said.contains("p.debug"), "{said}"),
        }
        // Symbols are no program that cannot be read, where they lie apart and nobody starts them.
        assert!(!said.contains("unread-program"), "{said}");
    }
    for (path, make) in
        [("/usr/bin/p", &[plain, symbols, mode][..]), (path, &[plain, symbols, "chmod 755 $path"])]
    {
        let said = within("zz", path, make);
        let line = format!(
            "broken unread-program: `{path}` can be started, and not be read: the ELF file holds symbols \
             for a debugger, and no program"
        );
        assert!(said.lines().any(|found| found == line), "no `{line}` in\n{said}");
    }
}

/// A program with its symbols, as rpmbuild itself packs both: `change` makes another one of it.
fn with_symbols(folder: &Path, change: &str) -> [PathBuf; 2] {
    let top = folder.join(if change.is_empty() { "one" } else { "other" });
    fs::create_dir(&top).unwrap();
    // As before rpm 4.14: the symbols of a link to a program are a link, too.
    let spec = format!(
        "%undefine _unique_debug_names\nName: ruled\nVersion: 1\nRelease: 1\nSummary: A test\nLicense: MIT\n\
         %description\nA test.\n%prep\n%setup -q -T -c\n%build\n\
         echo 'int main(int n, char **v) {{ return n{change}; }}' > a.c\n\
         cc -g -O2 -fPIE -pie -fstack-protector-all -Wl,-z,relro,-z,now,--build-id -o ruled a.c\n\
         %install\nmkdir -p %{{buildroot}}/usr/bin\ncp ruled %{{buildroot}}/usr/bin/ruled\n\
         ln -s ruled %{{buildroot}}/usr/bin/also\n%debug_package\n%files\n/usr/bin/*\n"
    );
    fs::write(top.join("p.spec"), spec).unwrap();
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.args(["-bb", "--quiet", "--target", "x86_64", "--define", "_enable_debug_packages 1"]);
    rpmbuild.args(["--define", &format!("_topdir {}", top.display())]);
    ends_with(0, rpmbuild.arg(top.join("p.spec")));
    ["ruled", "ruled-debuginfo"].map(|name| top.join(format!("RPMS/x86_64/{name}-1-1.x86_64.rpm")))
}

#[test]
fn what_rpmbuild_itself_packs_for_debuggers_keeps_its_promise_and_is_not_compared() {
    let folder = scratch();
    let (one, other) = (with_symbols(folder.path(), ""), with_symbols(folder.path(), " + 1"));
    let listed = ends_with(0, Command::new("rpm").arg("-qpl").args(&one)).stdout;
    let listed = String::from_utf8(listed).unwrap();
    for path in
        ["/usr/lib/.build-id/", "/usr/lib/debug/.build-id/", "/usr/lib/debug/usr/bin/also.debug"]
    {
        assert!(listed.contains(path), "no `{path}` in\n{listed}");
    }
    for (old, new) in one.iter().zip(&other) {
        let mut verify = program();
        let said = ends_with(0, verify.arg("verify").arg(new).arg("--against").arg(old)).stdout;
        let said = String::from_utf8(said).unwrap();
        assert!(!said.contains("debug-package"), "{said}");
        let changes: Vec<&str> = said
            .lines()
            .filter(|line| line.contains(" + ") || line.contains(" - ") || line.contains(" ~ "))
            .collect();
        // A program differs, and nothing of its symbols does.
        let expected = usize::from(!new.to_string_lossy().contains("debuginfo"));
        assert_eq!(changes.len(), expected, "{said}");
        assert!(
            changes.iter().all(|line| line.starts_with("binary    ~ /usr/bin/ruled")),
            "{said}"
        );
    }
}
