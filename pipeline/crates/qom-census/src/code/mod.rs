// SPDX-License-Identifier: GPL-2.0-or-later
//! What machine code says, as far as this room asks: which addresses and numbers it names, whom it
//! calls with what, and what it does only under a condition.
//!
//! A function is read from its first instruction to its last, one after the other. Nothing is
//! executed, and no value is followed through memory: registers hold what the instructions before
//! put there, whatever branches there are between. An instruction that this room does not know ends
//! the reading; [`CodeSummary::whole`] says so, and a reader takes that for "not settled".

mod aarch64;
mod registers;
mod x86_64;

use super::functions::Functions;
use super::header::Machine;
use super::image::Image;
use registers::Registers;
pub use registers::{Register, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// Where a number goes that goes into no register.
const NOWHERE: Register = u8::MAX;

/// How many bytes of code are read in all: four times what Debian's largest binary takes.
const BUDGET: usize = 8 << 20;

/// What one instruction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// An address of the image, put into a register.
    Address(Register, u64),
    /// The word at an address of the image.
    Load(Register, u64),
    /// The two words at an address of the image, put into a vector register.
    LoadTwo(u64),
    /// A number, put into a register, into memory, or compared.
    Number(Register, u64),
    /// A register with a number added, put into a register.
    Add(Register, Register, u64),
    /// The sum of two registers, put into a register.
    Sum(Register, Register, Register),
    /// One register's value, put into another.
    Copy(Register, Register),
    /// One or two registers, put into memory.
    Store(Register, Register),
    /// Another change of a register.
    Change(Register),
    Call(u64),
    /// Through a pointer.
    CallElsewhere,
    Jump(u64),
    /// A jump that is taken or not.
    Branch(u64),
    /// A return, a jump through a pointer, a trap: what comes next is not reached from here.
    End,
    Other,
}

/// A call of another function of the image.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub callee: u64,
    pub arguments: [Value; 3],
    pub conditional: bool,
}

/// What a function says.
#[derive(Debug, Default)]
pub struct CodeSummary {
    /// Addresses of the image, in the code's order, and whether a branch may leave them out.
    pub named: Vec<(u64, bool)>,
    /// Addresses of the image that are put into memory.
    pub stored: Vec<u64>,
    /// Addresses of words that are loaded.
    pub loaded: Vec<u64>,
    pub calls: Vec<Call>,
    /// Numbers that are added to registers: the strides of loops are among them.
    pub added: Vec<u64>,
    /// Every instruction was understood well enough to find the next.
    pub whole: bool,
}

/// The code of an image, read once where it is asked for.
#[derive(Debug)]
pub struct Code<'i, 'a> {
    image: &'i Image<'a>,
    functions: &'i Functions<'a>,
    known: HashMap<u64, Rc<CodeSummary>>,
    /// Bytes that may yet be read: an unwind table that lies names the same code many times.
    budget: usize,
}

impl<'i, 'a> Code<'i, 'a> {
    pub fn new(image: &'i Image<'a>, functions: &'i Functions<'a>) -> Self {
        Self { image, functions, known: HashMap::new(), budget: BUDGET }
    }

    /// What the function at `start` says; nothing where none starts there, or too much was read.
    pub fn summary(&mut self, start: u64) -> Rc<CodeSummary> {
        if let Some(summary) = self.known.get(&start) {
            return Rc::clone(summary);
        }
        let code = self.functions.code(self.image, start);
        let code = code.filter(|code| code.len() <= self.budget).unwrap_or_default();
        self.budget -= code.len();
        let summary = Rc::new(self.read(code, start));
        self.known.insert(start, Rc::clone(&summary));
        summary
    }

    fn read(&self, code: &[u8], start: u64) -> CodeSummary {
        let machine = self.image.machine();
        let (steps, whole) = match machine {
            Machine::X86_64 => x86_64::steps(code, start, self.image.has_fixed_addresses()),
            Machine::Aarch64 => (aarch64::steps(code, start), true),
        };
        let end = start.wrapping_add(code.len() as u64);
        let mut summary =
            CodeSummary { whole: whole && !code.is_empty(), ..CodeSummary::default() };
        let mut registers = Registers::new(machine);
        // Up to where a branch may have jumped over us; and whether we are only reached by one.
        let (mut skipped_to, mut apart) = (start, false);
        for (at, step) in steps {
            let conditional = apart || at < skipped_to;
            match step {
                Step::Address(_, address) => summary.named.push((address, conditional)),
                Step::Number(_, number) if self.is_address(number) => {
                    summary.named.push((number, conditional));
                }
                Step::Sum(_, one, other) => {
                    if let Some(sum) = registers.sum(one, other) {
                        summary.named.push((sum, conditional));
                    }
                }
                Step::Store(first, second) => {
                    for register in [first, second] {
                        if let Value::Address(address) = registers.get(register) {
                            summary.stored.push(address);
                        }
                    }
                }
                Step::Load(_, slot) => summary.loaded.push(slot),
                Step::LoadTwo(slot) => summary.loaded.extend([slot, slot.wrapping_add(8)]),
                Step::Add(to, from, number) => {
                    if to == from && to != registers.stack() {
                        summary.added.push(number);
                    }
                    if let Value::Address(base) = registers.get(from) {
                        summary.named.push((base.wrapping_add(number), conditional));
                    }
                }
                Step::Call(callee) => {
                    let arguments = registers.arguments();
                    summary.calls.push(Call { callee, arguments, conditional });
                }
                Step::Jump(to) if (start..end).contains(&to) => {
                    if to > at {
                        skipped_to = skipped_to.max(to);
                    } else {
                        apart = true;
                    }
                }
                Step::Jump(callee) => {
                    let arguments = registers.arguments();
                    summary.calls.push(Call { callee, arguments, conditional });
                    apart = true;
                }
                Step::Branch(to) if to > at => skipped_to = skipped_to.max(to.min(end)),
                Step::End => apart = true,
                _ => {}
            }
            registers.apply(step);
        }
        summary
    }

    /// In a file with fixed addresses a number may be one.
    fn is_address(&self, number: u64) -> bool {
        number != 0 && self.image.has_fixed_addresses() && self.image.is_inside(number)
    }
}

/// How long each instruction of x86-64 is.
#[cfg(test)]
pub fn lengths(code: &[u8]) -> Vec<usize> {
    let (steps, _) = x86_64::steps(code, 0, false);
    let starts: Vec<usize> = steps.iter().map(|&(at, _)| usize::try_from(at).unwrap()).collect();
    let ends = starts.iter().skip(1).copied().chain([code.len()]);
    starts.iter().zip(ends).map(|(start, end)| end - start).collect()
}
