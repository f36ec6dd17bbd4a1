// SPDX-License-Identifier: GPL-2.0-or-later
//! A compressed payload as a stream of what it unpacks to.
//!
//! Never enters: trust in the compressor that the header names, and memory without bound.

use crate::error::{ErrorKind, OrError, Result, bail};
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::{BufReader, Read};

/// What `xz -9` asks for, and a little more.
const MOST_MEMORY: u64 = 80 << 20;
/// The logarithm of the largest window of zstd: 64 MiB, eight times what its level 19 asks for, which
/// is rpm's default.
const LARGEST_WINDOW: u32 = 26;

const CANNOT: &str = "its payload cannot be unpacked";

/// Unpacks a payload as the header names its compressor.
pub fn decompress<'a>(input: impl Read + 'a, compressor: &str) -> Result<Box<dyn Read + 'a>> {
    Ok(match compressor {
        "none" => Box::new(input),
        "gzip" => Box::new(MultiGzDecoder::new(input)),
        "xz" => {
            let stream = Stream::new_stream_decoder(MOST_MEMORY, CONCATENATED)
                .or_error(ErrorKind::Malformed, CANNOT)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        "lzma" => {
            let stream =
                Stream::new_lzma_decoder(MOST_MEMORY).or_error(ErrorKind::Malformed, CANNOT)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        "zstd" => {
            let mut decoder = zstd::Decoder::with_buffer(BufReader::new(input))
                .or_error(ErrorKind::Malformed, CANNOT)?;
            decoder.window_log_max(LARGEST_WINDOW).or_error(ErrorKind::Malformed, CANNOT)?;
            Box::new(decoder)
        }
        _ => bail!(
            UnknownCompressor,
            "its payload is compressed with `{}`, which cannot be unpacked here",
            compressor.escape_debug()
        ),
    })
}
