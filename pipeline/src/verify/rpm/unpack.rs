//! A compressed payload as a stream of what it unpacks to.
//!
//! Never enters: trust in the compressor that the header names, and memory without bound.

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::{BufReader, Read};

/// What `xz -9` asks for, and a little more.
const MOST_MEMORY: u64 = 80 << 20;
/// The logarithm of the largest window of zstd: 64 MiB, eight times what its level 19 asks for, which
/// is rpm's default.
const LARGEST_WINDOW: u32 = 26;

/// Unpacks a payload as the header names its compressor.
pub fn unpack<'a>(input: impl Read + 'a, compressor: &str) -> Result<Box<dyn Read + 'a>> {
    let too_much = "its payload cannot be unpacked";
    Ok(match compressor {
        "none" => Box::new(input),
        "gzip" => Box::new(MultiGzDecoder::new(input)),
        "xz" => {
            let stream = Stream::new_stream_decoder(MOST_MEMORY, CONCATENATED).context(too_much)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        "lzma" => {
            let stream = Stream::new_lzma_decoder(MOST_MEMORY).context(too_much)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        "zstd" => {
            let mut decoder =
                zstd::Decoder::with_buffer(BufReader::new(input)).context(too_much)?;
            decoder.window_log_max(LARGEST_WINDOW).context(too_much)?;
            Box::new(decoder)
        }
        _ => bail!(
            "its payload is compressed with `{}`, which cannot be unpacked here\n\
             help: build it with xz, gzip or zstd (`_binary_payload`)",
            compressor.escape_debug()
        ),
    })
}
