// SPDX-License-Identifier: GPL-2.0-or-later
//! One file of a payload as it passes by: all of its bytes, where it is an ELF file.

/// How ELF files begin (System V gABI, chapter 4).
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// The most bytes of an ELF file, which is held in memory in whole: ten times what the largest programs
/// of a distribution have.
pub const LARGEST_ELF_FILE: u64 = 256 << 20;

/// The bytes of a file, kept where they turn out to be ELF.
pub enum Kept {
    Begin(Vec<u8>),
    Elf(Vec<u8>),
    Nothing,
    TooLarge,
}

impl Kept {
    /// Takes the next bytes of a file of this size.
    pub fn take(&mut self, piece: &[u8], size: u64) {
        match self {
            Self::Begin(begin) => {
                begin.extend_from_slice(piece);
                if begin.len() < ELF_MAGIC.len() {
                    return;
                }
                let mut bytes = std::mem::take(begin);
                *self = match usize::try_from(size) {
                    _ if !bytes.starts_with(ELF_MAGIC) => Self::Nothing,
                    Ok(whole) if size <= LARGEST_ELF_FILE => {
                        // All at once: growing by doubling would take twice the memory.
                        bytes.reserve_exact(whole.saturating_sub(bytes.len()));
                        Self::Elf(bytes)
                    }
                    _ => Self::TooLarge,
                };
            }
            Self::Elf(bytes) => bytes.extend_from_slice(piece),
            Self::Nothing | Self::TooLarge => {}
        }
    }
}
