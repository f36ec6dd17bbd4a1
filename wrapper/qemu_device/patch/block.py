"""The lines that a patched wrapper has more than the genuine one, put in and taken out again.

They do nothing for a VM that has no setting, so a host that lost our package still starts its other
VMs. All of it is text in memory: no file is read or written here.
"""

import ast
import hashlib
import re
from collections import namedtuple

from qemu_device import served
from qemu_device.patch import shape
from qemu_device.patch.shape import Refused

# Raise it when the lines change: a wrapper with older ones, or with those for other devices, is then patched
# anew.
VERSION = 1

_MODULES = "/usr/lib/qemu-device"

# A comprehension's variable outlives it on Python 2, so that one too has our prefix.
_LINES = """\
# qemu-device begin, version {version}, of a file with sha256 {sha256}
qemu_device_path = "/local/domain/%d/platform/%s"
if [qemu_device_key for qemu_device_key in {keys}
        if {read}(qemu_device_path % ({domid}, qemu_device_key)) is not None]:
    import sys as qemu_device_sys
    qemu_device_sys.dont_write_bytecode = True
    qemu_device_sys.path.insert(0, "{modules}")
    try:
        from qemu_device.start import extend as qemu_device_extend
    except Exception:
        raise SystemExit("{missing}")
    qemu_device_extend({arguments}, {domid}, {read})
# qemu-device end
"""

_MISSING = (
    "qemu-device: this VM has a setting in VM.platform, and {}, which reads it, is missing or broken:"
    " install qemu-device-dom0, or: xe vm-param-remove uuid=UUID-OF-THE-VM param-name=platform param-key={}"
)

_AGAIN = "reinstall the package that brings the file"

_BEGIN = re.compile(
    b"[ \t]*# qemu-device begin, version ([0-9]{1,9}), of a file with sha256 ([0-9a-f]{64})\r?\n\\Z"
)
_END = re.compile(b"[ \t]*# qemu-device end\r?\n\\Z")
_OURS = re.compile(b"# *qemu-device (begin|end)")


class Found(namedtuple("Found", "original version")):
    """The genuine file, and the version of the lines that were in it, `None` without any."""

    __slots__ = ()


def take_out(source):
    """What a file was before it was patched, byte for byte, or `Refused`."""
    lines = _lines(source)
    begins = [number for number, line in enumerate(lines) if _BEGIN.match(line)]
    ends = [number for number, line in enumerate(lines) if _END.match(line)]
    if not begins and not ends and not _OURS.search(source):
        return Found(source, None)
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise Refused("the lines of qemu-device in it are not whole; " + _AGAIN)
    version, sha256 = _BEGIN.match(lines[begins[0]]).groups()
    original = b"".join(lines[: begins[0]] + lines[ends[0] + 1 :])
    if hashlib.sha256(original).hexdigest() != sha256.decode("ascii"):
        raise Refused("it was changed after it was patched; " + _AGAIN)
    return Found(original, int(version))


def put_in(original):
    """The patched form of a genuine file, or `Refused`."""
    found = shape.find(original, served.keys())
    lines = _lines(original)
    statement = lines[found.line - 1]
    indent = statement[: len(statement) - len(statement.lstrip(b" \t"))]
    if found.column != len(indent):
        raise Refused("its line that prints `Exec:` shares the line with another statement")
    ending = b"\r\n" if statement.endswith(b"\r\n") else b"\n"
    ours = [indent + line.encode("ascii") + ending for line in _text(original, found).splitlines()]
    patched = b"".join(lines[: found.line - 1] + ours + lines[found.line - 1 :])
    _prove(original, patched, found)
    return patched


def _text(original, found):
    return _LINES.format(
        version=VERSION,
        sha256=hashlib.sha256(original).hexdigest(),
        keys="(%s)" % "".join('"%s", ' % key for key in served.keys()).rstrip(" "),
        modules=_MODULES,
        missing=_MISSING.format(_MODULES, " or ".join(served.keys())),
        read=found.read,
        domid=found.domid,
        arguments=found.arguments,
    )


def _lines(source):
    if re.search(b"\r(?!\n)", source):
        raise Refused("it has line endings that are neither Unix's nor DOS's")
    return re.findall(b"[^\n]*\n|[^\n]+\\Z", source)


def _prove(original, patched, found):
    """Compiles the result, and compares it with the genuine one as Python understands them."""
    try:
        compile(patched, "qemu-wrapper", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        raise Refused("what would come out does not compile (%s)" % type(error).__name__)
    tree, genuine = shape.parse(patched), shape.parse(original)
    body = [node for node in tree.body if getattr(node, "name", None) == "main"][0].body
    ours = [node for node in body if _ours(node)]
    calls = [node for node in ast.walk(tree) if getattr(node, "id", None) == "qemu_device_extend"]
    if len(ours) != 2 or len(calls) != 1 or body.index(ours[1]) != body.index(ours[0]) + 1:
        raise Refused("what would come out does not hold our lines once")
    body[:] = [node for node in body if node not in ours]
    if ast.dump(tree) != ast.dump(genuine) or take_out(patched) != Found(original, VERSION):
        raise Refused("what would come out differs from it in more than our lines")


def _ours(node):
    if type(node).__name__ not in ("Assign", "If"):
        return False
    names = [getattr(one, "id", None) for one in ast.walk(node)]
    return "qemu_device_path" in names
