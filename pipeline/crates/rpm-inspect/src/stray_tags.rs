// SPDX-License-Identifier: GPL-2.0-or-later
//! Tags that no package file has: those of the signature header, what rpm notes where it installs one, and
//! what it works out each time. Whoever reads such a tag takes it for its own word, and the package for
//! another one.

use crate::HeaderStructure;
use crate::error::Result;
use crate::faults::Faults;
use crate::package::FaultKind;
use rpm::IndexTag as Tag;

/// Below this, the main header has its region and its list of languages; all others are the signature
/// header's, which rpm puts there itself once it has read both.
const FIRST: u32 = 1000;
const OWN: [u32; 2] = [Tag::RPMTAG_HEADERIMMUTABLE as u32, Tag::RPMTAG_HEADERI18NTABLE as u32];

const STRAY: [Tag; 14] = [
    // Of the signature header, under the number of those days.
    Tag::RPMTAG_ARCHIVESIZE,
    // Of the database.
    Tag::RPMTAG_INSTALLTIME,
    Tag::RPMTAG_FILESTATES,
    Tag::RPMTAG_INSTPREFIXES,
    Tag::RPMTAG_INSTALLCOLOR,
    Tag::RPMTAG_INSTALLTID,
    Tag::RPMTAG_REMOVETID,
    Tag::RPMTAG_DBINSTANCE,
    // Where files were before they were relocated, by which rpm looks for them in the payload.
    Tag::RPMTAG_OLDORIGFILENAMES,
    Tag::RPMTAG_ORIGDIRINDEXES,
    Tag::RPMTAG_ORIGBASENAMES,
    Tag::RPMTAG_ORIGDIRNAMES,
    Tag::RPMTAG_ORIGFILENAMES,
    Tag::RPMTAG_FILENAMES,
];

/// What stands in one of two places: versions of rpm differ in where they look first.
const EITHER: [(Tag, Tag); 2] =
    [(Tag::RPMTAG_SIZE, Tag::RPMTAG_LONGSIZE), (Tag::RPMTAG_FILESIZES, Tag::RPMTAG_LONGFILESIZES)];

/// The only payload that any rpm installs.
const PAYLOAD: &str = "cpio";

pub fn check(header: &HeaderStructure, faults: &mut Faults) -> Result<()> {
    let has = |tag: Tag| header.tags().any(|known| known == tag as u32);
    for tag in header.tags() {
        let of_signature = tag < FIRST && !OWN.contains(&tag);
        if of_signature || STRAY.iter().any(|stray| *stray as u32 == tag) {
            let what = format!("its header has the tag {tag}, which is no package file's");
            faults.push(FaultKind::Payload, what);
        }
    }
    for (short, long) in EITHER.into_iter().filter(|(short, long)| has(*short) && has(*long)) {
        let (short, long) = (short as u32, long as u32);
        let what =
            format!("its header has both of the tags {short} and {long}, which say one thing");
        faults.push(FaultKind::Payload, what);
    }
    let payload = header.text(Tag::RPMTAG_PAYLOADFORMAT as u32)?.unwrap_or(PAYLOAD);
    if payload != PAYLOAD {
        let what = format!("its payload is called `{}`, not `{PAYLOAD}`", payload.escape_debug());
        faults.push(FaultKind::Payload, what);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::PLAIN;
    use crate::forged::{Forged, Value, texts};

    fn forged() -> Forged {
        Forged::of(&[("/usr/a", PLAIN, b"a"), ("/usr/b", PLAIN, b"b")])
    }

    #[test]
    fn a_tag_of_the_signature_or_of_the_database_is_in_no_package() {
        let number = || Value::Numbers(vec![1]);
        for (tag, value) in [
            (62, number()),
            (257, number()),
            (261, number()),
            (269, Value::Text("00".to_owned())),
            (271, Value::Longs(vec![8])),
            (274, texts(&["00", "00"])),
            (1008, number()),
            (1029, number()),
            (1099, texts(&["/opt"])),
            (1119, Value::Numbers(vec![0, 0])),
            (1120, texts(&["b", "a"])),
            (1121, texts(&["/usr/"])),
            (1127, number()),
            (1128, number()),
            (1195, number()),
            (5007, texts(&["/usr/b", "/usr/a"])),
        ] {
            let said = forged().with(tag, value).faults(FaultKind::Payload);
            assert_eq!(said, [format!("its header has the tag {tag}, which is no package file's")]);
        }
        // createrepo_c leaves a package with this out of its metadata, whatever it says, and ends well.
        let size = u32::try_from(forged().payload_size()).unwrap();
        let said = forged().numbers(1046, &[size]).faults(FaultKind::Payload);
        assert_eq!(said, ["its header has the tag 1046, which is no package file's"]);
    }

    #[test]
    fn one_thing_is_said_in_one_place() {
        for (tag, value, other) in
            [(5009, Value::Longs(vec![2]), 1009), (5008, Value::Longs(vec![1, 1]), 1028)]
        {
            let said = forged().with(tag, value).faults(FaultKind::Payload);
            let expected =
                format!("its header has both of the tags {other} and {tag}, which say one thing");
            assert_eq!(said, [expected]);
        }
        let said = forged().with(1124, Value::Text("drpm".to_owned())).faults(FaultKind::Payload);
        assert_eq!(said, ["its payload is called `drpm`, not `cpio`"]);
        let said = forged().numbers(1037, &[1 << 9, 1 << 6 | 1 << 20]).facts().unwrap().faults;
        let said: Vec<&str> = said.iter().map(|fault| fault.what.as_str()).collect();
        for expected in [
            "`/usr/a` has the flags 0x200, of which rpm knows nothing",
            "`/usr/b` has the flags 0x100000, of which rpm knows nothing",
        ] {
            assert!(said.contains(&expected), "{said:?}");
        }
    }
}
