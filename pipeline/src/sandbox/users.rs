// SPDX-License-Identifier: GPL-2.0-or-later
//! Who a job is on the host: nobody else.
//!
//! Root's jobs run under ids that no user of the host has, so that no user can reach into them by way
//! of `/proc`, and that nothing a job leaves behind belongs to somebody. podman gives a container a user
//! namespace of its own for that; docker has none for a single container, and takes the id as it is.
//! Whoever is not root works in podman's own namespace for them, as themselves.

use super::{Confinement, Engine};
use anyhow::{Context, Result, ensure};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, chownat, fstat, open};
use rustix::process::{Gid, Uid, geteuid};
use std::ops::Range;
use std::path::Path;
use std::{fs, iter};

/// The builder of our Containerfiles, whom root hands the work to.
const BUILDER: u32 = 1000;
/// How many ids a container has.
const COUNT: u32 = 1 << 16;
/// Where they are looked for: systemd keeps nothing from 1879048192 on (its "Users, Groups, UIDs and
/// GIDs"), SSSD and `FreeIPA` end at 2000200000 (sssd-ad(5), `ldap_idmap_range_max`), and what is beyond
/// 2^31 some programs take for negative.
const FIRST: u32 = 0x7d00_0000;
const END: u32 = 0x8000_0000;
/// Where a host says which ids it uses: the field of the first, and that of their number.
const TAKEN: [(&str, usize, Option<usize>); 4] = [
    ("/etc/passwd", 2, None),
    ("/etc/group", 2, None),
    ("/etc/subuid", 1, Some(2)),
    ("/etc/subgid", 1, Some(2)),
];

/// The user of the host that a sealed job runs as.
pub fn builder() -> Result<u32> {
    let me = geteuid();
    Ok(if me.is_root() { first()? + BUILDER } else { me.as_raw() })
}

/// The options that make a job somebody.
pub fn options(engine: Engine, confinement: Confinement) -> Result<Vec<String>> {
    let (me, group) = (geteuid(), rustix::process::getegid());
    let inside = match confinement {
        Confinement::Sealed => BUILDER,
        Confinement::Resolver => 0,
    };
    if !me.is_root() {
        return Ok(match (confinement, engine) {
            (Confinement::Resolver, _) => vec!["--user=0:0".to_owned()],
            (Confinement::Sealed, Engine::Docker) => vec![format!("--user={me}:{group}")],
            (Confinement::Sealed, Engine::Podman) => {
                vec![format!("--user={me}:{group}"), "--userns=keep-id".to_owned()]
            }
        });
    }
    let first = first()?;
    Ok(match (engine, confinement) {
        (Engine::Podman, _) => vec![
            format!("--uidmap=0:{first}:{COUNT}"),
            format!("--gidmap=0:{first}:{COUNT}"),
            format!("--user={inside}:{inside}"),
        ],
        (Engine::Docker, Confinement::Sealed) => {
            let id = first + BUILDER;
            vec![format!("--user={id}:{id}")]
        }
        // A package manager has to be root, and docker's root is the host's.
        (Engine::Docker, Confinement::Resolver) => vec!["--user=0:0".to_owned()],
    })
}

/// podman's options that make the steps of an image's build nobody of the host.
pub fn build_options() -> Result<Vec<String>> {
    if !geteuid().is_root() {
        return Ok(Vec::new());
    }
    let first = first()?;
    Ok(["uid", "gid"].map(|kind| format!("--userns-{kind}-map=0:{first}:{COUNT}")).into())
}

/// Gives what a sealed job has to change to the job's user.
pub fn chown_to_builder(path: &Path) -> Result<()> {
    give(path, builder()?)
}

/// Gives what a job has to change to the job's user.
pub fn chown_to(path: &Path, engine: Engine, confinement: Confinement) -> Result<()> {
    match (confinement, engine) {
        (Confinement::Sealed, _) => chown_to_builder(path),
        (Confinement::Resolver, Engine::Podman) if geteuid().is_root() => give(path, first()?),
        (Confinement::Resolver, _) => Ok(()),
    }
}

/// What is there has to be ours or have been given before: a link could lead to anything, and in a
/// folder of somebody else a name too.
fn give(path: &Path, id: u32) -> Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let shown = || format!("cannot hand `{}` over to the build's user", path.display());
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).with_context(shown)?;
    let found = fstat(&file).with_context(shown)?;
    let kind = FileType::from_raw_mode(found.st_mode);
    let one = [FileType::RegularFile, FileType::Fifo].contains(&kind) && found.st_nlink == 1;
    ensure!(one || kind == FileType::Directory, "{}: it is no plain file or folder", shown());
    ensure!(
        [0, id].contains(&found.st_uid),
        "{}: it belongs to the user {}",
        shown(),
        found.st_uid
    );
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    chownat(&file, "", Some(user), Some(group), AtFlags::EMPTY_PATH).with_context(shown)
}

/// The first of the ids that a job of root has.
fn first() -> Result<u32> {
    let mut taken = Vec::new();
    for (file, start, count) in TAKEN {
        // What a host does not have says nothing.
        let text = fs::read(file).unwrap_or_default();
        taken.extend(ranges(&String::from_utf8_lossy(&text), start, count));
    }
    free(&taken).with_context(|| {
        format!("this machine has given every id from {FIRST} on to somebody, see /etc/subuid")
    })
}

/// The ids that a file in the shape of passwd(5) or subuid(5) gives to somebody.
fn ranges(text: &str, start: usize, count: Option<usize>) -> Vec<Range<u64>> {
    let range = |line: &str| {
        let fields: Vec<&str> = line.split(':').map(str::trim).collect();
        let start: u64 = fields.get(start)?.parse().ok()?;
        let count: u64 = count.map_or(Some(1), |at| fields.get(at)?.parse().ok())?;
        Some(start..start.saturating_add(count))
    };
    text.lines().filter_map(range).collect()
}

fn free(taken: &[Range<u64>]) -> Option<u32> {
    let steps = iter::successors(Some(FIRST), |first| first.checked_add(COUNT));
    steps.take_while(|first| *first < END).find(|first| {
        let (start, end) = (u64::from(*first), u64::from(*first) + u64::from(COUNT));
        taken.iter().all(|range| range.end <= start || end <= range.start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn ids_of_the_host_are_passed_over() {
        let free_beside = |text: &str| free(&ranges(text, 1, Some(2)));
        assert_eq!(free_beside(""), Some(FIRST));
        assert_eq!(free_beside("a:100000:65536\n# x\nbroken\nb:1:x\n"), Some(FIRST));
        // podman's recipe for `--userns=auto`, and one that ends inside.
        assert_eq!(free_beside("containers:2147483647:2147483648\n"), Some(FIRST));
        let inside = format!("a:{}:2\n", FIRST - 1);
        assert_eq!(free_beside(&inside), Some(FIRST + COUNT));
        assert_eq!(free_beside("a:0:4294967295\n"), None);
        let user = ranges(&format!("u:x:{}:5::/:/bin/sh\n", FIRST + 7), 2, None);
        assert_eq!(free(&user), Some(FIRST + COUNT));
        assert_eq!(free(&ranges("u:x:18446744073709551615:5\n", 2, None)), Some(FIRST));
    }

    #[test]
    fn only_what_is_ours_is_handed_over_and_no_link_is_followed() {
        if !geteuid().is_root() {
            println!("SKIPPED: only_what_is_ours_is_handed_over_and_no_link_is_followed: not root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        chown_to_builder(&path("file")).unwrap();
        chown_to_builder(&path("file")).unwrap();
        assert_eq!(path("file").metadata().unwrap().uid(), first().unwrap() + BUILDER);
        fs::write(path("target"), "").unwrap();
        symlink(path("target"), path("link")).unwrap();
        fs::write(path("named"), "").unwrap();
        fs::hard_link(path("named"), path("twice")).unwrap();
        fs::create_dir(path("foreign")).unwrap();
        std::os::unix::fs::chown(path("foreign"), Some(65534), None).unwrap();
        for (name, expected) in [
            ("link", "no plain file"),
            ("twice", "no plain file"),
            ("foreign", "belongs to the user 65534"),
            ("missing", "cannot hand"),
        ] {
            let error = format!("{:#}", chown_to_builder(&path(name)).unwrap_err());
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert_eq!(path("target").metadata().unwrap().uid(), 0);
    }
}
