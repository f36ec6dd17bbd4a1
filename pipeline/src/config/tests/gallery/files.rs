// SPDX-License-Identifier: GPL-2.0-or-later
//! Files with nothing in them, files in the place of others, and a lock that somebody wrote.

use super::{Contract, In, LOCK, LockFile, SETTINGS, SettingsFile, Slip, Workstation};

const PIPELINE: &str = include_str!("../../../../workstation.yaml");
const CONTRACT: &str = include_str!("../../../../../device/vgpu-stub.yaml");
const COMMENTS: &str = "# A pipeline will stand here.\n\n---\n# Some day.\n";
/// As in the place of a contract that has only begun.
const SMALL: &str = "version: 1\nname: toy\nsource: []\n";

pub const SLIPS: &[Slip] = &[
    ("empty-pipeline", In::Text("", &Workstation), &[]),
    ("empty-contract", In::Text("\n", &Contract), &[]),
    ("empty-lock", In::Text("", &LockFile), &[]),
    ("pipeline-of-comments-alone", In::Text(COMMENTS, &Workstation), &[]),
    ("pipeline-that-is-null", In::Text("~\n", &Workstation), &[]),
    ("byte-order-mark-alone", In::Text("\u{feff}", &Workstation), &[]),
    ("pipeline-for-a-contract", In::Text(PIPELINE, &Contract), &[]),
    ("small-pipeline-for-a-contract", In::Text(SMALL, &Contract), &[]),
    ("pipeline-for-a-lock", In::Text(PIPELINE, &LockFile), &[]),
    ("pipeline-for-the-settings", In::Text(PIPELINE, &SettingsFile), &[]),
    ("contract-for-a-pipeline", In::Text(CONTRACT, &Workstation), &[]),
    ("lock-for-a-pipeline", In::Text(LOCK, &Workstation), &[]),
    ("settings-for-a-pipeline", In::Text(SETTINGS, &Workstation), &[]),
    ("lock-of-another-format-for-a-pipeline", In::Text(LOCK, &Workstation), &[("1\n", "7\n")]),
    ("key-missing-in-a-lock", LockFile, &[("keys: []\n", "")]),
    ("two-keys-missing-in-a-lock", LockFile, &[("keys: []\n", ""), ("version: 1\n", "")]),
];
