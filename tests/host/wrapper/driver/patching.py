# SPDX-License-Identifier: GPL-2.0-or-later
"""What the patcher makes of a wrapper's text, and what it leaves alone."""

import sys

from qemu_device.patch import block
from qemu_device.patch.shape import Refused

from . import shapes

ALL = dict(shapes.SHAPES, **(shapes.OLD_SHAPES if sys.version_info[0] == 2 else {}))


def variants(text):
    """One wrapper's bytes in the ways that files differ."""
    yield "plain", text.encode("ascii")
    yield "DOS", text.replace("\n", "\r\n").encode("ascii")
    yield "tabs", text.replace("    ", "\t").encode("ascii")
    yield "no last newline", text.rstrip("\n").encode("ascii")
    cookie = b"\n# -*- coding: latin-1 -*-\n# \xe9\n".decode("latin-1")
    yield "cookie", text.replace("\n", cookie, 1).encode("latin-1")
    yield "byte order mark", b"\xef\xbb\xbf# \xc3\xa9\n" + text.encode("ascii")
    yield "mixed endings", text.replace("\n", "\r\n", 7).encode("ascii")


def known_shapes():
    """Each in every form of file: our lines once, as the file's own lines end, and back to the byte."""
    for name, text in sorted(ALL.items()):
        for kind, original in variants(text.format(python="/usr/bin/python3")):
            patched = block.put_in(original)
            assert block.take_out(patched).original == original, (name, kind)
            assert block.put_in(block.take_out(patched).original) == patched, (name, kind)
            assert patched.count(b"# qemu-device begin") == 1 and patched.count(b"qemu_device_extend(") == 1
            ours = [line for line in patched.split(b"\n") if b"qemu_device" in line]
            last = [line for line in original.split(b"\n") if b"Exec: " in line][0]
            assert all(line.endswith(b"\r") == last.endswith(b"\r") for line in ours), (name, kind)
            assert all(line.startswith(b"\t") == last.startswith(b"\t") for line in ours), (name, kind)
            kept = [line for line in patched.split(b"\n") if line in original.split(b"\n")]
            assert len(kept) >= len(original.split(b"\n")), (name, kind)


def unknown_shapes():
    """Each is refused, with what was not found in it."""
    for name, text, said in shapes.REFUSED:
        source = text.replace("{python}", "/usr/bin/python3").encode("ascii")
        try:
            block.put_in(block.take_out(source).original)
        except Refused as error:
            found = str(error)
        else:
            raise AssertionError("patched: " + name)
        assert "\n" not in found and len(found) < 200, (name, found)
        assert found.startswith(said or "it is not Python {}.{}'s syntax".format(*sys.version_info[:2])), (
            name,
            found,
        )


def other_pythons():
    """A wrapper of another Python is refused with that reason, and with what to do."""
    if sys.version_info[0] == 2:
        source = shapes.PLAIN.replace("def xs_read(path)", "def xs_read(path, *, more=1)").encode("ascii")
        versions = (2, 7, 3)
    else:
        source = shapes.OLD_SHAPES["statement, Popen"].encode("ascii")
        versions = sys.version_info[:2] + (2,)
    try:
        block.put_in(source)
    except Refused as error:
        begin = "it is not Python {}.{}'s syntax in line ".format(*versions[:2])
        end = "; where it is a wrapper for Python {}, run this with that Python".format(versions[2])
        assert str(error).startswith(begin) and str(error).endswith(end), error
    else:
        raise AssertionError("patched")


def altered_lines():
    """What is not wholly ours any more is not taken out."""
    patched = block.put_in(shapes.PLAIN.encode("ascii"))
    again = "reinstall the package that brings the file"
    changed = "it was changed after it was patched; " + again
    broken = "the lines of qemu-device in it are not whole; " + again
    begin = [line for line in patched.split(b"\n") if b"qemu-device begin" in line][0] + b"\n"
    rows = [
        (patched.replace(b"import os", b"import  os"), changed),
        (patched + b"\n", changed),
        (patched.replace(b"    # qemu-device end\n", b""), broken),
        (patched.replace(begin, b""), broken),
        (patched.replace(begin, begin * 2), broken),
        (patched.replace(b"version 1,", b"version one,"), broken),
        (patched.replace(begin, begin.replace(b"sha256 ", b"sha256 0")), broken),
        (patched.replace(b"# qemu-device end", b"# qemu-device  end"), broken),
    ]
    for source, said in rows:
        try:
            block.take_out(source)
        except Refused as error:
            assert str(error) == said, (error, said)
        else:
            raise AssertionError(source)


CHECKS = [known_shapes, unknown_shapes, other_pythons, altered_lines]
