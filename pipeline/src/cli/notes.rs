// SPDX-License-Identifier: GPL-2.0-or-later
//! Notes in words.

use crate::inject::Outcome;
use crate::note::{Check, Note};

/// How many digits of a digest people are shown.
const SHORT: usize = 16;

/// A note as a line.
pub fn render(note: &Note) -> String {
    match note {
        Note::Waiting => "another run or shell is at this: waiting for its end".to_owned(),
        Note::Damaged => "its result in the store was damaged and is made again".to_owned(),
        Note::DevelopmentKeyInCi { fingerprint } => format!(
            "WARNING: `CI` is set and no signing key is named: a development key, {fingerprint}, signs \
             this. It is no release. `sign.key`, `--key` or `--key-env` names a key"
        ),
        Note::AskedAgain { purpose, why } => format!("{purpose}: {why}; asked once more"),
        Note::MirrorGivenUp { mirror, why } => {
            format!("mirror {mirror} is not asked any more: {why}")
        }
        Note::NotTaken { why } => format!("not taken: {}", why.message),
        Note::MoreNotTaken { count } => format!("not taken: {count} more"),
        Note::Closure { packages, closure, locked } => {
            let pinned =
                if *locked { "as locked" } else { "as served today: Debian keeps no old states" };
            let closure = closure.get(..SHORT).unwrap_or(closure);
            format!("{packages} packages, closure {closure} ({pinned})")
        }
        Note::Edit { edit, outcome: it } => format!("{edit}: {}", outcome(*it)),
        Note::Compiled { line } | Note::Linked { line } => line.clone(),
        Note::NotCompiled { file } => format!("the log shows no compilation of `{file}`"),
        Note::Wrote { path } => format!("Wrote: {path}"),
        Note::TestBinary { path } => format!("test binary, in no package: {}", path.display()),
        Note::Dom0Package { file } => file.clone(),
        Note::WrapperPatched { lines } => format!("qemu-wrapper, patched: {lines} lines more"),
        Note::TypeFound { name, binary, parent, interfaces, properties } => format!(
            "{name} in {}: {parent}, {}; properties {}",
            binary.display(),
            interfaces.join(", "),
            properties.join(", ")
        ),
        Note::RuleWarning { package, rule, what } => format!("{package}: {rule}: {what}"),
        Note::Compared { only_adds: Some(types), .. } => {
            format!("compared with the stock package: only adds {}", types.join(", "))
        }
        Note::Compared { only_adds: None, changes } => {
            format!("compared with the stock package: {changes} changes")
        }
        Note::Difference { what } => what.clone(),
        Note::DeviceListed { version, line } => format!("{version}: {line}"),
        Note::ChecksPassed { binary, checks } => {
            let passed = checks.iter().map(|Check { name, why }| format!("{name} ({why})"));
            format!("{binary}: passed: {}", passed.collect::<Vec<_>>().join(", "))
        }
        Note::CheckNotRun { binary, check } => {
            format!("{binary}: not run: {}: {}", check.name, check.why)
        }
        Note::SigningKey { fingerprint } => format!("key {fingerprint}"),
        Note::KeyPassedOver { what } => format!("passed over: {what}"),
        Note::Foreign { name } => {
            format!("`{name}` in the output is not this program's, and stays")
        }
        Note::LeftBehind { folder } => {
            format!("`{}` has what a run that was killed could not carry over", folder.display())
        }
        Note::Overtaken { ours, newer } => format!(
            "`{ours}` is older than `{newer}`, which was published before: nobody updates to it"
        ),
    }
}

/// What became of an edit.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::AlreadySatisfied => "already satisfied",
    }
}
