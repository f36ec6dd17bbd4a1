// SPDX-License-Identifier: GPL-2.0-or-later
//! What a rule is.

use super::list::{LIST, NAMES};
use super::{HostProfile, InspectedPackage, Policy, SignatureCheck, Target};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// A rule, by the name that the pipeline file has for it. There is none that is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Rule(&'static str);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        let spec = LIST.iter().find(|spec| spec.name == name);
        spec.map(RuleSpec::rule).ok_or_else(|| Error::unknown_variant(&name, &NAMES))
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let each = LIST.iter().map(
            |spec| json_schema!({ "type": "string", "const": spec.name, "description": spec.asks }),
        );
        json_schema!({
            "description": "What a package is held to.",
            "oneOf": each.collect::<Vec<_>>(),
        })
    }
}

/// What becomes of a package that breaks a rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is said.
    Warn,
    /// The package is refused.
    Require,
}

/// All of a rule: what people read of it, and what it checks.
#[derive(Clone, Copy)]
pub struct RuleSpec {
    /// In words with hyphens between; its file has them with underscores.
    pub name: &'static str,
    /// Unless the pipeline file gives it another.
    pub level: Level,
    /// The hosts that it is about; none where it is about all.
    pub targets: &'static [Target],
    /// What must be so, in one line.
    pub asks: &'static str,
    /// What to try when it is broken.
    pub help: &'static str,
    /// What is said of the package that breaks it in `tests/toy/rules`.
    #[cfg_attr(not(test), allow(dead_code, reason = "the table of rules, which a test compares"))]
    pub example: &'static str,
    pub check: Check,
}

/// Says everything that breaks a rule.
#[derive(Clone, Copy)]
pub enum Check {
    /// By the package and what was asked for.
    Package(fn(&InspectedPackage, &Policy) -> Vec<String>),
    /// By what a target's hosts take; it is asked of packages for one of the rule's targets.
    Host(fn(&InspectedPackage, &HostProfile) -> Vec<String>),
    /// The same, of what the stage `sign` makes anew: it is asked once that is there.
    SignedForHost(fn(&InspectedPackage, &HostProfile) -> Vec<String>),
}

impl RuleSpec {
    pub const fn rule(&self) -> Rule {
        Rule(self.name)
    }

    /// What breaks it, where it applies.
    pub fn broken_by(&self, package: &InspectedPackage, policy: &Policy) -> Vec<String> {
        let host = policy.target.filter(|target| self.targets.contains(target));
        let host = host.map(HostProfile::of);
        match (self.check, host) {
            (Check::Package(check), _) => check(package, policy),
            (Check::Host(check), Some(host)) => check(package, host),
            (Check::SignedForHost(check), Some(host))
                if policy.signature != SignatureCheck::Deferred =>
            {
                check(package, host)
            }
            (Check::Host(_) | Check::SignedForHost(_), _) => Vec::new(),
        }
    }

    /// Its line in the table of rules, as Markdown.
    pub fn row(&self) -> String {
        let Self { name, asks, example, .. } = self;
        let level = if self.level == Level::Require { "require" } else { "warn" };
        let targets: Vec<String> = self.targets.iter().map(ToString::to_string).collect();
        let targets = if targets.is_empty() { "all".to_owned() } else { targets.join(", ") };
        format!("| `{name}` | {level} | {targets} | {asks} | {example} |")
    }
}
