//! From bytes to OpenPGP packets: the armour around keys, and the packets themselves.

use anyhow::{Result, ensure};
use pgp::armor::Dearmor;
use pgp::packet::{Packet, PacketParser, Signature};
use std::io::Read;

/// More than a signature or a key of 16,384 bits has. A signature may hold another one, which the
/// crate reads by calling itself: without a bound, a deep nest of them would overflow the stack.
const LARGEST_PACKET: u64 = 4096;

/// The armoured blocks in a file: their names, and where they begin.
pub fn armour_blocks(bytes: &[u8]) -> Vec<(String, usize)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        let name = text.strip_prefix(b"-----BEGIN ").and_then(|rest| rest.strip_suffix(b"-----"));
        if let Some(name) = name {
            blocks.push((String::from_utf8_lossy(name).into_owned(), at));
        }
        at += line.len();
    }
    blocks
}

/// The packets in the first armoured block. Its checksum is not looked at: RFC 9580 (6.1) advises
/// against it, and a fingerprint says more.
pub fn unarmoured(block: &[u8]) -> Result<Vec<Packet>> {
    let mut bytes = Vec::new();
    Dearmor::new(block).read_to_end(&mut bytes)?;
    packets(&bytes)
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
