//! Any bytes as a QEMU binary: census and facts end, with a report or with an error, and never panic.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the program uses more of the room than a fuzzer")]

#[path = "../../../pipeline/src/verify/elf/mod.rs"]
mod elf;

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    let _ = elf::facts::read(file);
    let _ = (elf::starts(file), elf::is_for_debuggers(file), elf::has_scripts(file));
    if let Ok(census) = elf::Census::read(file) {
        for name in census.names() {
            let _ = census.find(name);
        }
        let _ = census.report();
    }
});
