// SPDX-License-Identifier: GPL-2.0-or-later
//! The devices as PCI functions, in a qtest session: configuration space, base address registers, and
//! the registers behind the first of them, read, written and read again.

use super::machine::{EMPTY_INSIDE, Machine};
use super::program::{Program, Session};
use super::qtest::{Field, LAST_LINE, Script};
use super::{Check, DeviceInstance, HELP};
use crate::config::{Bar, BarKind, ExpectedType, Pci};
use crate::error::Help;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;

/// The slots that are free on a machine without defaults, and more than one start needs.
pub const FIRST_SLOT: u8 = 3;
pub const SLOTS: usize = 24;
/// PCI's configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2).
const CONFIG_ADDRESS: u64 = 0xcf8;
const CONFIG_DATA: u64 = 0xcfc;
/// The command register, and its bits.
const COMMAND: u8 = 0x04;
const IO_SPACE: u32 = 1;
const MEMORY_SPACE: u32 = 2;
/// The first base address register, and how many there are.
const BAR: u8 = 0x10;
const BARS: u8 = 6;
/// Where BAR 0 is placed while its registers are used: ports that nothing has, and memory above what
/// the machine has, aligned to any size up to a gigabyte.
const PORTS: u64 = 0xc000;
const MEMORY: u64 = 0x4000_0000;
const PAGE: u64 = 0x1000;

/// Starts every device that has to start, and holds it to its contract.
pub fn check(
    program: &Program,
    machine: &Machine,
    expected: &[ExpectedType],
) -> Result<Option<Check>> {
    let instances = DeviceInstance::accepted(expected);
    let mut fields = 0;
    for chunk in instances.chunks(SLOTS) {
        let mut script = Script::default();
        let mut args: Vec<String> =
            ["-L", EMPTY_INSIDE, "-nodefaults", "-no-user-config", "-display", "none"]
                .map(str::to_owned)
                .to_vec();
        args.extend(["-qtest", "stdio", "-qtest-log", "/dev/null"].map(str::to_owned));
        args.extend(["-machine".to_owned(), format!("{},accel=qtest", machine.name)]);
        for (slot, instance) in (FIRST_SLOT..).zip(chunk) {
            args.extend(["-device".to_owned(), instance.option(Some(slot))]);
            if let Some(pci) = &instance.expected.pci {
                PciFunction { instance, pci, slot }.prove(&mut script);
            }
        }
        let session = Session {
            args: args.iter().map(String::as_str).collect(),
            input: script.input(),
            until: Some(LAST_LINE),
            limit: None,
        };
        let said = match program.attempt(session)? {
            Ok(said) => said,
            Err(exit) => {
                return Err(anyhow!(
                    "{} does not start with devices that it has to accept: {}",
                    program.display_name,
                    exit.words()
                )
                .help(HELP));
            }
        };
        script.judge(&said).with_context(|| program.display_name.clone())?;
        fields += script.fields();
    }
    let count = instances.len();
    let seen = format!("{count} starts, {fields} values");
    Ok((count > 0).then(|| Check::passed("starts", seen)))
}

/// A device in its slot.
pub struct PciFunction<'a> {
    pub instance: &'a DeviceInstance<'a>,
    pub pci: &'a Pci,
    pub slot: u8,
}

impl PciFunction<'_> {
    pub fn prove(&self, script: &mut Script) {
        self.header(script);
        for index in 0..BARS {
            self.bar(script, index);
        }
        if let Some(bar) = self.pci.bars.iter().find(|bar| bar.index == 0) {
            self.registers(script, bar);
        }
    }

    fn header(&self, script: &mut Script) {
        let Pci { vendor, device, revision, class, subsystem_vendor, subsystem, .. } = *self.pci;
        let field = |what: &str, shift, bits, expected| Field {
            what: format!("{}: {what} in configuration space", self.instance),
            shift,
            bits,
            expected,
        };
        for (offset, fields) in [
            (
                0x00,
                vec![
                    field("the vendor id", 0, 16, vendor.into()),
                    field("the device id", 16, 16, device.into()),
                ],
            ),
            (
                0x08,
                vec![
                    field("the revision", 0, 8, revision.into()),
                    field("the class", 16, 16, class.into()),
                ],
            ),
            // The header of a bridge has other registers in these places.
            (0x0c, vec![field("the header's type", 16, 7, 0)]),
            (
                0x2c,
                vec![
                    field("the subsystem's vendor id", 0, 16, subsystem_vendor.into()),
                    field("the subsystem id", 16, 16, subsystem.into()),
                ],
            ),
            (0x3c, vec![field("the interrupt pin", 8, 8, self.pci.interrupt_pin.into())]),
        ] {
            self.config_read(script, offset, fields);
        }
    }

    /// What a base address register reads after all ones says what it maps (6.2.5.1).
    fn bar(&self, script: &mut Script, index: u8) {
        let offset = BAR + 4 * index;
        let (what, bits, expected) = self.after_all_ones(index);
        let what = format!("{}: BAR {index} after all ones ({what})", self.instance);
        self.config_write(script, offset, u32::MAX);
        self.config_read(script, offset, vec![Field { what, shift: 0, bits, expected }]);
        // QEMU maps nothing at 0.
        self.config_write(script, offset, 0);
    }

    fn after_all_ones(&self, index: u8) -> (String, u8, u32) {
        let bars = &self.pci.bars;
        if let Some(bar) = bars.iter().find(|bar| bar.index == index) {
            let mask = u32::try_from(!(bar.size - 1) & u64::from(u32::MAX)).unwrap_or_default();
            let prefetchable = u32::from(bar.prefetchable) << 3;
            let (what, bits, expected) = match bar.kind {
                // A port has 16 bits; whether a BAR has more is its own affair.
                BarKind::Io => ("ports", 16, (mask & 0xfffc) | 1),
                BarKind::Memory32 => ("32-bit memory", 32, (mask & !0xf) | prefetchable),
                BarKind::Memory64 => ("64-bit memory", 32, (mask & !0xf) | prefetchable | 4),
            };
            return (format!("{what}, {:#x} bytes", bar.size), bits, expected);
        }
        let upper = |bar: &&Bar| bar.kind == BarKind::Memory64 && bar.index + 1 == index;
        if let Some(bar) = bars.iter().find(upper) {
            let mask = u32::try_from(!(bar.size - 1) >> 32).unwrap_or_default();
            return (format!("the upper half of BAR {}", bar.index), 32, mask);
        }
        ("which is not declared".to_owned(), 32, 0)
    }

    /// Reads all registers of BAR 0, up to the size of a page; how many that are.
    pub fn read_all(&self, script: &mut Script) -> usize {
        let Some(bar) = self.pci.bars.iter().find(|bar| bar.index == 0) else { return 0 };
        let (place, read, _) = self.place(script, bar);
        let end = bar.size.min(PAGE);
        for offset in (0..end).step_by(4) {
            script.ask(read, place + offset);
        }
        self.config_write(script, COMMAND, 0);
        usize::try_from(end.div_ceil(4)).unwrap_or_default()
    }

    /// Places BAR 0; where that is, and how it is read and written.
    fn place(&self, script: &mut Script, bar: &Bar) -> (u64, &'static str, &'static str) {
        let (place, space, read, write) = match bar.kind {
            BarKind::Io => (PORTS, IO_SPACE, "inl", "outl"),
            BarKind::Memory32 | BarKind::Memory64 => {
                (MEMORY.max(bar.size), MEMORY_SPACE, "readl", "writel")
            }
        };
        self.config_write(script, BAR, u32::try_from(place & 0xffff_ffff).unwrap_or_default());
        if bar.kind == BarKind::Memory64 {
            let upper = u32::try_from(place >> 32).unwrap_or_default();
            self.config_write(script, BAR + 4, upper);
        }
        self.config_write(script, COMMAND, space);
        (place, read, write)
    }

    fn registers(&self, script: &mut Script, bar: &Bar) {
        let start = self.instance.start;
        let (place, read, write) = self.place(script, bar);
        let expect = |script: &mut Script, registers: &BTreeMap<u64, u32>, when: &str| {
            for (offset, expected) in registers {
                let what = format!("{}: register {offset:#05x} {when}", self.instance);
                script.read(read, place + offset, vec![Field::whole(what, *expected)]);
            }
        };
        expect(script, &start.reads, "at the start");
        for (offset, value) in &start.writes {
            script.write(write, place + offset, *value);
        }
        expect(script, &start.then, "after the writes");
        self.config_write(script, COMMAND, 0);
    }

    fn config_read(&self, script: &mut Script, offset: u8, fields: Vec<Field>) {
        self.select(script, offset);
        script.read("inl", CONFIG_DATA, fields);
    }

    fn config_write(&self, script: &mut Script, offset: u8, value: u32) {
        self.select(script, offset);
        script.write("outl", CONFIG_DATA, value);
    }

    fn select(&self, script: &mut Script, offset: u8) {
        let address = 0x8000_0000 | u32::from(self.slot) << 11 | u32::from(offset);
        script.write("outl", CONFIG_ADDRESS, address);
    }
}
