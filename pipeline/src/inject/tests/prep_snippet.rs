// SPDX-License-Identifier: GPL-2.0-or-later
//! The text of the lines for %prep; that they work is shown where a tree is prepared.

use super::super::prep_snippet::lines;
use super::*;

#[test]
fn the_lines_of_prep() {
    let expected = r#"# the device vgpu-stub: copied in, and registered the way this tree registers its own
if [ -e hw/misc/vgpu-stub.c ]; then
  echo "vgpu-stub: this tree has a hw/misc/vgpu-stub.c of its own" >&2
  exit 1
fi
cp -p "%{SOURCE3}" hw/misc/vgpu-stub.c
if [ -f hw/misc/Makefile.objs ]; then
  printf '\ncommon-obj-$(CONFIG_PCI) += vgpu-stub.o\n' >> hw/misc/Makefile.objs
elif qemu_ss=$(sed -n -e '/^softmmu_ss[.]add(/{s/[.].*//p;q;}' \
    -e '/^system_ss[.]add(/{s/[.].*//p;q;}' hw/misc/meson.build | grep .); then
  printf "\n$qemu_ss.add(when: 'CONFIG_PCI', if_true: files('vgpu-stub.c'))\n" >> hw/misc/meson.build
else
  echo "vgpu-stub: hw/misc has no Makefile.objs, and no meson.build that" \
    "adds to softmmu_ss or system_ss; the device cannot be registered" >&2
  exit 1
fi"#;
    assert_eq!(lines(&device(), 3).unwrap().join("\n"), expected);
}

#[test]
fn what_the_device_says_is_what_the_lines_say() {
    let mut device = device_from("my.card", "c/my+card.v2.c");
    device.directory = word("hw/display");
    device.condition = word("CONFIG_MY_CARD");
    let lines = lines(&device, 12).unwrap().join("\n");
    for expected in [
        "cp -p \"%{SOURCE12}\" hw/display/my+card.v2.c\n",
        "$(CONFIG_MY_CARD) += my+card.v2.o\\n' >> hw/display/Makefile.objs\n",
        "(when: 'CONFIG_MY_CARD', if_true: files('my+card.v2.c'))",
        "my.card: hw/display has no Makefile.objs",
    ] {
        assert!(lines.contains(expected), "{expected} in {lines}");
    }
    assert_eq!(lines.matches('%').count(), 1, "the source's macro and no other");
}

#[test]
fn a_file_name_that_a_makefile_or_a_shell_would_misread_is_refused() {
    for source in ["a.h", ".c", "a:b.c", "a b.c", "a'.c", "$(id).c", "a%b.c", "a\n.c", "", ".."] {
        assert!(lines(&device_from("a", source), 1).is_err(), "{source}");
    }
}

#[test]
fn defines_stand_before_the_first_line_of_the_file() {
    let mut device = device();
    device.defines.insert(word("VGPU_STUB_REVISION"), word("2"));
    device.defines.insert(word("VGPU_STUB_DEVICE_ID"), word("0x2222"));
    let with = lines(&device, 3).unwrap().join("\n");
    let without = lines(&super::device(), 3).unwrap().join("\n");
    let copy = "cp -p \"%{SOURCE3}\" hw/misc/vgpu-stub.c";
    let defined = "{
  echo '#define VGPU_STUB_DEVICE_ID 0x2222'
  echo '#define VGPU_STUB_REVISION 2'
  echo '#line 1'
  cat \"%{SOURCE3}\"
} > hw/misc/vgpu-stub.c";
    assert_eq!(with, without.replace(copy, defined));
    assert_eq!(with.matches('%').count(), 1, "the source's macro and no other");
}
