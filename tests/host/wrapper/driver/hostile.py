# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings that QEMU must not see, and what is said of each: the part of it that is wrong.

Whoever may set a VM's platform map can write any of these. The first ones would create files as root,
leave the jail, or drop QEMU's restrictions, if they were passed on as they are. They are written for
vgpu-stub, and told to the other contracts in their own words.
"""

import re

PROPERTY = " is not a property; known are pool_id, priority, vm_id, addr"
NUMBER = ", not a number from 0 to 4294967295 without leading zeros"
POOL = ", not one of A, B"
PRIORITY = ", not one of low, medium, high"
SLOT = ", not one of 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e"
BEGIN = " does not begin with '-device '"
DEVICE = ", not one of asset-tag, meter, vgpu-stub"
BYTE = ", which is not printable ASCII"
LENGTH = " bytes; 1024 are the most"
TWICE = "2 devices are set; a VM has vgpu-stub once"

GUIDE = [
    (b"-chardev file,id=x,path=/x", "'-chardev file,id=x,path=/x'" + BEGIN),
    (b"-device vgpu-stub,pool_id=A -chardev file,id=x,path=/x", "pool_id is 'A -chardev file'" + POOL),
    (b"-D /etc/x", "'-D /etc/x'" + BEGIN),
    (b"-device vgpu-stub,pool_id=A -D /etc/x", "pool_id is 'A -D /etc/x'" + POOL),
    (b"-chroot /", "'-chroot /'" + BEGIN),
    (b"-device vgpu-stub,pool_id=A -chroot /", "pool_id is 'A -chroot /'" + POOL),
    (b"-priv", "'-priv'" + BEGIN),
    (b"-device vgpu-stub,pool_id=A -priv", "pool_id is 'A -priv'" + POOL),
    (b"-priv -device vgpu-stub,pool_id=A", "'-priv -device vgpu-stub,pool_id=A'" + BEGIN),
    (b"-device vgpu-stub,pool_id=A\n-priv", "byte 27 is 0x0a" + BYTE),
    (b"-device vgpu-stub,pool_id=A\r\n-priv", "byte 27 is 0x0d" + BYTE),
    (b"-device vgpu-stub,pool_id=A\t-priv", "byte 27 is 0x09" + BYTE),
    (b"-device vgpu-stub,pool_id=A\x0b-priv", "byte 27 is 0x0b" + BYTE),
    (b"-device vgpu-stub,pool_id=A\xc2\xa0-priv", "byte 27 is 0xc2" + BYTE),
    (b"-device vgpu-stub,pool_id=A\xe2\x80\xa8-priv", "byte 27 is 0xe2" + BYTE),
    (b"-device vgpu-stub,pool_id=A -device vgpu-stub,pool_id=A", "pool_id is 'A -device vgpu-stub'" + POOL),
    (b"-device vgpu-stub,pool_id=A,-device vgpu-stub,pool_id=A", "'-device vgpu-stub'" + PROPERTY),
    (b"-device vgpu-stub -device vgpu-stub", "the device is 'vgpu-stub -device vgpu-stub'" + DEVICE),
    (b"-device e1000,netdev=x", "the device is 'e1000'" + DEVICE),
    (b"-device vgpu-stub2", "the device is 'vgpu-stub2'" + DEVICE),
    (b"-device vgpu-stu", "the device is 'vgpu-stu'" + DEVICE),
    (b"-device vgpu", "the device is 'vgpu'" + DEVICE),
    (b"-device VGPU-STUB", "the device is 'VGPU-STUB'" + DEVICE),
    (b"-device  vgpu-stub", "the device is ' vgpu-stub'" + DEVICE),
    (b"-device\tvgpu-stub", "byte 7 is 0x09" + BYTE),
    (b" -device vgpu-stub", "' -device vgpu-stub'" + BEGIN),
    (b"--device vgpu-stub", "'--device vgpu-stub'" + BEGIN),
    (b"-device=vgpu-stub", "'-device=vgpu-stub'" + BEGIN),
    (b"-device", "'-device'" + BEGIN),
    (b"-device ", "the device is ''" + DEVICE),
    (b"-DEVICE vgpu-stub", "'-DEVICE vgpu-stub'" + BEGIN),
    (b"device vgpu-stub", "'device vgpu-stub'" + BEGIN),
    (b"-device vgpu-stub,", "a comma has no property on one of its sides"),
    (b"-device vgpu-stub ", "the device is 'vgpu-stub '" + DEVICE),
    (b"-device driver=vgpu-stub", "the device is 'driver=vgpu-stub'" + DEVICE),
    (b'-device {"driver":"vgpu-stub"}', 'the device is \'{"driver":"vgpu-stub"}\'' + DEVICE),
    (b"-device vgpu-stub,help", "'help'" + PROPERTY),
    (b"-device 'vgpu-stub'", "the device is '\\x27vgpu-stub\\x27'" + DEVICE),
    (b'-device "vgpu-stub"', "the device is '\"vgpu-stub\"'" + DEVICE),
    (b"pool_id=A", "'pool_id=A'" + BEGIN),
    (b"-readconfig /etc/x", "'-readconfig /etc/x'" + BEGIN),
    (b"-monitor unix:/etc/x,server", "'-monitor unix:/etc/x,server'" + BEGIN),
    (b"-object memory-backend-file,mem-path=/x", "'-object memory-backend-file,mem-path=/x'" + BEGIN),
    (b"-incoming exec:id", "'-incoming exec:id'" + BEGIN),
    (b"@/etc/passwd", "'@/etc/passwd'" + BEGIN),
]

OURS = [
    (b"-device vgpu-stub,pool_id=A", "'-device vgpu-stub'" + PROPERTY),
    (b"vgpu-stub,pool_id=A", "'vgpu-stub'" + PROPERTY),
    (b"pool_id=A -priv", "pool_id is 'A -priv'" + POOL),
    (b"pool_id=A\n-priv", "byte 9 is 0x0a" + BYTE),
    (b"pool_id=A,id=x", "'id'" + PROPERTY),
    (b"pool_id=A,bus=pci.0", "'bus'" + PROPERTY),
    (b"pool_id=A,multifunction=on", "'multifunction'" + PROPERTY),
    (b"pool_id=A,romfile=/etc/shadow", "'romfile'" + PROPERTY),
    (b"pool_id=A,subvendor_id=0x5853", "'subvendor_id'" + PROPERTY),
    (b"pool_id=A,,addr=0x1e", "a comma has no property on one of its sides"),
    (b"pool_id=A,,,romfile=x", "a comma has no property on one of its sides"),
    (b"pool_id=A,", "a comma has no property on one of its sides"),
    (b",pool_id=A", "a comma has no property on one of its sides"),
    (b",", "a comma has no property on one of its sides"),
    (b"", "the value is empty"),
    (b" ", "' '" + PROPERTY),
    (b"=", "''" + PROPERTY),
    (b"=A", "''" + PROPERTY),
    (b"pool_id", "pool_id has no value"),
    (b"pool_id=", "pool_id is ''" + POOL),
    (b"pool_id=a", "pool_id is 'a'" + POOL),
    (b"pool_id=C", "pool_id is 'C'" + POOL),
    (b"pool_id=AB", "pool_id is 'AB'" + POOL),
    (b"pool_id=A=B", "pool_id is 'A=B'" + POOL),
    (b"pool_id==A", "pool_id is '=A'" + POOL),
    (b"pool_id= A", "pool_id is ' A'" + POOL),
    (b"pool_id =A", "'pool_id '" + PROPERTY),
    (b" pool_id=A", "' pool_id'" + PROPERTY),
    (b"pool_id=A ", "pool_id is 'A '" + POOL),
    (b"POOL_ID=A", "'POOL_ID'" + PROPERTY),
    (b"pool-id=A", "'pool-id'" + PROPERTY),
    (b"pool_id=A,pool_id=A", "pool_id is given twice"),
    (b"pool_id=A;priority=low", TWICE),
    (b"pool_id=A;", TWICE),
    (b";", TWICE),
    (b"pool_id=A|id", "pool_id is 'A|id'" + POOL),
    (b"pool_id=$(id)", "pool_id is '$(id)'" + POOL),
    (b"pool_id=`id`", "pool_id is '`id`'" + POOL),
    (b"pool_id=$HOME", "pool_id is '$HOME'" + POOL),
    (b"pool_id=${PATH}", "pool_id is '${PATH}'" + POOL),
    (b"pool_id='A'", "pool_id is '\\x27A\\x27'" + POOL),
    (b'pool_id="A"', "pool_id is '\"A\"'" + POOL),
    (b"pool_id=\\A", "pool_id is '\\x5cA'" + POOL),
    (b"pool_id=A\\", "pool_id is 'A\\x5c'" + POOL),
    (b"pool_id=A' mend it with: xe vm-destroy", "pool_id is 'A\\x27 mend it with: xe vm-destroy'" + POOL),
    (b"pool_id=%s", "pool_id is '%s'" + POOL),
    (b"pool_id=%(name)s%n", "pool_id is '%(name)s%n'" + POOL),
    (b"pool_id={}", "pool_id is '{}'" + POOL),
    (b"pool_id={0.__class__}", "pool_id is '{0.__class__}'" + POOL),
    (b"pool_id=\x1b[2J", "byte 8 is 0x1b" + BYTE),
    (b"pool_id=A\x00", "byte 9 is 0x00" + BYTE),
    (b"\x00", "byte 0 is 0x00" + BYTE),
    (b"pool_id=A\x00,romfile=x", "byte 9 is 0x00" + BYTE),
    (b"pool_id=\xff", "byte 8 is 0xff" + BYTE),
    (b"\xff\xfe", "byte 0 is 0xff" + BYTE),
    (b"pool_id=\xd0\x90", "byte 8 is 0xd0" + BYTE),
    (b"pool_id=\xef\xbc\xa1", "byte 8 is 0xef" + BYTE),
    (b"\xef\xbb\xbfpool_id=A", "byte 0 is 0xef" + BYTE),
    (b"pool_id=A\x7f", "byte 9 is 0x7f" + BYTE),
    (b"pool_id=A\x80", "byte 9 is 0x80" + BYTE),
    (b"priority=Low", "priority is 'Low'" + PRIORITY),
    (b"priority=lowest", "priority is 'lowest'" + PRIORITY),
    (b"priority=0", "priority is '0'" + PRIORITY),
    (b"priority=", "priority is ''" + PRIORITY),
    (b"priority=low,priority=high", "priority is given twice"),
    (b"vm_id=", "vm_id is ''" + NUMBER),
    (b"vm_id=+7", "vm_id is '+7'" + NUMBER),
    (b"vm_id=-1", "vm_id is '-1'" + NUMBER),
    (b"vm_id=0x7", "vm_id is '0x7'" + NUMBER),
    (b"vm_id=7e0", "vm_id is '7e0'" + NUMBER),
    (b"vm_id=7.0", "vm_id is '7.0'" + NUMBER),
    (b"vm_id=1_0", "vm_id is '1_0'" + NUMBER),
    (b"vm_id=007", "vm_id is '007'" + NUMBER),
    (b"vm_id=00", "vm_id is '00'" + NUMBER),
    (b"vm_id= 7", "vm_id is ' 7'" + NUMBER),
    (b"vm_id=7\n", "byte 7 is 0x0a" + BYTE),
    (b"vm_id=7L", "vm_id is '7L'" + NUMBER),
    (b"vm_id=4294967296", "vm_id is '4294967296'" + NUMBER),
    (b"vm_id=9999999999", "vm_id is '9999999999'" + NUMBER),
    (b"vm_id=99999999999999999999", "vm_id is '99999999999999999999'" + NUMBER),
    (b"vm_id=\xd9\xa7", "byte 6 is 0xd9" + BYTE),
    (b"vm_id=\xb2", "byte 6 is 0xb2" + BYTE),
    (b"vm_id=7,vm_id=8", "vm_id is given twice"),
    (b"addr=1e", "addr is '1e'" + SLOT),
    (b"addr=0x1E", "addr is '0x1E'" + SLOT),
    (b"addr=0X1e", "addr is '0X1e'" + SLOT),
    (b"addr=30", "addr is '30'" + SLOT),
    (b"addr=0x01e", "addr is '0x01e'" + SLOT),
    (b"addr=0x1e.0", "addr is '0x1e.0'" + SLOT),
    (b"addr=0x17", "addr is '0x17'" + SLOT),
    (b"addr=0x1f", "addr is '0x1f'" + SLOT),
    (b"addr=2", "addr is '2'" + SLOT),
    (b"addr=", "addr is ''" + SLOT),
    (b"addr=0x1e,addr=0x1d", "addr is given twice"),
    (b"x" * 1025, "the value has 1025" + LENGTH),
    (b"pool_id=A" + b"," * 2039, "the value has 2048" + LENGTH),
    (b"\xff" * 2048, "the value has 2048" + LENGTH),
    (b"x" * 1024, "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'..." + PROPERTY),
]

# Rows that mean something else in another contract's words.
OF_VGPU_STUB_ALONE = (
    b"POOL_ID=A",
    b"pool-id=A",
    b"priority=0",
    b"priority=low,priority=high",
    b"addr=0x1e,addr=0x1d",
)

METER = [
    (b"base=1,base=1", "base is given twice"),
    (b"addr=0x14,addr=0x15", "addr is given twice"),
    (b"channel=0", "channel is '0', not a number from 1 to 16 without leading zeros"),
    (b"channel=17", "channel is '17', not a number from 1 to 16 without leading zeros"),
    (b"level=9", "level is '9', not a number from 10 to 99 without leading zeros"),
    (
        b"base=18446744073709551616",
        "base is '18446744073709551616', not a number from 0 to 18446744073709551615 without leading zeros",
    ),
    (
        b"base=" + b"9" * 300,
        "base is '" + "9" * 40 + "'..., not a number from 0 to 18446744073709551615 without leading zeros",
    ),
    (b"channel=1;channel=2;channel=3", "3 devices are set; a VM has meter 2 times at most"),
    (b"channel=1;", "a comma has no property on one of its sides"),
    (b";channel=1", "a comma has no property on one of its sides"),
    (b"channel=1;channel=17", "channel is '17', not a number from 1 to 16 without leading zeros"),
    (b"channel=1,addr=0x14;channel=2,addr=0x14", "the slot 0x14 is given to meter and to meter"),
    (b"addr=0x18", "addr is '0x18', not one of 0x14, 0x15, 0x1c"),
]
TAG = [
    (b"a=on,a=off", "a is given twice"),
    (b"owner=", "owner is '', not text like [a-z][a-z0-9-]{0,31} of at most 32 characters"),
    (b"owner=1a", "owner is '1a', not text like [a-z][a-z0-9-]{0,31} of at most 32 characters"),
    (b"owner=A", "owner is 'A', not text like [a-z][a-z0-9-]{0,31} of at most 32 characters"),
    (b"owner=a_b", "owner is 'a_b', not text like [a-z][a-z0-9-]{0,31} of at most 32 characters"),
    (
        b"owner=a" + b"b" * 32,
        "owner is 'a" + "b" * 32 + "', not text like [a-z][a-z0-9-]{0,31} of at most 32 characters",
    ),
    (b"site-name=XX-", "site-name is 'XX-', not text like [A-Z]{2,3}-[0-9]+ of at most 12 characters"),
    (b"site-name=X-1", "site-name is 'X-1', not text like [A-Z]{2,3}-[0-9]+ of at most 12 characters"),
    (b"site-name=ABCD-1", "site-name is 'ABCD-1', not text like [A-Z]{2,3}-[0-9]+ of at most 12 characters"),
    (
        b"site-name=AB-1234567890",
        "site-name is 'AB-1234567890', not text like [A-Z]{2,3}-[0-9]+ of at most 12 characters",
    ),
    (
        b"room=" + b"a" * 64 + b"1",
        "room is '"
        + "a" * 40
        + "'..., not text like [a-z]*[0-9]?[.]?[a-z0-9]*[a-z] of at most 64 characters",
    ),
    (
        b"room=" + b"a" * 63 + b"1",
        "room is '"
        + "a" * 40
        + "'..., not text like [a-z]*[0-9]?[.]?[a-z0-9]*[a-z] of at most 64 characters",
    ),
    (
        b"url=file:///etc/shadow",
        "url is 'file:///etc/shadow', not text like https?://[a-z0-9./-]{1,100} of at most 108 characters",
    ),
    (
        b"url=http://x,romfile=/etc/shadow",
        "'romfile' is not a property; known are Level, a, b, c, mode, owner, rack, room, site-name, url, addr",
    ),
    (b"mode=ON", "mode is 'ON', not one of on, off, auto"),
]

# What each of the words above is in another contract: the type, a valid property and value of it, two more
# properties, and what is said of them.
OTHERS = [
    (
        "meter",
        [("vgpu-stub", "meter"), ("pool_id", "level"), ("priority", "base"), ("vm_id", "channel")],
        ("A", "10"),
        [
            ("known are level, base, channel, addr", "known are base, channel, level, addr"),
            (POOL, ", not a number from 10 to 99 without leading zeros"),
            (PRIORITY, ", not a number from 0 to 18446744073709551615 without leading zeros"),
            (NUMBER, ", not a number from 1 to 16 without leading zeros"),
            (SLOT, ", not one of 0x14, 0x15, 0x1c"),
        ],
    ),
    (
        "asset-tag",
        [("vgpu-stub", "asset-tag"), ("pool_id", "mode"), ("priority", "a"), ("vm_id", "Level")],
        ("A", "on"),
        [
            (
                "known are mode, a, Level, addr",
                "known are Level, a, b, c, mode, owner, rack, room, site-name, url, addr",
            ),
            (POOL, ", not one of on, off, auto"),
            (PRIORITY, ", not one of on, off"),
        ],
    ),
]
# Of two, where a VM may have two.
OF_ONE = (b"pool_id=A;priority=low", b"pool_id=A;", b";")


def translated(value, said, words, valid, sayings):
    """A row of vgpu-stub in another contract's words."""
    # The names of types that there are stay as they are.
    said = said.replace(DEVICE, "\0")
    for before, after in words:
        value = value.replace(before.encode("ascii"), after.encode("ascii"))
        said = said.replace(before, after)
    value = re.sub(b"(?<==)" + valid[0].encode("ascii"), valid[1].encode("ascii"), value)
    said = re.sub("(?<=[='])" + valid[0], valid[1], said)
    for before, after in sayings:
        said = said.replace(before, after)
    said = said.replace("\0", DEVICE)
    odd = [place for place, byte in enumerate(bytearray(value)) if not 32 <= byte < 127]
    if said.startswith("byte "):
        said = re.sub("byte [0-9]+", "byte %d" % odd[0], said)
    return value, re.sub("value has [0-9]+", "value has %d" % len(value), said)


def rows():
    """Each with its key, as XenStore gives them."""
    found = [("device-model-args", value, said) for value, said in GUIDE]
    found += [("vgpu-stub", value, said) for value, said in OURS]
    for name, words, valid, sayings in OTHERS:
        for key, table in (("device-model-args", GUIDE), (name, OURS)):
            for value, said in table:
                if value in OF_VGPU_STUB_ALONE or (name == "meter" and value in OF_ONE):
                    continue
                new = (key,) + translated(value, said, words, valid, sayings)
                # What does not speak of the device is there already.
                found += [new] if new not in found else []
    found += [("meter", value, said) for value, said in METER]
    found += [("asset-tag", value, said) for value, said in TAG]
    return found


HOSTILE = rows()
