// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks for texts: below folders, and in processes.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files below a folder that hold one of these texts.
pub fn holding(folder: &Path, texts: &[&[u8]], since: SystemTime) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() {
            found.extend(holding(&path, texts, since));
        } else if meta.is_file()
            && meta.len() < 64 << 20
            && meta.modified().unwrap() >= since
            && fs::read(&path).is_ok_and(|bytes| texts.iter().any(|text| holds(&bytes, text)))
        {
            found.push(path);
        }
    }
    found
}

pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    // Far faster than windows: most places do not begin as the text does.
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == text[0]) {
        if rest[at..].starts_with(text) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// This process and what it started, as far as they are alive.
pub fn family(root: u32) -> Vec<u32> {
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let all: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let mut family = vec![root];
    loop {
        let more: Vec<u32> = all
            .iter()
            .copied()
            .filter(|pid| {
                !family.contains(pid) && parent(*pid).is_some_and(|p| family.contains(&p))
            })
            .collect();
        if more.is_empty() {
            return family;
        }
        family.extend(more);
    }
}

/// Whether a process holds a text in what it can write to.
pub fn remembers(pid: u32, texts: &[&[u8]]) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines().filter(|line| line.contains("rw-p")).any(|line| {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        memory.read_exact(&mut bytes).is_ok() && texts.iter().any(|text| holds(&bytes, text))
    })
}
