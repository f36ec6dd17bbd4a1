// SPDX-License-Identifier: GPL-2.0-or-later
//! QEMU's qtest protocol (softmmu/qtest.c): bus accesses, one a line, and what each must give.
//!
//! It has no word for the end, so the last line is one that it does not know.

use super::HELP;
use super::qmp::excerpt;
use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail};

const END: &str = "end-of-session";
/// The answer to it.
pub const LAST_LINE: &str = "FAIL Unknown command 'end-of-session'";

/// Accesses, in order, with what is expected of the reads.
#[derive(Default)]
pub struct Script {
    accesses: Vec<(String, Vec<Field>)>,
}

/// Some bits of a value that is read.
#[derive(Debug, Clone)]
pub struct Field {
    /// What they are, and of what, for the error.
    pub what: String,
    pub shift: u8,
    pub bits: u8,
    pub expected: u32,
}

impl Field {
    /// All 32 bits.
    pub fn whole(what: impl Into<String>, expected: u32) -> Self {
        Self { what: what.into(), shift: 0, bits: 32, expected }
    }

    fn of(&self, value: u32) -> u32 {
        let mask = u32::MAX >> (32 - u32::from(self.bits.clamp(1, 32)));
        (value >> self.shift) & mask
    }
}

impl Script {
    pub fn write(&mut self, command: &str, address: u64, value: u32) {
        self.accesses.push((format!("{command} {address:#x} {value:#x}"), Vec::new()));
    }

    pub fn read(&mut self, command: &str, address: u64, fields: Vec<Field>) {
        self.accesses.push((format!("{command} {address:#x}"), fields));
    }

    /// Reads what the caller looks at.
    pub fn ask(&mut self, command: &str, address: u64) {
        self.accesses.push((format!("{command} {address:#x}"), Vec::new()));
    }

    /// What the reads that were asked for gave, in order.
    pub fn values(&self, said: &str) -> Result<Vec<u32>> {
        self.judge(said)?;
        let answers = said.lines().filter(|line| !line.starts_with("IRQ "));
        let answers = self.accesses.iter().zip(answers);
        let answers = answers.filter(|((access, fields), _)| {
            fields.is_empty() && (access.starts_with("in") || access.starts_with("read"))
        });
        answers
            .map(|((access, _), answer)| {
                let value = answer.split_whitespace().nth(1).and_then(number);
                value.with_context(|| {
                    format!("it answered `{}` to `{access}`, which is no value", excerpt(answer))
                })
            })
            .collect()
    }

    /// How many expectations it has.
    pub fn fields(&self) -> usize {
        self.accesses.iter().map(|(_, fields)| fields.len()).sum()
    }

    /// The text of the session.
    pub fn input(&self) -> String {
        let lines: Vec<&str> =
            self.accesses.iter().map(|(line, _)| line.as_str()).chain([END]).collect();
        lines.join("\n") + "\n"
    }

    /// Holds the answers to what is expected.
    pub fn judge(&self, said: &str) -> Result<()> {
        // An interrupt is told as it comes, between two answers.
        let mut answers = said.lines().filter(|line| !line.starts_with("IRQ "));
        for (access, fields) in &self.accesses {
            let answer =
                answers.next().with_context(|| format!("it gave no answer to `{access}`"))?;
            let mut words = answer.split_whitespace();
            if words.next() != Some("OK") {
                bail!("it answered `{}` to `{access}`", excerpt(answer));
            }
            if fields.is_empty() {
                continue;
            }
            let value = words.next().and_then(number).with_context(|| {
                format!("it answered `{}` to `{access}`, which is no value", excerpt(answer))
            })?;
            for field in fields {
                let (found, expected) = (field.of(value), field.expected);
                if found != expected {
                    return Err(
                        anyhow!("{} is {found:#x}, expected {expected:#x}", field.what).help(HELP)
                    );
                }
            }
        }
        Ok(())
    }
}

/// 32 bits, as `0x0000000000000041`.
fn number(word: &str) -> Option<u32> {
    u32::try_from(u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?).ok()
}
