// SPDX-License-Identifier: GPL-2.0-or-later
//! Compressed metadata as a stream of what it unpacks to.

use crate::error::Help;
use crate::fetch::Gzip;
use anyhow::{Result, anyhow};
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::Read;

/// What a decoder of xz may take: twice what `xz -9` asks for. zstd has a like bound of its own.
const XZ_MEMORY: u64 = 128 << 20;

/// Unpacks `bytes` as the end of their `href` says. How much comes out is for the reader to bound.
pub fn unpack<'a>(bytes: &'a [u8], href: &str) -> Result<Box<dyn Read + 'a>> {
    let suffix = href.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    Ok(match suffix {
        "xml" => Box::new(bytes),
        "gz" => Box::new(Gzip::new(bytes)),
        "xz" => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
            Box::new(XzDecoder::new_stream(bytes, stream))
        }
        "zst" => Box::new(zstd::Decoder::with_buffer(bytes)?),
        _ => {
            return Err(anyhow!("it is compressed in a way that is not known here")
                .help("use a mirror whose list of packages ends in .gz, .xz or .zst"));
        }
    })
}
