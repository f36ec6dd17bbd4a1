"""QEMU on this host: what runs, from which file, and what the installed one can do."""

import os
import re
from collections import namedtuple

from qemu_device import contract

from . import paths, programs
from .report import Failure, said

_NAME = re.compile(r"qemu-dm-([0-9]+)\Z")

# A running QEMU; `binary` is `current`, `replaced` (the installed file is another one now) or `unknown`.
Process = namedtuple("Process", "pid domid argv binary")


def of_domain(domid):
    """The QEMU that serves a domain of this host."""
    pid = _pid("/local/domain/%d/qemu-pid" % domid) or _pid("/local/domain/%d/image/device-model-pid" % domid)
    if pid is None:
        raise Failure("XenStore names no QEMU of domain %d" % domid)
    process = _process(pid)
    # The number may have passed to another process since.
    if process is None or process.domid != domid:
        raise Failure("process %d is no longer the QEMU of domain %d" % (pid, domid))
    return process


def all_running():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [process for process in map(_process, sorted(pids)) if process]


def devices(argv):
    """The arguments of every `-device` of a command line that names a type of ours."""
    types = contract.types()
    pairs = zip(argv, argv[1:])
    return [value for option, value in pairs if option == "-device" and value.partition(",")[0] in types]


def known_devices():
    """The names of the devices that the installed binary has."""
    found = re.findall(r'(?m)^name "([^"]+)"', _help("help"))
    if not found:
        raise Failure("QEMU answers `-device help` with no device at all")
    return found


def missing():
    """The types of ours that the installed binary does not have."""
    known = known_devices()
    return [name for name in contract.types() if name not in known]


def properties(name):
    """A device's properties by name, with the type that QEMU says they have."""
    answer = _help(name + ",help")
    # `  name=<type>  - text` since 4.1 or so, `TYPE.name=type` before.
    pattern = r"(?m)^\s*(?:%s\.)?([A-Za-z_][A-Za-z0-9_-]*)=<?([A-Za-z0-9/ _-]+?)>?(?:\s|$)"
    return dict(re.findall(pattern % re.escape(name), answer))


def _pid(path):
    result = programs.run(["xenstore-read", path])
    text = result.out.strip()
    return int(text) if result.code == 0 and re.match(r"[1-9][0-9]{0,9}\Z", text) else None


def _process(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            argv = file.read(1 << 20).decode("latin-1").split("\0")[:-1]
    except (IOError, OSError):
        return None
    name = _NAME.match(argv[0]) if argv else None
    return Process(pid, int(name.group(1)), argv, _binary(pid)) if name else None


def _binary(pid):
    # QEMU lives in a mount namespace and a chroot of its own, so its path says little: the link leads
    # to the file itself, even where it is deleted.
    try:
        runs = os.stat("/proc/%d/exe" % pid)
    except (IOError, OSError):
        return "unknown"
    try:
        installed = os.stat(paths.at(paths.QEMU))
    except (IOError, OSError):
        return "replaced"
    same = (runs.st_dev, runs.st_ino) == (installed.st_dev, installed.st_ino)
    return "current" if same else "replaced"


def _help(what):
    result = programs.run([paths.at(paths.QEMU), "-device", what])
    if result.code:
        words = said(result.err or result.out) or "exit code %d" % result.code
        raise Failure("QEMU answers `-device %s` with: %s" % (what, words))
    # Versions differ in which stream the help goes to.
    return result.out + result.err
