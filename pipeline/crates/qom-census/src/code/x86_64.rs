// SPDX-License-Identifier: GPL-2.0-or-later
//! x86-64: the length of every instruction, and the meaning of a few.
//!
//! Source: Intel SDM volume 2, chapter 2 (prefixes, `ModRM`, SIB, VEX, EVEX) and appendix A (the
//! opcode maps). An address inside the image is a displacement from the end of the instruction
//! (section 2.2.1.6), in a file with fixed addresses also a number or a bare displacement.

use super::{NOWHERE, Register, Step};

/// An instruction, taken apart.
#[derive(Debug, Default)]
struct Instruction {
    length: usize,
    /// 1: one byte, 2: after 0f, 3: after 0f 38, 4: after 0f 3a.
    map: u8,
    opcode: u8,
    /// VEX or EVEX: none of the instructions whose meaning is asked for.
    vector: bool,
    wide: bool,
    /// A vector register and all of its 16 bytes, as far as opcodes are read here.
    whole: bool,
    /// Eight where the prefix extends the register in the opcode.
    extension: Register,
    /// The `ModRM` byte with the bits of the prefix put in: mode, register, register or memory.
    modrm: Option<(u8, u8, u8)>,
    displacement: i64,
    memory: Memory,
    immediate: i64,
}

/// What a memory operand counts from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Memory {
    #[default]
    Register,
    /// The end of the instruction.
    Here,
    Zero,
}

/// What `code`, which lies at `start`, says: (address of the instruction, step); and whether that is
/// all of it.
pub fn steps(code: &[u8], start: u64, fixed: bool) -> (Vec<(u64, Step)>, bool) {
    let mut found = Vec::new();
    let (mut rest, mut at) = (code, start);
    while let Some(instruction) = Instruction::read(rest) {
        let end = at.wrapping_add(instruction.length as u64);
        found.push((at, instruction.step(end, fixed)));
        rest = rest.get(instruction.length..).unwrap_or_default();
        at = end;
    }
    (found, rest.is_empty())
}

impl Instruction {
    fn read(code: &[u8]) -> Option<Self> {
        let mut bytes = Bytes { code, at: 0 };
        let mut found = Self { map: 1, ..Self::default() };
        let (mut short, mut rex, mut repeat) = (false, 0, 0);
        found.opcode = loop {
            match bytes.next()? {
                0x66 => (short, rex) = (true, 0),
                byte @ (0xf2 | 0xf3) => (repeat, rex) = (byte, 0),
                0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 | 0x67 | 0xf0 => rex = 0,
                byte @ 0x40..=0x4f => rex = byte,
                byte => break byte,
            }
        };
        found.wide = rex & 8 != 0;
        found.extension = (rex & 1) << 3;
        match found.opcode {
            0x0f => {
                found.opcode = bytes.next()?;
                found.map = match found.opcode {
                    0x38 => 3,
                    0x3a => 4,
                    _ => 2,
                };
                if found.map > 2 {
                    found.opcode = bytes.next()?;
                }
            }
            0xc4 | 0xc5 | 0x62 => {
                found.vector = true;
                found.map = match found.opcode {
                    0xc5 => 1,
                    _ => bytes.next()? & 7,
                } + 1;
                let more = if found.opcode == 0x62 { 2 } else { 1 };
                for _ in 0..more {
                    bytes.next()?;
                }
                found.opcode = bytes.next()?;
                if !(2..=4).contains(&found.map) && found.map != 6 && found.map != 7 {
                    return None;
                }
            }
            _ => {}
        }
        // movups and movupd, movaps and movapd, movdqa and movdqu
        found.whole = match (found.map, found.opcode) {
            (2, 0x10) => repeat == 0 && !found.vector,
            (2, 0x28) => true,
            (2, 0x6f) => short || repeat == 0xf3 || found.vector,
            _ => false,
        };
        if found.has_modrm()? {
            found.operand(&mut bytes, rex)?;
        }
        let size = found.immediate_size(short);
        found.immediate = bytes.number(size)?;
        found.length = bytes.at;
        Some(found)
    }

    /// `ModRM`, SIB and displacement.
    fn operand(&mut self, bytes: &mut Bytes, rex: u8) -> Option<()> {
        let byte = bytes.next()?;
        let (mode, register, memory) = (byte >> 6, byte >> 3 & 7, byte & 7);
        self.modrm = Some((mode, register | (rex & 4) << 1, memory | (rex & 1) << 3));
        if mode == 3 {
            return Some(());
        }
        let mut base = memory;
        if memory == 4 {
            let sib = bytes.next()?;
            base = sib & 7;
            if mode == 0 && base == 5 && sib >> 3 & 7 == 4 {
                self.memory = Memory::Zero;
            }
        } else if mode == 0 && memory == 5 {
            self.memory = Memory::Here;
        }
        let size = match mode {
            0 if base == 5 => 4,
            0 => 0,
            1 => 1,
            _ => 4,
        };
        self.displacement = bytes.number(size)?;
        Some(())
    }

    /// None for what is no instruction in 64-bit mode.
    fn has_modrm(&self) -> Option<bool> {
        let opcode = self.opcode;
        Some(match self.map {
            1 => match opcode {
                0x06
                | 0x07
                | 0x0e
                | 0x16
                | 0x17
                | 0x1e
                | 0x1f
                | 0x27
                | 0x2f
                | 0x37
                | 0x3f
                | 0x60
                | 0x61
                | 0x82
                | 0x9a
                | 0xce
                | 0xd4..=0xd6
                | 0xea => return None,
                0x00..=0x3f => opcode & 7 < 4,
                0x63
                | 0x69
                | 0x6b
                | 0x80..=0x8f
                | 0xc0
                | 0xc1
                | 0xc6
                | 0xc7
                | 0xd0..=0xd3
                | 0xd8..=0xdf
                | 0xf6
                | 0xf7
                | 0xfe
                | 0xff => true,
                _ => false,
            },
            2 => match opcode {
                0x04 | 0x0a | 0x0c | 0x24..=0x27 | 0x36 | 0x39..=0x3f if !self.vector => {
                    return None;
                }
                0x77 => false,
                _ if self.vector => true,
                0x05..=0x09
                | 0x0b
                | 0x0e
                | 0x30..=0x37
                | 0x80..=0x8f
                | 0xa0..=0xa2
                | 0xa8..=0xaa
                | 0xc8..=0xcf => false,
                _ => true,
            },
            _ => true,
        })
    }

    fn immediate_size(&self, short: bool) -> usize {
        let word = if short { 2 } else { 4 };
        let group = self.modrm.map_or(0, |(_, register, _)| register & 7);
        match (self.map, self.opcode) {
            (1, 0xb8..=0xbf) if self.wide => 8,
            (1, 0xa0..=0xa3) => 8,
            (1, 0xc2 | 0xca) => 2,
            (1, 0xc8) => 3,
            (1, 0xf6) if group < 2 => 1,
            (1, 0xf7) if group < 2 => word,
            (1, 0xe8 | 0xe9) => 4,
            (1, 0x00..=0x3f) if self.opcode & 7 == 4 => 1,
            (1, 0x00..=0x3f) if self.opcode & 7 == 5 => word,
            (1, 0x68 | 0x69 | 0x81 | 0xa9 | 0xb8..=0xbf | 0xc7) => word,
            (
                1,
                0x6a
                | 0x6b
                | 0x70..=0x7f
                | 0x80
                | 0x83
                | 0xa8
                | 0xb0..=0xb7
                | 0xc0
                | 0xc1
                | 0xc6
                | 0xcd
                | 0xe0..=0xe7
                | 0xeb,
            )
            | (2, 0x0f | 0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6)
            | (4, _) => 1,
            (2, 0x80..=0x8f) if !self.vector => 4,
            _ => 0,
        }
    }

    fn step(&self, end: u64, fixed: bool) -> Step {
        let there = |distance: i64| end.wrapping_add_signed(distance);
        let (mode, register, memory) = self.modrm.unwrap_or((0, NOWHERE, NOWHERE));
        let named = match self.memory {
            Memory::Here => Some(there(self.displacement)),
            Memory::Zero if fixed => Some(self.displacement.cast_unsigned()),
            _ => None,
        };
        // In 64-bit mode a 32-bit result clears the upper half.
        let number = if self.wide {
            self.immediate.cast_unsigned()
        } else {
            self.immediate.cast_unsigned() & 0xffff_ffff
        };
        let place = if mode == 3 { memory } else { NOWHERE };
        if self.vector || self.whole {
            return match named {
                Some(slot) if self.whole => Step::LoadTwo(slot),
                Some(slot) => Step::Load(NOWHERE, slot),
                None => Step::Other,
            };
        }
        match (self.map, self.opcode) {
            (1, 0xe8) => Step::Call(there(self.immediate)),
            (1, 0xe9 | 0xeb) => Step::Jump(there(self.immediate)),
            (1, 0x70..=0x7f | 0xe0..=0xe3) | (2, 0x80..=0x8f) => {
                Step::Branch(there(self.immediate))
            }
            (1, 0xc2 | 0xc3 | 0xcc | 0xf4) | (2, 0x0b) => Step::End,
            (1, 0xff) if register & 7 == 2 => Step::CallElsewhere,
            (1, 0xff) if register & 6 == 4 => Step::End,
            // lea r12, [rbx + 256]
            (1, 0x8d) if matches!(mode, 1 | 2) && memory & 7 != 4 => {
                Step::Add(register, memory, self.displacement.cast_unsigned())
            }
            (1, 0x8d) => named.map_or(Step::Change(register), |to| Step::Address(register, to)),
            (1, 0x8b) if mode == 3 => Step::Copy(register, memory),
            (1, 0x8b) => named.map_or(Step::Change(register), |slot| Step::Load(register, slot)),
            (1, 0x89) if mode == 3 => Step::Copy(memory, register),
            (1, 0x89) => Step::Store(register, register),
            (1, 0xb8..=0xbf) => Step::Number(self.short_register(), number),
            (1, 0xc7) => Step::Number(place, number),
            (1, 0x81 | 0x83) if register.trailing_zeros() >= 3 => {
                Step::Add(place, place, self.immediate.cast_unsigned())
            }
            (1, 0x81) if register & 7 == 7 => Step::Number(NOWHERE, number),
            (1, 0x31) if mode == 3 && register == memory => Step::Number(register, 0),
            (1, 0x01 | 0x29 | 0x31 | 0x81 | 0x83) if mode == 3 => Step::Change(memory),
            (1, 0x58..=0x5f) => Step::Change(self.short_register()),
            _ => named.map_or(Step::Other, |slot| Step::Load(NOWHERE, slot)),
        }
    }

    /// The register in the lowest bits of the opcode.
    fn short_register(&self) -> Register {
        self.opcode & 7 | self.extension
    }
}

struct Bytes<'a> {
    code: &'a [u8],
    at: usize,
}

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.code.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A signed number of `size` bytes.
    fn number(&mut self, size: usize) -> Option<i64> {
        let bytes = self.code.get(self.at..)?.get(..size)?;
        self.at += size;
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut whole = if negative { [0xff; 8] } else { [0; 8] };
        whole.get_mut(..size)?.copy_from_slice(bytes);
        Some(i64::from_le_bytes(whole))
    }
}
