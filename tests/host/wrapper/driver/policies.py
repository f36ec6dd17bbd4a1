# SPDX-License-Identifier: GPL-2.0-or-later
"""What a start does that cannot be as it is set: as the policy says, and the log with it."""

import os
import shutil
import tempfile

from qemu_device.emulator import Answer

from .hostile import HOSTILE
from .settings import begin, expected, plain, refusal


def missing_devices():
    """A QEMU that lacks a type: the VM starts without that one and the line says so, or is refused."""
    folder = tempfile.mkdtemp(prefix="vgpu-policy-")
    path = os.path.join(folder, "policy.conf")
    stock = Answer(["meter", "e1000"], "qemu-4.2.1-5.2.15.3.xcpng8.3.x86_64")
    why = "the QEMU of this host, qemu-4.2.1-5.2.15.3.xcpng8.3.x86_64, does not have it"
    try:
        said = []
        found = begin({"vgpu-stub": b"pool_id=A", "meter": b"base=1"}, said, path, known=stock)
        assert found == ["-device", "meter,base=1,channel=1,addr=0x1c"], found
        assert said[0].startswith("qemu-device: domain 5 starts without vgpu-stub: " + why), said
        assert "qemu-device doctor" in said[0] and len(said) == 2 and plain(said[0]), said
        said = []
        assert begin({"vgpu-stub": b"pool_id=A"}, said, path, known=stock) == [] and len(said) == 1, said
        # What cannot be asked is QEMU's own to complain of.
        assert begin({"vgpu-stub": b"pool_id=A"}, [], path, known=None)
        # An invalid setting stays refused, whatever QEMU knows.
        assert "is refused: pool_id is 'C'" in refusal({"vgpu-stub": b"pool_id=C"}, path, known=stock)
        _write(path, b"on-missing = refuse\n")
        line = refusal({"vgpu-stub": b"pool_id=A"}, path, known=stock)
        assert line.startswith("qemu-device: domain 5 is refused") and why in line, line
    finally:
        shutil.rmtree(folder)


def policies():
    """The policy's file: two words, and whatever else it holds counts as `refuse` and is said."""
    folder = tempfile.mkdtemp(prefix="vgpu-policy-")
    path = os.path.join(folder, "policy.conf")
    either = "is not `on-invalid = WORD` or `on-missing = WORD`"
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
        (b"on-missing = refuse\non-invalid = refuse\n", None),
        (
            b"on-invalid = start-without-device\non-missing = maybe\n",
            "line 2, has 'maybe', not refuse or start-without-device",
        ),
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
        found = begin({key: value}, lines, path)
        what = "the device" if key == "device-model-args" else key
        words = "domain 5 starts without {}, as {} says:".format(what, path)
        assert lines[0] == expected(key, said).replace("domain 5 is refused:", words), lines
        # Of two that want the same slot, the first has it.
        both = said.startswith("the slot")
        assert (len(lines), len(found)) == ((2, 2) if both else (1, 0)) and plain(lines[0]), lines
    lines = []
    found = begin({"vgpu-stub": b"pool_id=C", "meter": b"base=1"}, lines, path)
    assert found == ["-device", "meter,base=1,channel=1,addr=0x1c"] and len(lines) == 2, lines


def _write(path, text):
    with open(path, "wb") as target:
        target.write(text)


CHECKS = [missing_devices, policies]
