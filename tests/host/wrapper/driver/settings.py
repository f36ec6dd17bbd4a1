# SPDX-License-Identifier: GPL-2.0-or-later
"""What is a setting and what is none, and what a start makes of each."""

import random

from qemu_device import contract, setting, slots, start
from qemu_device.emulator import Answer

from . import contracts
from .hostile import HOSTILE

UUID = "01234567-89ab-cdef-0123-456789abcdef"

# A key, its value, and what QEMU's `-device` then gets.
VALID = [
    ("vgpu-stub", b"pool_id=A", ["vgpu-stub,pool_id=A,priority=medium,vm_id=0,addr=0x1e"]),
    (
        "vgpu-stub",
        b"pool_id=B,priority=high,vm_id=4294967295,addr=0x18",
        ["vgpu-stub,pool_id=B,priority=high,vm_id=4294967295,addr=0x18"],
    ),
    ("vgpu-stub", b"vm_id=7,pool_id=B", ["vgpu-stub,pool_id=B,priority=medium,vm_id=7,addr=0x1e"]),
    ("device-model-args", b"-device vgpu-stub", ["vgpu-stub,pool_id=A,priority=medium,vm_id=0,addr=0x1e"]),
    (
        "device-model-args",
        b"-device vgpu-stub,pool_id=A,priority=low,vm_id=100",
        ["vgpu-stub,pool_id=A,priority=low,vm_id=100,addr=0x1e"],
    ),
    ("meter", b"addr=0x1c", ["meter,base=0,channel=1,addr=0x1c"]),
    (
        "meter",
        b"level=10,base=18446744073709551615",
        ["meter,base=18446744073709551615,channel=1,level=10,addr=0x1c"],
    ),
    (
        "meter",
        b"channel=1;channel=2",
        ["meter,base=0,channel=1,addr=0x1c", "meter,base=0,channel=2,addr=0x15"],
    ),
    (
        "meter",
        b"channel=1;channel=2,addr=0x1c",
        ["meter,base=0,channel=1,addr=0x15", "meter,base=0,channel=2,addr=0x1c"],
    ),
    ("device-model-args", b"-device meter,level=99", ["meter,base=0,channel=1,level=99,addr=0x1c"]),
    (
        "asset-tag",
        b"owner=a,url=https://x/-.,mode=off",
        [
            "asset-tag,Level=7,a=off,b=off,c=off,mode=off,owner=a,rack=0,site-name=XX-0,url=https://x/-.,addr=0x1e"
        ],
    ),
    (
        "asset-tag",
        b"site-name=ABC-12345678,room=" + b"a" * 64,
        [
            "asset-tag,Level=7,a=off,b=off,c=off,mode=auto,rack=0,room="
            + "a" * 64
            + ",site-name=ABC-12345678,addr=0x1e"
        ],
    ),
]

# Several at once: each in the slot that its setting or its contract names, and the others where it is free.
SEVERAL = [
    (
        {"vgpu-stub": b"vm_id=1", "asset-tag": b"a=on"},
        [
            "asset-tag,Level=7,a=on,b=off,c=off,mode=auto,rack=0,site-name=XX-0,addr=0x1e",
            "vgpu-stub,pool_id=A,priority=medium,vm_id=1,addr=0x1d",
        ],
    ),
    (
        {"vgpu-stub": b"vm_id=1", "asset-tag": b"a=on,addr=0x1d", "meter": b"channel=3;channel=4,addr=0x14"},
        [
            "asset-tag,Level=7,a=on,b=off,c=off,mode=auto,rack=0,site-name=XX-0,addr=0x1d",
            "meter,base=0,channel=3,addr=0x1c",
            "meter,base=0,channel=4,addr=0x14",
            "vgpu-stub,pool_id=A,priority=medium,vm_id=1,addr=0x1e",
        ],
    ),
    (
        {"vgpu-stub": b"vm_id=1", "device-model-args": b"-device meter"},
        ["meter,base=0,channel=1,addr=0x1c", "vgpu-stub,pool_id=A,priority=medium,vm_id=1,addr=0x1e"],
    ),
]

# What mutations are made of, beside a contract's own words.
PIECES = [
    b"addr=",
    b"A",
    b"0",
    b"7",
    b"0x1e",
    b",",
    b"=",
    b";",
    b" ",
    b"-device ",
    b"\n",
    b"\x00",
    b"\xff",
    b"-",
    b"'",
]
PIECES += [b"%s", b"{}", b"romfile="]


def plain(line):
    return all(" " <= character <= "~" for character in line)


def reader(values, vm="/vm/" + UUID):
    """A XenStore that holds these values of domain 5."""
    store = dict(("/local/domain/5/platform/" + key, value) for key, value in values.items())
    store["/local/domain/5/vm"] = vm.encode("ascii")
    return store.get


EVERY = Answer(["asset-tag", "meter", "vgpu-stub"], "qemu-4.2.1-1.x86_64")


def begin(values, said, policy="/nowhere/policy.conf", argv=(), known=EVERY, **named):
    """What a start gains."""
    return start.arguments(5, reader(values, **named), said.append, argv, policy, lambda: known)


def refusal(values, policy="/nowhere/policy.conf", **named):
    """What the one line of a refused start says."""
    said = []
    try:
        found = begin(values, said, policy, **named)
    except SystemExit as error:
        line = str(error)
        assert not said and plain(line) and len(line) < 1000, (said, line)
        return line
    raise AssertionError("not refused: {!r} gave {!r}".format(values, found))


def expected(key, said, uuid=UUID):
    path = "/local/domain/5/platform/" + key
    mend = "xe vm-param-remove uuid={} param-name=platform param-key={}".format(uuid, key)
    words = "qemu-device: domain 5 is refused: {}; look at VM.platform, which is in XenStore as {}"
    return words.format(said, path) + "; mend it with: " + mend


def gained(options):
    return [word for option in options for word in ("-device", option)]


def hostile_settings():
    """Each is refused, with the part that is wrong, where it stands, and the command that mends it."""
    assert len(HOSTILE) >= 400 and len(set(row[:2] for row in HOSTILE)) == len(HOSTILE)
    for key in ("vgpu-stub", "meter", "asset-tag", "device-model-args"):
        assert len([row for row in HOSTILE if row[0] == key]) >= 95, key
    for key, value, said in HOSTILE:
        assert refusal({key: value}) == expected(key, said), (key, value, refusal({key: value}))
        # As text, which a Python 2 makes no difference of, and which others may hand over.
        assert refusal({key: value.decode("latin-1")}) == expected(key, said), (key, value)
        # Beside others that are valid.
        other = "meter" if key != "meter" else "vgpu-stub"
        assert refusal({key: value, other: b"addr=0x1c"}) == expected(key, said), (key, value)


def both_keys():
    """Two settings of one device are refused even where they agree, and the older one is to go."""
    values = {"vgpu-stub": b"pool_id=A", "device-model-args": b"-device vgpu-stub,pool_id=A"}
    line = refusal(values)
    assert "both vgpu-stub and device-model-args are set; remove one of them" in line, line
    paths = "as /local/domain/5/platform/vgpu-stub and /local/domain/5/platform/device-model-args;"
    assert paths in line and line.endswith("param-key=device-model-args"), line


def valid_settings():
    """Every spelling: what QEMU gets is written anew, and its log line has the guide's words."""
    for values, options in [({key: value}, options) for key, value, options in VALID] + SEVERAL:
        said = []
        found = begin(values, said)
        assert found == gained(options), (values, found)
        assert [type(word) for word in found] == [str] * len(found), found
        assert said == ["Adding device-model-args: " + " ".join(gained(options))], said
    assert start.arguments(5, reader({}), None, (), "/nowhere", None) == []


def slots_that_are_taken():
    """A slot that two settings name, or that something else of the VM has, is refused with both."""
    said = "the slot 0x1d is given to asset-tag and to vgpu-stub"
    line = refusal({"vgpu-stub": b"addr=0x1d", "asset-tag": b"addr=0x1d"})
    assert line == expected("vgpu-stub", said), line
    argv = ["-device", "rtl8139,netdev=x,addr=1e", "-device", "x,bus=pcie.1,addr=0x18", "addr=0x18"]
    said = "the slot 0x1e, which vgpu-stub gets, is taken by 'rtl8139'"
    line = refusal({"vgpu-stub": b"pool_id=A"}, argv=argv)
    assert line == expected("vgpu-stub", said), line
    assert begin({"vgpu-stub": b"addr=0x18"}, [], argv=argv)
    # One after another, until there is none left.
    device = setting.parse(contract.load("meter"), b"base=1")[0]
    found = slots.assign([device] * 4)
    assert (
        found[:3] == [0x1C, 0x15, 0x14] and str(found[3]) == "no slot is free for meter of 0x14, 0x15, 0x1c"
    )


def fuzz(count=60000, seed=0):
    """Random pieces and bytes, of contracts that are random too: each is refused in plain words, or gives
    values that its contract admits."""
    dice = random.Random(seed)
    given = [(contract.load(name), [row[1] for row in VALID if row[0] == name]) for name in contract.types()]
    for served, valid in given:
        _fuzz(dice, served, valid, count)
    # A contract of its own for each hundred settings.
    for _ in range(count // 100):
        served = contracts.random_one(dice)
        _fuzz(dice, served, contracts.valid_ones(dice, served), 100)


def _fuzz(dice, served, valid, count):
    accepted = 0
    pieces = PIECES + contracts.pieces(served)
    for _ in range(count):
        guide = dice.randrange(3) == 0
        value = _random(dice, pieces, valid)
        try:
            if guide:
                found = [setting.parse_guide(lambda _: served, [served.type], b"-device " + value)]
            else:
                found = setting.parse(served, value)
        except setting.Invalid as error:
            assert plain(str(error)) and len(str(error)) < 1000, (served, value)
            continue
        accepted += 1
        assert 1 <= len(found) <= served.max_per_vm, (served, value)
        for device in found:
            contracts.holds(served, device)
        text = setting.text(found)
        assert setting.text(setting.parse(served, text)) == text and len(text) <= setting.LONGEST, (
            served,
            value,
        )
    # Enough of them get through for the second half to mean something.
    assert count < 1000 or accepted > count // 200, (served.type, accepted)


def _random(dice, pieces, valid):
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(bytearray(dice.randrange(256) for _ in range(dice.randrange(40))))
    if kind == 1:
        return b"".join(dice.choice(pieces) for _ in range(dice.randrange(12)))
    value = bytearray(dice.choice(valid))
    for _ in range(dice.randrange(3)):
        place = dice.randrange(len(value) + 1)
        change = dice.choice(pieces) if dice.randrange(2) else bytes(bytearray([dice.randrange(256)]))
        value[place : place + dice.randrange(2)] = change
    return bytes(value)


def the_vm_named():
    """Only a uuid that `xe` knows is printed: no other text, and none of a migration."""
    odd = [
        "/vm/" + UUID[:-12] + "000000000001",
        "/vm/" + UUID[:-12] + "000000000000",
        "",
        "/vm/",
        UUID,
        "/vm/" + UUID + "\n",
        "/vm/" + UUID.upper(),
        "/vm/$(reboot)",
        "/vm/" + UUID + " other-config:x=y",
    ]
    for vm in odd:
        assert refusal({"vgpu-stub": b""}, vm=vm) == expected(
            "vgpu-stub", "the value is empty", "UUID-OF-THE-VM"
        )

    def fails(path):
        if path.endswith("/vm"):
            raise OSError(2, "gone")
        return b"" if path.endswith("vgpu-stub") else None

    try:
        start.arguments(5, fails, None, (), "/nowhere/policy.conf")
    except SystemExit as error:
        assert str(error) == expected("vgpu-stub", "the value is empty", "UUID-OF-THE-VM")
    else:
        raise AssertionError("a setting that is not valid was passed over")


CHECKS = [
    hostile_settings,
    both_keys,
    valid_settings,
    slots_that_are_taken,
    fuzz,
    the_vm_named,
]
