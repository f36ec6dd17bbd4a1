// SPDX-License-Identifier: GPL-2.0-or-later
//! From bytes to OpenPGP packets: the armour around keys, and the packets themselves.

use anyhow::{Result, ensure};
use pgp::armor::Dearmor;
use pgp::packet::{Packet, PacketParser, Signature};
use pgp::types::Tag;
use sha1::{Digest, Sha1};
use std::fmt::Write;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// More than a signature or a key of 16,384 bits has. A signature may hold another one, which the
/// crate reads by calling itself: without a bound, a deep nest of them would overflow the stack.
pub const LARGEST_PACKET: u64 = 4096;

/// The armoured blocks in a file: their names, and where they begin.
pub fn armour_blocks(bytes: &[u8]) -> Vec<(String, usize)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        let name = text.strip_prefix(b"-----BEGIN ").and_then(|rest| rest.strip_suffix(b"-----"));
        // A block whose line breaks are lost is one line, and all of it would be the name.
        if let Some(name) = name.filter(|name| is_name(name)) {
            blocks.push((String::from_utf8_lossy(name).into_owned(), at));
        }
        at += line.len();
    }
    blocks
}

/// What armoured blocks are called (RFC 9580, 6.2): nothing that holds a key is such a name.
fn is_name(name: &[u8]) -> bool {
    name.len() <= 40
        && name.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == b' ')
}

/// Whether armour stands there without its line breaks, as when a variable was not quoted.
pub fn is_one_line(bytes: &[u8]) -> bool {
    let begins = |line: &[u8]| {
        let line = line.trim_ascii();
        line.strip_prefix(b"-----BEGIN ")
            .is_some_and(|rest| !rest.strip_suffix(b"-----").is_some_and(is_name))
    };
    bytes.split(|byte| *byte == b'\n').any(begins)
}

/// One key of several: its packets, or none where one of them cannot be read.
pub struct OneKey {
    /// Its fingerprint, as long as there is one to be known.
    pub name: Option<String>,
    pub packets: Option<Vec<Packet>>,
    /// Whether any of it is secret.
    pub secret: bool,
}

/// The keys in the first armoured block, each by itself: one that is damaged, or of a kind that is not
/// known here, says nothing of the others. The block's checksum is not looked at: RFC 9580 (6.1)
/// advises against it, and a fingerprint says more.
pub fn each_key(block: &[u8], largest: u64) -> Result<Vec<OneKey>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(block.len()));
    Dearmor::new(block).read_to_end(&mut bytes)?;
    let mut parser = PacketParser::new(bytes.as_slice());
    let mut keys: Vec<OneKey> = Vec::new();
    while let Some(body) = parser.next_ref() {
        let Ok(mut body) = body else {
            // Where a packet has no end, nothing behind it can be told apart.
            match keys.last_mut() {
                Some(key) => key.packets = None,
                None => keys.push(OneKey { name: None, packets: None, secret: false }),
            }
            break;
        };
        let header = body.packet_header();
        let tag = header.tag();
        let most = if tag == Tag::Signature { LARGEST_PACKET } else { largest };
        let mut content = Zeroizing::new(Vec::new());
        let read = body.by_ref().take(most + 1).read_to_end(&mut content);
        let whole = read.is_ok() && content.len() as u64 <= most;
        let packet = whole.then(|| Packet::from_reader(header, content.as_slice()).ok()).flatten();
        // What is too large is passed over, so that the next key is found.
        let _ = io::copy(&mut body, &mut io::sink());
        if matches!(tag, Tag::PublicKey | Tag::SecretKey) || keys.is_empty() {
            let name = if tag == Tag::PublicKey { name_of(&content) } else { None };
            keys.push(OneKey { name, packets: Some(Vec::new()), secret: false });
        }
        let Some(key) = keys.last_mut() else { continue };
        key.secret |= matches!(tag, Tag::SecretKey | Tag::SecretSubkey);
        match (packet, &mut key.packets) {
            (Some(packet), Some(packets)) => packets.push(packet),
            _ => key.packets = None,
        }
    }
    Ok(keys)
}

/// The fingerprint of a public key of version 4, whatever its kind (RFC 9580, 5.5.4.2).
fn name_of(body: &[u8]) -> Option<String> {
    let length = u16::try_from(body.len()).ok().filter(|_| body.first() == Some(&4))?;
    let digest = Sha1::new().chain_update([0x99]).chain_update(length.to_be_bytes());
    let digest = digest.chain_update(body).finalize();
    let mut name = String::new();
    for byte in digest {
        let _ = write!(name, "{byte:02X}");
    }
    Some(name)
}

/// The one signature that these bytes are, if they are one.
pub fn one_signature(bytes: &[u8]) -> Option<Signature> {
    match <[Packet; 1]>::try_from(packets(bytes).ok()?) {
        Ok([Packet::Signature(signature)]) => Some(signature),
        _ => None,
    }
}

/// All packets or none: the crate's own reader of keys leaves out, without a word, what it cannot
/// read.
fn packets(bytes: &[u8]) -> Result<Vec<Packet>> {
    let mut parser = PacketParser::new(bytes);
    let mut packets = Vec::new();
    while let Some(body) = parser.next_ref() {
        let body = body?;
        let header = body.packet_header();
        let mut content = Vec::new();
        body.take(LARGEST_PACKET + 1).read_to_end(&mut content)?;
        ensure!(content.len() as u64 <= LARGEST_PACKET, "a packet is too large");
        packets.push(Packet::from_reader(header, content.as_slice())?);
    }
    Ok(packets)
}
