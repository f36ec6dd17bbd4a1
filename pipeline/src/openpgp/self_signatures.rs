// SPDX-License-Identifier: GPL-2.0-or-later
//! What a key says of itself: whose it is, whether it signs, how long it lasts.

use pgp::composed::SignedKeyDetails;
use pgp::packet::{KeyFlags, PublicKey, Signature, SignatureType, SubpacketData};
use pgp::types::{Duration, KeyDetails, SignedUser, Tag, Timestamp};
use std::cmp::Reverse;

/// What the key says of itself, in those of its self-signatures that are valid.
pub struct SelfSignatures {
    pub details: SignedKeyDetails,
    pub flags: Option<KeyFlags>,
    /// In seconds since 1970.
    pub expires: Option<u32>,
}

impl SelfSignatures {
    /// As gpg does: the newest word counts, first of the key itself, then of its user ids. What other
    /// people signed, what belongs to a revoked user id and what was said for a time that is over by
    /// `now` is left behind.
    pub fn read(key: &PublicKey, all: &SignedKeyDetails, now: u32) -> Self {
        let on_key = |signature: &&Signature| {
            signature.typ() == Some(SignatureType::Key) && signature.verify_key(key).is_ok()
        };
        let direct = newest(all.direct_signatures.iter().filter(on_key), now);
        let mut users: Vec<SignedUser> =
            all.users.iter().filter_map(|u| own(key, u, now)).collect();
        users.sort_by_key(|user| Reverse((user.is_primary(), when(user.signatures.first()))));

        let mut words: Vec<&Signature> = users.iter().flat_map(|u| &u.signatures).collect();
        words.sort_by_key(|signature| Reverse(when(Some(signature))));
        words.splice(0..0, direct);
        let flags = words.iter().find_map(|signature| flags(signature));
        let expires = words.iter().find_map(|signature| signature.key_expiration_time());
        let expires = expires.and_then(|lasts| end(key, lasts));

        let direct = direct.into_iter().cloned().collect();
        let details = SignedKeyDetails::new(Vec::new(), direct, users, Vec::new());
        Self { details, flags, expires }
    }

    /// The user id that it puts first.
    pub fn user_id(&self) -> Option<String> {
        let user = self.details.users.first()?;
        Some(String::from_utf8_lossy(user.id.id()).into_owned())
    }
}

/// A user id with its newest self-signature, unless it has none or took it back later.
fn own(key: &PublicKey, user: &SignedUser, now: u32) -> Option<SignedUser> {
    let valid =
        |signature: &&Signature| signature.verify_certification(key, Tag::UserId, &user.id).is_ok();
    let (taken_back, given): (Vec<&Signature>, Vec<&Signature>) = user
        .signatures
        .iter()
        .filter(valid)
        .partition(|signature| signature.typ() == Some(SignatureType::CertRevocation));
    let signature = newest(given.into_iter(), now)?;
    let revoked = newest(taken_back.into_iter(), now);
    (when(Some(signature)) > when(revoked))
        .then(|| SignedUser::new(user.id.clone(), vec![signature.clone()]))
}

pub(super) fn newest<'a>(
    signatures: impl Iterator<Item = &'a Signature>,
    now: u32,
) -> Option<&'a Signature> {
    let lasting = |signature: &&Signature| {
        let lasts = signature.signature_expiration_time().map_or(0, Duration::as_secs);
        lasts == 0 || when(Some(signature)).is_some_and(|time| time.saturating_add(lasts) > now)
    };
    signatures.filter(lasting).max_by_key(|signature| when(Some(signature)))
}

fn when(signature: Option<&Signature>) -> Option<u32> {
    signature?.created().map(Timestamp::as_secs)
}

/// The flags, if the signature names any; a key without them may do whatever its algorithm can.
fn flags(signature: &Signature) -> Option<KeyFlags> {
    signature.config()?.hashed_subpackets().find_map(|subpacket| match &subpacket.data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}

/// When a key expires that lasts this long; no time at all stands for ever.
pub(super) fn end(key: &impl KeyDetails, lasts: Duration) -> Option<u32> {
    let seconds = Some(lasts.as_secs()).filter(|seconds| *seconds != 0)?;
    Some(key.created_at().as_secs().saturating_add(seconds))
}
