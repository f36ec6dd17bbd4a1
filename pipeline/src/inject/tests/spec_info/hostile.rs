// SPDX-License-Identifier: GPL-2.0-or-later
//! Specs against their reader: bounded work, and never a panic.

use super::*;

#[test]
fn no_macro_goes_on_without_end() {
    let deep = "leads too deep, as if it were defined by itself";
    is_refused("%define rel %{rel}", "%{rel}", &format!("`%{{rel}}` {deep}"));
    is_refused(
        "%define one 1%{two}\n%define two %{one}%{one}",
        "%{one}",
        &format!("`%{{one}}` {deep}"),
    );
    is_refused("%define one %{?one}", "%{one}", &format!("`%{{?one}}` {deep}"));
    let chain: Vec<String> = (0..100).map(|n| format!("%global m{n} ")).collect();
    for macro_ in ["%{?m0}", "%{?m99}"] {
        assert!(refusal(&with(&chain.concat(), macro_)).contains(deep));
    }
    let nested = format!("{}1{}", "%{?dist:".repeat(100), "}".repeat(100));
    assert!(refusal(&with("", &nested)).contains(deep));

    let bomb = |keyword: &str| -> String {
        let double = |n: u32| format!("%{keyword} m{} %{{m{n}}}%{{m{n}}}\n", n + 1);
        format!("%{keyword} m0 0123456789\n{}", (0..60).map(double).collect::<String>())
    };
    for keyword in ["define", "global"] {
        let problem = refusal(&with(&bomb(keyword), "%{m60}"));
        assert!(problem.contains("makes more text than a spec should need"), "{problem}");
    }
    gives(&bomb("define"), "1", "1");
}

/// What a spec must not be able to turn against its reader.
const PIECES: [&str; 30] = [
    "%{",
    "%(",
    "%[",
    "%",
    "%{?",
    "%{!?a:",
    "{",
    "}",
    "\\",
    "\\\n",
    "%{\n",
    "%define a {",
    "%define a {\n",
    "%define a %{\n",
    "%define a \\%define b {\\\n",
    "%global a %{dist}%{a}\n",
    "%global a %global ",
    "%define",
    "%undefine a%",
    "%{!?a:%define a 1}",
    "%{?dist}",
    "%{dist:",
    "%{dist}\\\n",
    "%if\n",
    "Patch: %{dist}\n",
    "Version: 1\n",
    "%package\nVersion: %{\n",
    "%patchlist\n%{?\u{2028}",
    "%changelog\n*\u{301}CVE-XSA1-\n",
    "é%é",
];

fn bear(text: &str) {
    let defines = given(&[("dist", ".x")]);
    for spec in [
        text.to_owned(),
        with(text, "1"),
        with("", text),
        with(&format!("%define one {text}"), "%{one}%{one}"),
        with(&format!("%global one {text}\n%{{!?two:{text}}}"), "%{one}"),
    ] {
        if let Ok(info) = read_spec_info(spec.as_bytes(), "qemu.spec", &defines) {
            spec_diff(&info, &info);
        }
    }
}

#[test]
fn no_text_makes_reading_panic() {
    for one in PIECES {
        for two in PIECES {
            bear(&format!("{one}{two}"));
            bear(&format!("{one}{two}{one}{two}{one}"));
        }
    }
}

/// Without a clock, which this room does not have: what is not linear takes minutes here.
#[test]
fn no_text_takes_long() {
    for piece in PIECES {
        bear(&piece.repeat(200_000 / piece.len()));
    }
}
