//! A contract: what one device must be, said once, in a file that its pipelines share.
//!
//! An entry of `verify.types` has the same form, and is held to the same sense.

use super::check::Problem;
use super::verify::{Bar, BarKind, ExpectedType, Pci, Start};
use super::{Pipeline, check, yaml};
use anyhow::Result;
use std::collections::BTreeSet;

/// Where a device is plugged in; whoever starts it chooses that.
const PLACE: [&str; 4] = ["addr", "bus", "driver", "id"];
/// The registers of a function's header that may be base addresses (PCI Local Bus 3.0, 6.2.5).
const BARS: u8 = 6;

/// Reads a contract. `file` is the name that errors carry.
pub fn parse(text: &str, file: &str) -> Result<ExpectedType> {
    let expected = yaml::read(text, file)?;
    check(&expected).map_err(|problem| problem.at(text, file))?;
    Ok(expected)
}

impl Pipeline {
    /// Takes in what its contracts say. `text` and `file` are the pipeline's own.
    pub fn with_contracts(
        mut self,
        contracts: Vec<ExpectedType>,
        text: &str,
        file: &str,
    ) -> Result<Self> {
        self.verify.types.extend(contracts);
        check::types(&self).map_err(|problem| problem.at(text, file))?;
        Ok(self)
    }
}

pub fn check(expected: &ExpectedType) -> Result<(), Problem> {
    if let Some(pci) = &expected.pci {
        function(pci)?;
    }
    let bars = expected.pci.iter().flat_map(|pci| &pci.bars);
    let bar = bars.clone().find(|bar| bar.index == 0);
    expected.starts.iter().try_for_each(|start| check_start(start, bar))
}

fn function(pci: &Pci) -> Result<(), Problem> {
    if pci.interrupt_pin > 4 {
        return Err(Problem::new(
            "interrupt-pin:",
            format!(
                "`interrupt-pin` {} is none of PCI's\nhelp: 1 to 4 are INTA to INTD, 0 is none",
                pci.interrupt_pin
            ),
        ));
    }
    let mut taken = BTreeSet::new();
    for bar in &pci.bars {
        // The upper half of a 64-bit address is the next register.
        let last = bar.index.saturating_add(u8::from(bar.kind == BarKind::Memory64));
        for index in bar.index..=last {
            if index >= BARS {
                return Err(Problem::new(
                    "bars:",
                    format!("there is no BAR {index}: 5 is the last"),
                ));
            }
            if !taken.insert(index) {
                return Err(Problem::new("bars:", format!("BAR {index} is given twice")));
            }
        }
        size(bar)?;
    }
    Ok(())
}

fn size(bar: &Bar) -> Result<(), Problem> {
    let Bar { index, size, prefetchable, .. } = *bar;
    let (least, most) = match bar.kind {
        BarKind::Io => (4, 0x1000),
        BarKind::Memory32 => (16, 1 << 31),
        BarKind::Memory64 => (16, 1 << 40),
    };
    if !size.is_power_of_two() || !(least..=most).contains(&size) {
        return Err(Problem::number(
            size,
            format!(
                "the size of BAR {index}, {size:#x}, is not a power of two from {least:#x} to {most:#x}"
            ),
        ));
    }
    if prefetchable && bar.kind == BarKind::Io {
        return Err(Problem::new(
            "prefetchable",
            format!("BAR {index} is of I/O ports, which no bridge fetches early"),
        ));
    }
    Ok(())
}

fn check_start(start: &Start, bar: Option<&Bar>) -> Result<(), Problem> {
    for name in start.with.keys() {
        if PLACE.contains(&name.as_str()) {
            return Err(Problem::new(
                format!("{name}:"),
                format!("`{name}` says where a device is plugged in, and the proof chooses that"),
            ));
        }
    }
    let registers: Vec<u64> =
        start.reads.keys().chain(start.writes.keys()).chain(start.then.keys()).copied().collect();
    if let (Some(message), false) = (&start.refused, registers.is_empty()) {
        return Err(Problem::new(
            message.as_str(),
            "a start that is `refused` has no registers to read or write\n\
             help: leave out `reads`, `writes` and `then`, or `refused`",
        ));
    }
    if start.writes.is_empty() && !start.then.is_empty() {
        return Err(Problem::new(
            "then:",
            "`then` is what registers read after `writes`, and there are none",
        ));
    }
    for offset in registers {
        let Some(bar) = bar else {
            return Err(Problem::number(
                offset,
                format!(
                    "nothing says where register {offset:#05x} is\nhelp: add `pci:` with a BAR 0"
                ),
            ));
        };
        if offset % 4 != 0 || offset >= bar.size {
            return Err(Problem::number(
                offset,
                format!(
                    "register {offset:#05x} is not one of 32 bits in BAR 0\n\
                     help: a multiple of 4 below its size, {:#x}",
                    bar.size
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
