// SPDX-License-Identifier: GPL-2.0-or-later
//! What is in the registers, as far as single instructions say.

use super::{Machine, Step};

/// A register by its number in the instruction.
pub type Register = u8;

/// What is in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Value {
    #[default]
    Unknown,
    Address(u64),
    /// The word at an address.
    Loaded(u64),
    Number(u64),
}

/// The registers of x86-64 or aarch64; the latter has more.
#[derive(Debug)]
pub struct Registers {
    machine: Machine,
    values: [Value; 32],
}

impl Registers {
    pub fn new(machine: Machine) -> Self {
        Self { machine, values: [Value::Unknown; 32] }
    }

    /// The first arguments of a call (System V ABI, AAPCS64).
    pub fn arguments(&self) -> [Value; 3] {
        match self.machine {
            Machine::X86_64 => [7, 6, 2],
            Machine::Aarch64 => [0, 1, 2],
        }
        .map(|register| self.get(register))
    }

    /// The stack pointer.
    pub fn stack(&self) -> Register {
        match self.machine {
            Machine::X86_64 => 4,
            Machine::Aarch64 => 31,
        }
    }

    pub fn apply(&mut self, step: Step) {
        match step {
            Step::Address(to, address) => self.put(to, Value::Address(address)),
            Step::Load(to, slot) => self.put(to, Value::Loaded(slot)),
            Step::Number(to, number) => self.put(to, Value::Number(number)),
            Step::Copy(to, from) => self.put(to, self.get(from)),
            Step::Add(to, from, number) => self.put(
                to,
                match self.get(from) {
                    Value::Address(base) => Value::Address(base.wrapping_add(number)),
                    _ => Value::Unknown,
                },
            ),
            Step::Sum(to, one, other) => {
                self.put(to, self.sum(one, other).map_or(Value::Unknown, Value::Address));
            }
            Step::Change(to) => self.put(to, Value::Unknown),
            Step::Call(_) | Step::CallElsewhere => self.call(),
            _ => {}
        }
    }

    fn call(&mut self) {
        for (register, value) in self.values.iter_mut().enumerate() {
            let preserved = match self.machine {
                // rbx, rbp, r12 to r15
                Machine::X86_64 => matches!(register, 3 | 5 | 12..=15),
                Machine::Aarch64 => (19..=28).contains(&register),
            };
            if !preserved {
                *value = Value::Unknown;
            }
        }
    }

    /// An address and a number.
    pub fn sum(&self, one: Register, other: Register) -> Option<u64> {
        match (self.get(one), self.get(other)) {
            (Value::Address(base), Value::Number(number))
            | (Value::Number(number), Value::Address(base)) => Some(base.wrapping_add(number)),
            _ => None,
        }
    }

    pub fn get(&self, register: Register) -> Value {
        self.values.get(usize::from(register)).copied().unwrap_or_default()
    }

    fn put(&mut self, register: Register, value: Value) {
        if let Some(slot) = self.values.get_mut(usize::from(register)) {
            *slot = value;
        }
    }
}
