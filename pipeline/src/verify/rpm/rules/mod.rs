//! The rules, and how a package is held to them.
//!
//! Each has a name and a level of its own in [`LIST`], and a function that says what breaks it. The
//! table in pipeline/docs/verify.md is this list; a test keeps both equal.

mod binaries;
mod debug;
mod files;
mod header;
mod requires;
#[cfg(test)]
mod tests;

use super::facts::{FaultKind, PackageFacts};
use super::installed::Installed;
use super::profile::Profile;
use crate::config::{Level, Rule, Target};
use crate::rpmfile::Nevra;
pub use debug::{Below, build_id, promise};
pub use files::shared;
pub use header::Signing;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: Rule,
    pub level: Level,
    /// In one line, which names the file, the requirement or the tag.
    pub what: String,
    /// What to try.
    pub help: Cow<'static, str>,
}

/// What packages are held to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy<'a> {
    /// The hosts; the rules about their rpm and libraries are asked for some only.
    pub target: Option<Target>,
    /// Levels other than the rules' own.
    pub rules: Option<&'a BTreeMap<Rule, Level>>,
    /// The folders that files may be in; without it, those that packages commonly have.
    pub paths: Option<&'a [String]>,
    /// What the hosts have.
    pub installed: Option<&'a Installed>,
    /// The package that this one is to replace, until the vendor's next.
    pub stock: Option<&'a Nevra>,
    /// The source package of the same build, whose epoch its binary packages have.
    pub siblings: Option<&'a Nevra>,
    /// What the pipeline ends each release with, so that none has the vendor's own.
    pub suffix: Option<&'a str>,
    /// The build ids of all programs of the build, whose symbols it may have and no others'.
    pub build_ids: Option<&'a BTreeSet<&'a str>>,
    /// The sticky folders that stock has, and everybody may write to.
    pub shared: Option<&'a BTreeSet<String>>,
    pub signing: Signing,
}

/// A rule as people read of it.
pub struct Entry {
    pub rule: Rule,
    pub level: Level,
    /// Where it is asked: `all`, or names of targets.
    #[allow(dead_code, reason = "the documents' table, which a test compares")]
    pub targets: &'static str,
    #[allow(dead_code, reason = "the documents' table, which a test compares")]
    pub asks: &'static str,
    pub help: &'static str,
    check: Check,
}

/// Says everything that breaks a rule; the profile is there where the rule is a target's own.
type Check = fn(&PackageFacts, &Policy) -> Vec<String>;

/// A rule of a target's own, asked of packages for that target.
macro_rules! of_target {
    (signed $check:path) => {
        |facts, policy| match policy.target {
            Some(target) if policy.signing != Signing::ToCome => $check(facts, Profile::of(target)),
            _ => Vec::new(),
        }
    };
    ($check:path) => {
        |facts, policy| {
            policy.target.map_or_else(Vec::new, |target| $check(facts, Profile::of(target)))
        }
    };
}

const BUILD_THERE: &str = "build it in an environment of that target";
const ATTRIBUTES: &str = "set it in the spec's %files (`%attr`, `%defattr`)";

/// Every rule, in the order in which it is told.
pub const LIST: [Entry; 26] = [
    Entry {
        rule: Rule::Digests,
        level: Level::Require,
        targets: "all",
        asks: "every digest and size that the package gives is right, by our own reading",
        help: "it was altered after it was built, or damaged: build it again",
        check: |facts, _| faults(facts, FaultKind::Digest),
    },
    Entry {
        rule: Rule::Payload,
        level: Level::Require,
        targets: "all",
        asks: "every path is plain, none leads through a link of the package, the payload holds what \
               the header lists, and the header only what rpmbuild writes",
        help: "no rpmbuild makes such a package: find out who did",
        check: |facts, _| faults(facts, FaultKind::Payload),
    },
    Entry {
        rule: Rule::Signature,
        level: Level::Require,
        targets: "all",
        asks: "a key that was given signed all of it",
        help: "take it from where that key's owner publishes it",
        check: |facts, policy| {
            if policy.signing == Signing::Demanded {
                faults(facts, FaultKind::Signature)
            } else {
                Vec::new()
            }
        },
    },
    Entry {
        rule: Rule::PackageFormat,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "it is of rpm's format 4; in a run without a target too, as `sign` signs no other",
        help: "build it with `%_rpmformat 4`",
        check: |facts, policy| {
            let profile = policy.target.map(Profile::of);
            if profile.is_some() || policy.signing == Signing::ToCome {
                header::format(facts, profile)
            } else {
                Vec::new()
            }
        },
    },
    Entry {
        rule: Rule::RpmlibFeatures,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "the target's rpm knows every `rpmlib()` feature that is required",
        help: BUILD_THERE,
        check: of_target!(requires::features),
    },
    Entry {
        rule: Rule::RichDependencies,
        level: Level::Require,
        targets: "el7",
        asks: "no rich dependencies, of which the target's rpm knows nothing",
        help: "write them as plain ones, or leave them out",
        check: of_target!(requires::rich),
    },
    Entry {
        rule: Rule::UserGroupRequires,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "no requires of `user()` or `group()`, which nothing provides there",
        help: "make the user in %pre, and filter the generated requires",
        check: of_target!(requires::users),
    },
    Entry {
        rule: Rule::Glibc,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "nothing wants a newer glibc than the target's, by its requires and by its binaries",
        help: BUILD_THERE,
        check: of_target!(requires::glibc),
    },
    Entry {
        rule: Rule::PayloadCompressor,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "the target's rpm can unpack the payload",
        help: "set `_binary_payload` to `w6.xzdio`",
        check: of_target!(header::compressor),
    },
    Entry {
        rule: Rule::SignatureHeader,
        level: Level::Require,
        targets: "el7, el8, el9",
        asks: "the signature header is within what the target's rpm reads",
        help: "sign it without signatures of its files, and reserve less room",
        check: of_target!(signed header::signature),
    },
    Entry {
        rule: Rule::Md5Digest,
        level: Level::Require,
        targets: "el7",
        asks: "an MD5 over header and payload is there, without which rpm 4.11 does not see an \
               altered payload",
        help: "sign it with `vgpu-pipeline`, or build it with rpmbuild",
        check: of_target!(signed header::md5),
    },
    Entry {
        rule: Rule::PayloadDigest,
        level: Level::Require,
        targets: "el8, el9",
        asks: "the header holds a digest of the payload, so that a signature over it covers all",
        help: "build it with rpm 4.14 or later",
        check: of_target!(header::payload_digest),
    },
    Entry {
        rule: Rule::FileTriggers,
        level: Level::Require,
        targets: "el7",
        asks: "no file triggers, which the target's rpm ignores without a word",
        help: "use a trigger on a package, or a scriptlet",
        check: of_target!(header::file_triggers),
    },
    Entry {
        rule: Rule::BuildIdLinks,
        level: Level::Require,
        targets: "el7",
        asks: "no links below `/usr/lib/.build-id`, over which two packages conflict",
        help: "set `_build_id_links` to `none`",
        check: of_target!(files::build_id_links),
    },
    Entry {
        rule: Rule::Setuid,
        level: Level::Require,
        targets: "all",
        asks: "no file is setuid or setgid, has capabilities, or is a device",
        help: ATTRIBUTES,
        check: |facts, _| files::setuid(facts),
    },
    Entry {
        rule: Rule::WorldWritable,
        level: Level::Require,
        targets: "all",
        asks: "nothing may be written by everybody, but sticky folders that stock has too",
        help: ATTRIBUTES,
        check: |facts, policy| files::world_writable(facts, policy.shared),
    },
    Entry {
        rule: Rule::Ownership,
        level: Level::Require,
        targets: "all",
        asks: "everything belongs to root",
        help: ATTRIBUTES,
        check: |facts, _| files::ownership(facts),
    },
    Entry {
        rule: Rule::Paths,
        level: Level::Require,
        targets: "all",
        asks: "every file is in an allowed folder (`verify.paths`)",
        help: "move it, or allow its folder in `verify.paths`",
        check: |facts, policy| files::places(facts, policy.paths),
    },
    Entry {
        rule: Rule::FileConflicts,
        level: Level::Require,
        targets: "all",
        asks: "no file is one of another package on the hosts (`verify.installed`)",
        help: "leave the file out, or replace that package (`Obsoletes`)",
        check: |facts, policy| {
            policy.installed.map_or_else(Vec::new, |known| known.conflicts(facts))
        },
    },
    Entry {
        rule: Rule::DebugPackage,
        level: Level::Require,
        targets: "all",
        asks: "a package called `…-debuginfo` or `…-debugsource` has files for debuggers alone, runs \
               nothing, and replaces and provides nothing but itself; no ELF file has a script for gdb",
        help: "leave it to rpmbuild to make, or give the package another name",
        check: |facts, policy| debug::check(facts, policy.build_ids),
    },
    header::NEVRA,
    binaries::UNREAD,
    Entry {
        rule: Rule::Interpreter,
        level: Level::Require,
        targets: "all",
        asks: "programs ask for the loader that their kind of machine has",
        help: "build it with the distribution's own linker, without `--dynamic-linker`",
        check: |facts, _| binaries::interpreter(facts),
    },
    Entry {
        rule: Rule::Rpath,
        level: Level::Require,
        targets: "all",
        asks: "no binary looks for libraries in folders of its own (RPATH, RUNPATH), names one by its \
               path, or has one watch the loader (AUDIT)",
        help: "build it without `-rpath` and `--audit`; `chrpath --delete` takes folders out",
        check: |facts, _| binaries::rpath(facts),
    },
    Entry {
        rule: Rule::ExecutableStack,
        level: Level::Require,
        targets: "all",
        asks: "no binary has an executable stack, or other memory that may be written and executed",
        help: "find the assembly without `.note.GNU-stack`, or link with `-z noexecstack`, without `-N`",
        check: |facts, _| binaries::executable_stack(facts),
    },
    Entry {
        rule: Rule::Hardening,
        level: Level::Warn,
        targets: "all",
        asks: "programs are position-independent, with relocations that are read-only before they \
               run and with checked frames",
        help: "build it with `-fPIE -pie -fstack-protector-strong -Wl,-z,relro,-z,now`",
        check: |facts, _| binaries::hardening(facts),
    },
];

/// Everything that breaks a rule which applies.
pub fn judge(facts: &PackageFacts, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in &LIST {
        let level = policy.rules.and_then(|rules| rules.get(&entry.rule)).unwrap_or(&entry.level);
        findings.extend((entry.check)(facts, policy).into_iter().map(|what| Finding {
            rule: entry.rule,
            level: *level,
            what,
            help: Cow::Borrowed(entry.help),
        }));
    }
    findings
}

fn faults(facts: &PackageFacts, kind: FaultKind) -> Vec<String> {
    let faults = facts.faults.iter().filter(|fault| fault.kind == kind);
    faults.map(|fault| fault.what.clone()).collect()
}
