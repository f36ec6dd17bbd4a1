// SPDX-License-Identifier: GPL-2.0-or-later
//! aarch64: instructions of 4 bytes, of which a few have a meaning here.
//!
//! Source: Arm Architecture Reference Manual, chapter C4 (encodings). An address is made by two
//! instructions: `adrp` gives the page, and `add` or the offset of a load the rest. Compilers put
//! other instructions in between, so the page of every register is remembered, up to a call, which
//! may spoil it.

use super::{NOWHERE, Register, Step};

const REGISTERS: usize = 32;
/// Registers that a call preserves (AAPCS64): x19 to x28.
const PRESERVED: std::ops::Range<usize> = 19..29;

/// What a register counts addresses from.
#[derive(Debug, Clone, Copy)]
enum Base {
    /// A page alone: the rest comes with the next instruction.
    Page(u64),
    Address(u64),
}

/// What `code`, which lies at `start`, says: (address of the instruction, step).
pub fn steps(code: &[u8], start: u64) -> Vec<(u64, Step)> {
    let mut pages = [None; REGISTERS];
    let words = code.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    (start..)
        .step_by(4)
        .zip(words)
        .map(|(at, word)| {
            let step = step(word, at, &pages);
            remember(word, at, step, &mut pages);
            (at, step)
        })
        .collect()
}

fn remember(word: u32, at: u64, step: Step, pages: &mut [Option<Base>; REGISTERS]) {
    if let Some((register, page)) = adrp(word, at) {
        put(pages, register, Some(Base::Page(page)));
        return;
    }
    match step {
        Step::Call(_) | Step::CallElsewhere => {
            for (register, page) in pages.iter_mut().enumerate() {
                if !PRESERVED.contains(&register) {
                    *page = None;
                }
            }
        }
        Step::Copy(to, from) => put(pages, to, pages.get(usize::from(from)).copied().flatten()),
        Step::Add(to, from, number) => {
            let base = pages.get(usize::from(from)).copied().flatten();
            let sum = base.and_then(|base| match base {
                Base::Address(address) => Some(Base::Address(address.wrapping_add(number))),
                Base::Page(_) => None,
            });
            put(pages, to, sum);
        }
        Step::Load(to, _) | Step::Number(to, _) | Step::Sum(to, ..) | Step::Change(to) => {
            put(pages, to, None);
        }
        // A further `add` or load may count from it.
        Step::Address(to, address) => put(pages, to, Some(Base::Address(address))),
        _ => {}
    }
}

fn put(pages: &mut [Option<Base>; REGISTERS], register: Register, page: Option<Base>) {
    if let Some(slot) = pages.get_mut(usize::from(register)) {
        *slot = page;
    }
}

fn adrp(word: u32, at: u64) -> Option<(Register, u64)> {
    (word & 0x9f00_0000 == 0x9000_0000).then(|| {
        (register(word, 0), (at & !0xfff).wrapping_add_signed(distance_of_adr(word) << 12))
    })
}

fn step(word: u32, at: u64, pages: &[Option<Base>; REGISTERS]) -> Step {
    let branch = |shift, bits| at.wrapping_add_signed(signed(word >> shift, bits) << 2);
    let (to, from) = (register(word, 0), register(word, 5));
    let base = |register: Register| pages.get(usize::from(register)).copied().flatten();
    let count = |offset: i64| match base(from) {
        Some(Base::Page(base) | Base::Address(base)) => Some(base.wrapping_add_signed(offset)),
        None => None,
    };
    let twelve = u64::from(word >> 10 & 0xfff);
    let load = |size: u32, into| match count(i64::from((word >> 10 & 0xfff) * size)) {
        Some(slot) => Step::Load(into, slot),
        None => Step::Change(into),
    };
    match word {
        _ if word & 0xfc00_0000 == 0x9400_0000 => Step::Call(branch(0, 26)),
        _ if word & 0xfc00_0000 == 0x1400_0000 => Step::Jump(branch(0, 26)),
        // b.cond, cbz and cbnz, tbz and tbnz
        _ if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 => {
            Step::Branch(branch(5, 19))
        }
        _ if word & 0x7e00_0000 == 0x3600_0000 => Step::Branch(branch(5, 14)),
        // blr; br and ret, with pointer authentication or not; brk, udf
        _ if word & 0xfeff_f000 == 0xd63f_0000 => Step::CallElsewhere,
        _ if word & 0xfedf_f000 == 0xd61f_0000 || word & 0xffe0_001f == 0xd420_0000 => Step::End,
        _ if word >> 16 == 0 => Step::End,
        // adr; adrp itself says nothing yet
        _ if word & 0x9f00_0000 == 0x1000_0000 => {
            Step::Address(to, at.wrapping_add_signed(distance_of_adr(word)))
        }
        // add, 64-bit, immediate
        _ if word & 0xff80_0000 == 0x9100_0000 => {
            let number = if word >> 22 & 1 == 1 { twelve << 12 } else { twelve };
            match base(from) {
                Some(Base::Page(page)) => Step::Address(to, page.wrapping_add(number)),
                _ => Step::Add(to, from, number),
            }
        }
        // ldr of a word, of a half, of a vector
        _ if word & 0xffc0_0000 == 0xf940_0000 => load(8, to),
        _ if word & 0xffc0_0000 == 0xb940_0000 => load(4, to),
        _ if word & 0xffc0_0000 == 0x3dc0_0000 => match load(16, NOWHERE) {
            Step::Load(_, slot) => Step::LoadTwo(slot),
            other => other,
        },
        // ldr of a vector of 8 bytes, ldp of two words
        _ if word & 0xffc0_0000 == 0xfd40_0000 => load(8, NOWHERE),
        _ if word & 0xffc0_0000 == 0xa940_0000 => match count(signed(word >> 15, 7) * 8) {
            Some(slot) => Step::Load(to, slot),
            None => Step::Change(to),
        },
        // add of two whole registers
        _ if word & 0xffe0_fc00 == 0x8b00_0000 => Step::Sum(to, from, register(word, 16)),
        // str and stp of whole words
        _ if word & 0xffc0_0000 == 0xf900_0000 || word & 0xfe40_0000 == 0xa800_0000 => {
            Step::Store(to, if word >> 30 == 2 { register(word, 10) } else { to })
        }
        // movz; movn and movk make no number that is asked for; mov between registers
        _ if word & 0x7f80_0000 == 0x5280_0000 => {
            Step::Number(to, u64::from(word >> 5 & 0xffff) << (word >> 21 & 3).wrapping_mul(16))
        }
        _ if word & 0xffe0_ffe0 == 0xaa00_03e0 => Step::Copy(to, register(word, 16)),
        _ if word & 0x1f80_0000 == 0x1280_0000 || word & 0x1f00_0000 == 0x0a00_0000 => {
            Step::Change(to)
        }
        _ => Step::Other,
    }
}

fn distance_of_adr(word: u32) -> i64 {
    signed((word >> 5 & 0x7_ffff) << 2 | word >> 29 & 3, 21)
}

fn register(word: u32, shift: u32) -> Register {
    (word >> shift & 31) as u8
}

/// The lowest `bits` of a word as a signed number.
fn signed(word: u32, bits: u32) -> i64 {
    let unused = 32_u32.saturating_sub(bits);
    i64::from((word << unused).cast_signed() >> unused)
}
