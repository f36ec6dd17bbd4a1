// SPDX-License-Identifier: GPL-2.0-or-later
//! `release-suffix`, with whatever ends the value of a Release.

use super::*;

fn release(head: &str, value: &str) -> String {
    format!("{head}Name: a\nRelease: {value}\n%prep\n")
}

fn gives(head: &str, value: &str, expected: &str) {
    let spec = release(head, value);
    changes(
        &spec,
        suffix(".vgpu1"),
        &[&format!("-Release: {value}\n"), &format!("+Release: {expected}\n")],
    );
}

#[test]
fn the_suffix_stands_behind_all_of_the_release() {
    for value in [
        "1%{?dist}",
        "1%{dist}",
        "1%dist",
        "1%?dist",
        "%autorelease",
        "%{autorelease}",
        "%{autorelease -e asan}",
        "%{?foo:1}%{?dist}",
        "%{!?foo:1%{?dist}}",
        "%{expand:1%%{?dist}}",
        "%(echo 1)%{?dist}",
        "1%[1+1]%{?dist}",
        "1%%x",
        "%{lua:print(1)}%{?dist}",
    ] {
        gives("", value, &format!("{value}.vgpu1"));
    }
}

#[test]
fn arguments_are_kept_apart_from_the_suffix() {
    gives("", "%autorelease -e asan", "%{autorelease -e asan}.vgpu1");
    gives("", "%autorelease -p -e %{?asan:asan}", "%{autorelease -p -e %{?asan:asan}}.vgpu1");
    gives("", "0.%release_func 3", "0.%{release_func 3}.vgpu1");
    gives("%define release_func() %1%{?dist}\n", "%release_func 3", "%{release_func 3}.vgpu1");
    gives(
        "%define release_func() \\\n%1%{?dist}\\\n%{nil}\n",
        "%release_func\t3",
        "%{release_func\t3}.vgpu1",
    );
    satisfied(&release("", "%{autorelease -e asan}.vgpu1"), &[suffix(".vgpu1")]);
    // The suffix among the arguments is not the suffix of the Release.
    gives("", "%autorelease -e asan.vgpu1", "%{autorelease -e asan.vgpu1}.vgpu1");
}

#[test]
fn a_release_that_goes_on_behind_its_value_is_refused() {
    for (head, value) in [
        ("", "%{?foo:1}%{?dist} # comment"),
        ("", "1%{?dist} # .vgpu1"),
        ("", "1 %{?dist}"),
        ("", "1%{?dist}%dnl note"),
        ("", "1%{?dist}%{dnl note}"),
        ("", "1%global x 2"),
        ("", "%{rel}%undefine rel"),
        ("", "1%{lua:print(\"\\n\")}"),
        ("", "1%"),
        ("", "%(echo 1)"),
        ("", "1%[1+1]"),
        ("", "1%{?dist}%(echo '#')"),
        ("", "1%{?dist}%*"),
        ("", "%{?dist 3}x y"),
        ("", "%autorelease # auto"),
        ("", "%autorelease -e {a"),
        ("", "%?autorelease -e a"),
        ("%define rel 3\n", "%rel # three"),
        ("%define rel 3 4\n", "%{rel}"),
        ("%global rel 3\n", "%rel 4"),
    ] {
        let problem = refused(&release(head, value), &[suffix(".vgpu1")]);
        assert!(problem.contains(&format!(": Release: {value}\n")), "{problem}");
    }
}

#[test]
fn a_release_that_is_there_only_perhaps_is_refused() {
    let spec = "%if 0\nRelease: 1\n%endif\n%{expand:Release: 2}\n%prep\n";
    assert!(refused(spec, &[suffix(".a")]).contains("a macro makes a `Release` tag too"));
    let spec = "%if 0%{?x}\nRelease: 1\n%endif\n%prep\n";
    assert!(refused(spec, &[suffix(".a")]).contains("hangs on a condition"));
    assert!(refused("%{?x:Release: 2}\n%prep\n", &[suffix(".a")]).contains("no `Release` tag"));
}
