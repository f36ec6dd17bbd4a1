// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `signature-header`.

use super::{Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "signature-header",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "the signature header is within what the target's rpm reads",
    help: "sign it without signatures of its files, and reserve less room",
    example: "its signature header has 9180 bytes, and rpm 4.11 reads 8192",
    check: Check::SignedForHost(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let (tags, size) = (package.signature.tags.len(), package.signature.size);
    let mut found = Vec::new();
    if tags > host.most_signature_tags {
        let most = host.most_signature_tags;
        found.push(format!(
            "its signature header has {tags} tags, and rpm {} reads {most}",
            host.rpm
        ));
    }
    if size > host.most_signature_bytes {
        let most = host.most_signature_bytes;
        found.push(format!(
            "its signature header has {size} bytes, and rpm {} reads {most}",
            host.rpm
        ));
    }
    found
}
