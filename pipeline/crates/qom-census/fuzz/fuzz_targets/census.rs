// SPDX-License-Identifier: GPL-2.0-or-later
//! Any bytes as a QEMU binary: census and hardening end, with a report or with an error, and never panic.

#![no_main]

use qom_census::{Census, ElfInfo, executable, has_gdb_scripts, is_for_debuggers};

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    let _ = ElfInfo::read(file);
    let _ = (executable(file), is_for_debuggers(file), has_gdb_scripts(file));
    if let Ok(census) = Census::read(file) {
        for name in census.names() {
            let _ = census.find(name);
        }
        let _ = census.report();
    }
});
