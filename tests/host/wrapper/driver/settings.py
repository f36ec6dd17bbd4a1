# SPDX-License-Identifier: GPL-2.0-or-later
"""What is a setting and what is none, and what a start makes of each."""

import os
import random
import shutil
import tempfile

from vgpu_stub import setting, start

from .hostile import HOSTILE

UUID = "01234567-89ab-cdef-0123-456789abcdef"

VALID = [
    ("vgpu-stub", b"pool_id=A", "pool_id=A,priority=medium,vm_id=0,addr=0x1e"),
    (
        "vgpu-stub",
        b"pool_id=B,priority=high,vm_id=4294967295,addr=0x18",
        "pool_id=B,priority=high,vm_id=4294967295,addr=0x18",
    ),
    ("vgpu-stub", b"vm_id=7,pool_id=B", "pool_id=B,priority=medium,vm_id=7,addr=0x1e"),
    ("device-model-args", b"-device vgpu-stub", "pool_id=A,priority=medium,vm_id=0,addr=0x1e"),
    (
        "device-model-args",
        b"-device vgpu-stub,pool_id=A,priority=low,vm_id=100",
        "pool_id=A,priority=low,vm_id=100,addr=0x1e",
    ),
]

# What mutations are made of.
PIECES = [
    b"pool_id=",
    b"priority=",
    b"vm_id=",
    b"addr=",
    b"A",
    b"B",
    b"low",
    b"medium",
    b"high",
    b"0",
    b"7",
    b"0x1e",
    b"4294967295",
    b",",
    b"=",
    b" ",
    b"-device ",
    b"vgpu-stub",
    b"\n",
    b"\x00",
    b"\xff",
    b"-",
    b"'",
    b"%s",
    b"{}",
]


def plain(line):
    return all(" " <= character <= "~" for character in line)


def reader(values, vm="/vm/" + UUID):
    """A XenStore that holds these values of domain 5."""
    store = dict(("/local/domain/5/platform/" + key, value) for key, value in values.items())
    store["/local/domain/5/vm"] = vm.encode("ascii")
    return store.get


def refusal(values, policy="/nowhere/policy.conf", **named):
    """What the one line of a refused start says."""
    said = []
    try:
        found = start.arguments(5, reader(values, **named), said.append, policy)
    except SystemExit as error:
        line = str(error)
        assert not said and plain(line) and len(line) < 1000, (said, line)
        return line
    raise AssertionError("not refused: {!r} gave {!r}".format(values, found))


def expected(key, said, uuid=UUID):
    path = "/local/domain/5/platform/" + key
    mend = "xe vm-param-remove uuid={} param-name=platform param-key={}".format(uuid, key)
    words = "vgpu-stub: domain 5 is refused: {}; look at VM.platform, which is in XenStore as {}"
    return words.format(said, path) + "; mend it with: " + mend


def hostile_settings():
    """Each is refused, with the part that is wrong, where it stands, and the command that mends it."""
    assert len(HOSTILE) >= 140 and len(set(row[:2] for row in HOSTILE)) == len(HOSTILE)
    for key, value, said in HOSTILE:
        assert refusal({key: value}) == expected(key, said), (key, value, refusal({key: value}))
        # As text, which a Python 2 makes no difference of, and which others may hand over.
        assert refusal({key: value.decode("latin-1")}) == expected(key, said), (key, value)


def both_keys():
    """Two settings are refused even where they agree, and the older one is to go."""
    values = {"vgpu-stub": b"pool_id=A", "device-model-args": b"-device vgpu-stub,pool_id=A"}
    line = refusal(values)
    assert "both vgpu-stub and device-model-args are set; remove one of them" in line, line
    paths = "as /local/domain/5/platform/vgpu-stub and /local/domain/5/platform/device-model-args;"
    assert paths in line and line.endswith("param-key=device-model-args"), line


def valid_settings():
    """Both spellings: what QEMU gets is written anew, and its log line has the guide's words."""
    for key, value, options in VALID:
        said = []
        found = start.arguments(5, reader({key: value}), said.append, "/nowhere/policy.conf")
        assert found == ["-device", "vgpu-stub," + options], found
        assert [type(word) for word in found] == [str, str], found
        assert said == ["Adding device-model-args: -device vgpu-stub," + options], said
    assert start.arguments(5, reader({}), None, "/nowhere") == []


def fuzz(count=200000, seed=0):
    """Random pieces and bytes: each is refused in plain words, or gives values of the closed sets."""
    dice = random.Random(seed)
    accepted = 0
    for _ in range(count):
        key = setting.KEYS[dice.randrange(2)]
        value = _random(dice)
        try:
            found = setting.parse(key, value)
        except setting.Invalid as error:
            assert plain(str(error)) and len(str(error)) < 200, (key, value)
            continue
        accepted += 1
        good = found.pool_id in ("A", "B") and found.priority in ("low", "medium", "high")
        assert good and 0 <= found.vm_id <= 0xFFFFFFFF and found.addr in setting.SLOTS, (key, value)
        assert setting.parse("vgpu-stub", found.value()) == found, (key, value)
        assert found.arguments()[1].count(",") == 4 and plain(found.arguments()[1]), found
    # Enough of them get through for the second half to mean something.
    assert accepted > count // 200, accepted


def _random(dice):
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(bytearray(dice.randrange(256) for _ in range(dice.randrange(40))))
    if kind == 1:
        return b"".join(dice.choice(PIECES) for _ in range(dice.randrange(12)))
    value = bytearray(dice.choice(VALID)[1])
    for _ in range(dice.randrange(3)):
        place = dice.randrange(len(value) + 1)
        change = dice.choice(PIECES) if dice.randrange(2) else bytes(bytearray([dice.randrange(256)]))
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
        start.arguments(5, fails, None, "/nowhere/policy.conf")
    except SystemExit as error:
        assert str(error) == expected("vgpu-stub", "the value is empty", "UUID-OF-THE-VM")
    else:
        raise AssertionError("a setting that is not valid was passed over")


def policies():
    """The policy's file: two words, and whatever else it holds counts as `refuse` and is said."""
    folder = tempfile.mkdtemp(prefix="vgpu-policy-")
    path = os.path.join(folder, "policy.conf")
    either = "is not `on-invalid = refuse` or `on-invalid = start-without-device`"
    rows = [
        (b"", None),
        (b"# on-invalid = start-without-device\n", None),
        (b"on-invalid = refuse", None),
        (b"on-invalid=refuse # as ever\r\n", None),
        (b"on-invalid = start\n", "line 1, has 'start', not refuse or start-without-device"),
        (
            b"on-invalid = Start-Without-Device\n",
            "line 1, has 'Start-Without-Device', not refuse or start-without-device",
        ),
        (b"\n\non-invalid\n", "line 3, " + either),
        (b"on_invalid = refuse\n", "line 1, " + either),
        (b"[policy]\non-invalid = start-without-device\n", "line 1, " + either),
        (b"on-invalid = start-without-device\non-invalid = refuse\n", "line 2, gives `on-invalid` again"),
        (b"on-invalid = \xff\x1b\n", "line 1, has '\\xff\\x1b', not refuse or start-without-device"),
        (b"#" * 5000, "has more than 4096 bytes"),
    ]
    try:
        for text, complaint in rows:
            _write(path, text)
            line = refusal({"vgpu-stub": b""}, path)
            comma = "" if complaint and complaint.startswith("has more") else ","
            said = "the value is empty" + ("; {}{} {}".format(path, comma, complaint) if complaint else "")
            assert line == expected("vgpu-stub", said), line
        line = refusal({"vgpu-stub": b""}, folder)
        assert line == expected(
            "vgpu-stub", "the value is empty; {} cannot be read (error 21)".format(folder)
        ), line
        for text in (
            b"on-invalid = start-without-device\n",
            b"# why\n\n\ton-invalid=start-without-device \r\n",
        ):
            _write(path, text)
            _starts_without(path)
    finally:
        shutil.rmtree(folder)


def _starts_without(path):
    for key, value, said in HOSTILE:
        lines = []
        assert start.arguments(5, reader({key: value}), lines.append, path) == []
        words = "domain 5 starts without the device, as {} says:".format(path)
        assert lines == [expected(key, said).replace("domain 5 is refused:", words)] and plain(
            lines[0]
        ), lines


def _write(path, text):
    with open(path, "wb") as target:
        target.write(text)


CHECKS = [hostile_settings, both_keys, valid_settings, fuzz, the_vm_named, policies]
