// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;

const CONTRACT: &str = include_str!("../../../../../device/vgpu-stub.yaml");
const GOOD: &str = "[    0.5] vgpu-pipeline: 0000:00:00.0 0x8086 0x1237 0x060000 0x02 0x1af4 0x1100\n\
    vgpu-pipeline: 0000:00:03.0 0x1af4 0x1111 0x120000 0x01 0x1af4 0x1100\nvgpu-pipeline: end\n";

fn judged(said: &str) -> String {
    let expected: [ExpectedType; 1] = [serde_yaml::from_str(CONTRACT).unwrap()];
    let instance = &DeviceInstance::accepted(&expected)[..1];
    seen(said, instance).map_or_else(|error| format!("{error:#}"), |()| "good".to_owned())
}

#[test]
fn what_linux_says_is_held_to_the_contract() {
    assert_eq!(judged(GOOD), "good");
    let first = "`vgpu-stub` without properties: ";
    for (from, to, expected) in [
        ("03.0 0x1af4", "03.0 0x1af5", "Linux sees the vendor id 0x1af5, expected 0x1af4"),
        ("0x120000", "0x030000", "Linux sees the class 0x300, expected 0x1200"),
        ("00:03.0", "00:04.0", "Linux sees nothing at 0000:00:03.0"),
        (
            "0x01 0x1af4 0x1100\nvgpu",
            "0x01 0x1af4 what\nvgpu",
            "Linux says `0x1af4 0x1111 0x120000",
        ),
    ] {
        assert!(judged(&GOOD.replace(from, to)).starts_with(&format!("{first}{expected}")), "{to}");
    }
}

#[test]
fn a_guest_that_dies_on_the_way_says_its_last() {
    for (said, expected) in [
        ("", "the last that it said: nothing"),
        ("Kernel panic - not syncing\n\n", "the last that it said: Kernel panic - not syncing"),
        (&GOOD.replace("vgpu-pipeline: end\n", ""), "it did not come to its end"),
        ("\u{1b}[2J\u{0}\n", "the last that it said: \\u{1b}[2J\\0"),
    ] {
        assert!(judged(said).contains(expected), "{}", judged(said));
    }
}
