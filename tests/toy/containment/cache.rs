// SPDX-License-Identifier: GPL-2.0-or-later
//! The compiler cache between pipelines.

use crate::support::{Toy, events, from, kept, ran};
use crate::support::{key, result, started};
use serde_json::Value;
use std::fs;
use vgpu_pipeline::Event;

/// Lines in a build with a device that attack the cache and say what came of it.
const ATTACK: &str = r#"
              - "echo 'prefix_command = /build/evil' >/ccache/ccache.conf && echo ATTACK: configured || :"
              - "for object in $(find /ccache -type f | head -n 3); do { echo poison >>$object; } 2>/dev/null && echo ATTACK: poisoned || :; done"
              - "mkdir /ccache/f 2>/dev/null || :; touch /ccache/f/x && echo ATTACK: added || :"
              - "rm -rf /ccache/* 2>/dev/null && echo ATTACK: removed || :"
              - "chmod 4755 /ccache 2>/dev/null && echo ATTACK: setuid || :"
              - "export CCACHE_LOGFILE=/build/ccache.log"
"#;

/// Inserts lines at the start of %build, which only the build with the devices has.
fn insert(toy: &Toy, lines: &str) {
    let edit = format!(
        "    - insert-before:\n        anchor: extra_configure_argument+=\n        insert:\n          \
         lines:{}\n    - release-suffix",
        lines.trim_end()
    );
    toy.edit("toy.yaml", "    - release-suffix", &edit);
}

/// Shows what ccache did, at the end of %build.
fn show(toy: &Toy) {
    let edit = "    - insert-after:\n        anchor: \"_smp_mflags} all\"\n        insert:\n          \
                lines: ['grep Result: /build/ccache.log || :']\n    - release-suffix";
    toy.edit("toy.yaml", "    - release-suffix", edit);
}

/// The log of the build with the devices, as it is kept with the result.
fn log(events: &[Event]) -> String {
    fs::read_to_string(result(events, "build").join("files/build.log")).unwrap()
}

fn manifest(toy: &Toy) -> Value {
    serde_json::from_slice(&fs::read(toy.output().join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_build_with_a_device_reads_the_stock_packages_cache_and_writes_nothing_into_it() {
    let toy = Toy::with_stock("cache-attack");
    insert(&toy, ATTACK);
    show(&toy);
    let first = events(&mut toy.run());
    assert_eq!(ran(&first)[..4], ["source", "inject", "stock", "build"]);
    let said = log(&first);
    assert!(said.contains("Read-only file system"), "{said}");
    assert!(!said.contains("\nATTACK: "), "{said}");
    assert!(said.contains("Result: direct_cache_hit"), "{said}");
    let stock = key(&first, "stock");
    assert_eq!(manifest(&toy)["compiler_cache"]["stock"], stock.as_str());

    // Another pipeline, with another device, has the cache as the stock package's build left it.
    let other = toy.twin();
    other.edit("vgpu-stub.c", "Virtual GPU", "Another GPU");
    let second = events(&mut other.run());
    assert!(!ran(&second).contains(&"stock"), "{second:#?}");
    let said = log(&second);
    assert!(said.contains("Result: direct_cache_hit"), "{said}");
    assert!(!said.contains("\nATTACK: "), "{said}");
    assert_eq!(manifest(&other)["compiler_cache"]["stock"], stock.as_str());
}

#[test]
fn a_stock_packages_build_leaves_objects_and_no_configuration() {
    let toy = Toy::with_stock("cache-configured");
    // An edit of the stock spec itself; `stock` is filled by it, and it alone has that key.
    let lines = "        - insert-before:\n            anchor: extra_configure_argument+=\n            \
                 insert: { lines: [\"echo 'prefix_command = /build/evil' >/ccache/ccache.conf; \
                 ln -s / /ccache/linked; chmod 4777 /ccache\"] }\n        - replace: { find: --enable";
    toy.edit("toy.yaml", "        - replace: { find: --enable", lines);
    insert(&toy, "\n              - \"ls -ld /ccache/* ; cat /ccache/ccache.conf || :\"\n");
    let first = events(&mut toy.run());
    let said = log(&first);
    assert!(said.contains("ccache.conf: No such file"), "{said}");
    assert!(!said.contains("prefix_command = /build/evil\n"), "{said}");
    assert!(!said.contains("/ccache/linked"), "{said}");
}

#[test]
fn a_damaged_cache_is_dropped_and_made_again_when_a_device_is_built() {
    let toy = Toy::with_stock("cache-damaged");
    let first = events(&mut toy.run());
    let name = format!("store/results/stock-{}/files/ccache.tar", key(&first, "stock"));
    let file = kept(&name);
    let whole = fs::read(&file).unwrap();
    let mut spoilt = whole.clone();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    fs::write(&file, &spoilt).unwrap();
    // Nothing reads it while everything is cached.
    assert!(ran(&events(&mut toy.run())).is_empty());
    toy.edit("vgpu-stub.c", "Virtual GPU", "Another GPU");
    let again = events(&mut toy.run());
    assert_eq!(ran(&again), from(&again, "inject", &[]));
    assert_ne!(fs::read(&file).unwrap(), spoilt);
}

#[test]
fn the_test_binarys_objects_come_from_the_stock_packages_build_too() {
    let toy = Toy::with_stock("cache-test-binary");
    let binary = "  test-binary:\n    file: i386-softmmu/qemu-system-i386\n    edits:\n      \
                  - insert-before:\n          anchor: extra_configure_argument+=\n          \
                  insert: { lines: ['extra_configure_argument+=(--extra-cflags=-DFOR_TESTS)'] }\n      \
                  - insert-before:\n          anchor: extra_configure_argument+=('\n          \
                  insert: { lines: [export CCACHE_LOGFILE=/build/ccache.log] }\n      \
                  - insert-after:\n          anchor: \"_smp_mflags} all\"\n          \
                  insert: { lines: ['grep Result: /build/ccache.log || :'] }\n\nverify:";
    toy.edit("toy.yaml", "\nverify:", binary);
    let first = events(&mut toy.run());
    let said = fs::read_to_string(started(&first, "build")).unwrap();
    let hits = said.matches("Result: direct_cache_hit").count();
    assert!(hits >= 4, "{said}");
}

/// Two pipelines of one name, alike to the last byte, in two folders.
#[test]
fn without_a_stock_package_a_pipelines_cache_is_its_own() {
    let toy = Toy::new("cache-own");
    let lines = "\n              - \"find /ccache -type f | grep -v stats | sed s/^/SEEN:/\"\n              \
                 - \"echo 'prefix_command = /build/evil' >/ccache/ccache.conf\"\n              \
                 - \"export CCACHE_LOGFILE=/build/ccache.log\"\n";
    insert(&toy, lines);
    show(&toy);
    let twin = toy.twin();
    let first = events(&mut toy.run());
    assert!(!log(&first).contains("\nSEEN:"));
    let second = events(&mut twin.run());
    assert_eq!(ran(&second), from(&second, "build", &[]));
    assert!(!log(&second).contains("\nSEEN:"), "{}", log(&second));
    let own = |toy: &Toy| manifest(toy)["compiler_cache"]["own"].as_str().unwrap().to_owned();
    assert_ne!(own(&toy), own(&twin));

    // The next build of the same one has what it wrote, and obeys no configuration of its own either.
    toy.edit("vgpu-stub.c", "Virtual GPU", "Another GPU");
    let third = events(&mut toy.run());
    let said = log(&third);
    assert!(said.contains("\nSEEN:/ccache/ccache.conf"), "{said}");
    assert!(said.contains("Result: direct_cache_hit"), "{said}");
}
