// SPDX-License-Identifier: GPL-2.0-or-later
//! What all files together take, as the header adds it up.

use crate::HeaderStructure;
use crate::error::Result;
use crate::faults::Faults;
use crate::file_list::FileList;
use crate::package::{FaultKind, Package};
use rpm::IndexTag as Tag;
use std::collections::HashSet;

/// rpm requires this where a file may have other names outside of the package, which then may have been
/// counted instead of it.
const PARTIAL: &str = "rpmlib(PartialHardlinkSets)";

/// Holds the sum to the files: each inode once, ghosts too, and links since rpm 4.14.
pub fn check(
    header: &HeaderStructure,
    package: &Package,
    list: &FileList,
    faults: &mut Faults,
) -> Result<()> {
    let (mut files, mut links) = (0_u64, 0_u64);
    let mut seen = HashSet::new();
    for (file, inode) in list.files.iter().zip(&list.inodes) {
        let sum = match file {
            file if file.is_regular() => &mut files,
            file if file.is_link() => &mut links,
            _ => continue,
        };
        if seen.insert(inode) {
            *sum = sum.saturating_add(file.size);
        }
    }
    let most = files.saturating_add(links);
    let partial = package.requires.iter().any(|text| text.starts_with(PARTIAL));
    let fits = |said: u64| said == files || said == most || (partial && said < most);
    let short = header.number(Tag::RPMTAG_SIZE as u32)?.map(u64::from);
    for said in short.into_iter().chain(header.long(Tag::RPMTAG_LONGSIZE as u32)?) {
        if !fits(said) {
            let what = format!("its files add up to {most} bytes, and it gives {said}");
            faults.push(FaultKind::Digest, what);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::{FOLDER, LINK, PLAIN};
    use crate::forged::{Forged, Value, texts};

    #[test]
    fn the_size_is_that_of_all_files() {
        let forged = Forged::of(&[
            ("/usr", FOLDER, b""),
            ("/usr/a", PLAIN, b"12345"),
            ("/usr/b", LINK, b"a"),
        ]);
        let none: [String; 0] = [];
        for fitting in [5, 6] {
            assert_eq!(forged.numbers(1009, &[fitting]).faults(FaultKind::Digest), none);
        }
        let mut without = forged.clone();
        without.tags.remove(&1009);
        assert_eq!(without.faults(FaultKind::Digest), none);
        assert_eq!(without.with(5009, Value::Longs(vec![6])).faults(FaultKind::Digest), none);
        for other in [0, 4, 7, u32::MAX] {
            let expected = format!("its files add up to 6 bytes, and it gives {other}");
            let short = forged.numbers(1009, &[other]).faults(FaultKind::Digest);
            let long = without.with(5009, Value::Longs(vec![other.into()]));
            for said in [short, long.faults(FaultKind::Digest)] {
                assert_eq!(said, [expected.as_str()]);
            }
        }
        // A hard link to what was left out is counted there.
        let partial = forged
            .with(1049, texts(&["rpmlib(PartialHardlinkSets)"]))
            .with(1050, texts(&["4.0.4-1"]))
            .numbers(1048, &[16_777_226]);
        assert_eq!(partial.numbers(1009, &[1]).faults(FaultKind::Digest), none);
        assert_eq!(partial.numbers(1009, &[7]).faults(FaultKind::Digest).len(), 1);
    }
}
