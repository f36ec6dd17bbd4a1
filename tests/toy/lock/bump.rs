// SPDX-License-Identifier: GPL-2.0-or-later
//! `bump` and what comes with an environment: its lock, the first one too, and the vendor's qemu-wrapper by the
//! package that brings it.

use super::World;
use crate::support::{self, ends_with, refusal, sha256, stable};
use insta::assert_snapshot;
use std::fs;

fn bump(world: &World) -> String {
    String::from_utf8(ends_with(0, &mut world.program("bump")).stdout).unwrap()
}

fn text(world: &World) -> String {
    fs::read_to_string(world.toy.path("toy.yaml")).unwrap()
}

#[test]
fn the_first_lock_comes_by_it_and_each_one_after_raises_the_release() {
    let world = World::new("bump-lock");
    let before = text(&world);
    let said = String::from_utf8(ends_with(0, world.program("bump").arg("--dry-run")).stdout);
    assert!(!world.lock_file().exists());
    assert_eq!(bump(&world), said.unwrap());
    // Nothing was built before, so nothing has its release.
    assert_eq!(text(&world), before);
    ends_with(0, &mut world.radar());
    let lock = fs::read(world.lock_file()).unwrap();
    assert!(bump(&world).ends_with("other pin there is moved by this command\nnothing changed\n"));
    assert_eq!(fs::read(world.lock_file()).unwrap(), lock);

    world.centos.add("toy-libs", "1.1", "");
    let said = bump(&world);
    assert_snapshot!(stable(&said), @"
        `source` has no `git:`, and no other pin there is moved by this command
        lock: changed   toy-libs-1.0-1.el7.noarch -> toy-libs-1.1-1.el7.noarch
        release-suffix: .vgpu1 -> .vgpu2, since one release has one content
    ");
    assert_eq!(text(&world), before.replace("release-suffix: .vgpu1", "release-suffix: .vgpu2"));
    ends_with(0, &mut world.radar());

    // What cannot be resolved changes nothing.
    world.toy.edit("toy.yaml", "        - toy-devel\n", "        - no-such-package\n");
    let (before, lock) = (text(&world), fs::read(world.lock_file()).unwrap());
    refusal(1, &mut world.program("bump"));
    assert_eq!((text(&world), fs::read(world.lock_file()).unwrap()), (before, lock));
}

#[test]
fn the_vendors_wrapper_is_that_of_its_signed_package() {
    let world = World::new("bump-wrapper");
    let sample = fs::read_to_string(support::root().join("wrapper/sample/qemu-wrapper")).unwrap();
    let served = |version: &str, text: &str| {
        let folder = world.folder.path().join(format!("served/tags/v{version}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("qemu-wrapper"), text).unwrap();
        (sha256(&folder.join("qemu-wrapper")), text.len())
    };
    // What the distribution changes in upstream's.
    let shipped = |text: &str| {
        assert_eq!(text.matches("import sys\n").count(), 1);
        text.replace("import sys\n", "import  sys\n")
    };
    let (digest, size) = served("1.0", &sample);
    let hosts = world.folder.path().join("shipped");
    fs::write(&hosts, shipped(&sample)).unwrap();
    world.vendor.add_wrapper("xenopsd", "1.0", &shipped(&sample));
    world.toy.with_settings();
    let section = format!(
        "wrapper:\n  vendor:\n    web:\n      url: {}\n      sha256: {digest}\n      size: {size}\n  \
         replace:\n    - {{ find: \"import sys\", with: \"import  sys\" }}\n  shipped: {}\n  \
         # of the hosts\n  package: {{ name: xenopsd, version: 1.0-1.el7 }}\n\nverify:\n",
        world.server.as_ref().unwrap().url("tags/v1.0/qemu-wrapper"),
        sha256(&hosts),
    );
    world.toy.edit("toy.yaml", "verify:\n", &section);
    let first = bump(&world);
    assert!(first.contains("qemu-wrapper is that of xenopsd 1.0-1.el7, the newest"), "{first}");

    // Newer packages with the same file, of which upstream has the second alone.
    for (version, address) in [("1.0.1", "1.0"), ("1.1", "1.1")] {
        if address == version {
            served(version, &sample);
            world.toy.edit("toy.yaml", "tags/v1.0/", "tags/v1.0.1/");
        }
        world.vendor.add_wrapper("xenopsd", version, &shipped(&sample));
        let said = bump(&world);
        let same = format!("qemu-wrapper of xenopsd-{version}-1.el7.noarch is the same file");
        assert!(said.contains(&same), "{said}");
        let after = text(&world);
        assert!(after.contains(&format!("tags/v{address}/qemu-wrapper\n")), "{after}");
        assert!(after.contains(&format!("version: {version}-1.el7 }}")), "{after}");
    }

    // One with another file, which upstream has under that version.
    let newer = sample.replace("import sys\n", "import sys\nimport time\n");
    let (digest, size) = served("1.2", &newer);
    fs::write(&hosts, shipped(&newer)).unwrap();
    world.vendor.add_wrapper("xenopsd", "1.2", &shipped(&newer));
    let said = bump(&world);
    assert!(said.contains("xenopsd-1.2-1.el7.noarch is taken over"), "{said}");
    assert!(said.contains("release-suffix: .vgpu1 -> .vgpu2"), "{said}");
    let after = text(&world);
    for line in [
        format!("tags/v1.2/qemu-wrapper\n      sha256: {digest}\n      size: {size}\n"),
        format!("  shipped: {}\n  # of the hosts\n", sha256(&hosts)),
        "version: 1.2-1.el7 }".to_owned(),
    ] {
        assert!(after.contains(&line), "{line}\n{after}");
    }

    // What upstream does not have, what `replace` no longer makes, and what another key signed: the rest of
    // the update does not wait for it.
    let kept = |expected: &str| {
        let before = text(&world);
        let said = bump(&world);
        assert!(
            said.contains("ACT the vendor's qemu-wrapper of xenopsd-1.") && said.contains(expected),
            "{expected}\n{said}"
        );
        assert_eq!(text(&world), before);
    };
    world.vendor.add_wrapper("xenopsd", "1.3", &newer.replace("import time", "import  time"));
    kept("could not be taken over: cannot fetch");
    served("1.3", &newer);
    kept("after `wrapper.replace`, and hosts have");
    let package = world.vendor.add_wrapper("xenopsd", "1.4", &shipped(&newer));
    world.centos.key().sign(&package);
    world.vendor.index();
    kept("signed by");
    world.vendor.add("xenopsd", "1.5", "");
    kept("it has 0 files that are called");
}
