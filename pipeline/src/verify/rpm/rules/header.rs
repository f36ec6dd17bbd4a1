//! Rules about what stands before the payload, and how it is packed.

use super::super::facts::{PackageFacts, TriggerKind};
use super::super::nevra;
use super::super::profile::{FILE_TRIGGERS, PAYLOAD_DIGEST, Profile};
use super::{Entry, Policy};
use crate::config::{Level, Rule};

/// How a package is called, and what overtakes it.
pub const NEVRA: Entry = Entry {
    rule: Rule::Nevra,
    level: Level::Require,
    targets: "all",
    asks: "it sorts after the stock package and before the vendor's next",
    help: "give the release a suffix behind the dist tag (`release-suffix: .vgpu1`)",
    check: named,
};

fn named(facts: &PackageFacts, policy: &Policy) -> Vec<String> {
    let ours = &facts.id;
    let between = policy.stock.map_or_else(Vec::new, |stock| nevra::between(stock, ours));
    let apart = policy.siblings.and_then(|source| nevra::apart(source, ours));
    let unmarked = policy.suffix.and_then(|suffix| nevra::unmarked(suffix, ours));
    between.into_iter().chain(apart).chain(unmarked).collect()
}

/// What is asked of a package's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    #[default]
    Unasked,
    /// The stage `sign` makes the signature header anew, and judges that itself.
    ToCome,
    /// A key was given that must have signed it.
    Demanded,
}

/// No rpm of a target promises more than to read a format 6 in part, and 4.11 cannot check one.
pub fn format(facts: &PackageFacts, profile: Option<&Profile>) -> Vec<String> {
    const KNOWN: u32 = 4;
    if facts.format == KNOWN {
        return Vec::new();
    }
    let what = format!("it is a package of the format {}", facts.format);
    vec![match profile {
        Some(profile) => {
            format!("{what}, and rpm {} of {} is of the format {KNOWN}", profile.rpm, profile.name)
        }
        None => format!("{what}, and only the format {KNOWN} is signed here"),
    }]
}

pub fn compressor(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let compressor = &facts.payload.compressor;
    let known = profile.compressors.contains(&compressor.as_str());
    let what = format!(
        "its payload is compressed with `{compressor}`, which the rpm {} of {} cannot unpack",
        profile.rpm, profile.name
    );
    if known { Vec::new() } else { vec![what] }
}

pub fn signature(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let (tags, size) = (facts.signature.tags.len(), facts.signature.size);
    let mut found = Vec::new();
    if tags > profile.most_signature_tags {
        let most = profile.most_signature_tags;
        found.push(format!(
            "its signature header has {tags} tags, and rpm {} reads {most}",
            profile.rpm
        ));
    }
    if size > profile.most_signature_bytes {
        let most = profile.most_signature_bytes;
        found.push(format!(
            "its signature header has {size} bytes, and rpm {} reads {most}",
            profile.rpm
        ));
    }
    found
}

pub fn md5(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let what = "its signature header has no MD5 over header and payload (tag 1004)";
    absent(facts, "md5", profile.rpm < PAYLOAD_DIGEST, what)
}

pub fn payload_digest(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let what = "its header has no SHA-256 of the payload (tag 5092)";
    absent(facts, "payload-sha256", profile.rpm >= PAYLOAD_DIGEST, what)
}

fn absent(facts: &PackageFacts, digest: &str, asked: bool, what: &str) -> Vec<String> {
    let there = facts.signature.digests.iter().any(|known| known == digest);
    if asked && !there { vec![what.to_owned()] } else { Vec::new() }
}

pub fn file_triggers(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let file = |kind| matches!(kind, TriggerKind::File | TriggerKind::TransactionFile);
    let found =
        facts.triggers.iter().filter(|trigger| profile.rpm < FILE_TRIGGERS && file(trigger.kind));
    found
        .map(|trigger| {
            let on = trigger.on.join(", ");
            format!("it has a file trigger (`{on}`), which rpm {} never runs", profile.rpm)
        })
        .collect()
}
