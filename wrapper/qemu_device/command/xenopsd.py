"""Which wrapper xenopsd starts: its configuration as it reads it, and whether it has read it since.

xenopsd reads its configuration once, at its start: the main file, then every file of the folder of
fragments in the order of their bytes. The last one that sets a key wins.
"""

import os
import re
import time
from collections import namedtuple

from . import paths, programs
from .report import Failure

SERVICE = "xenopsd-xc.service"
KEY = "upstream-compat-qemu-dm-wrapper"

THERE, EMPTY, MISSING = "there", "empty", "missing"

# As xenopsd takes a line apart; it looks for the pattern anywhere in what is left of a comment.
_LINE = re.compile(r"([^=\\ \t]+)[\\ \t]*=[\\ \t]*(.*)")

# A file of the folder; `kind` is `file`, `folder` or `unreadable`.
Entry = namedtuple("Entry", "path kind")

# The running daemon: when it was started, and the folder of fragments that it was told to read.
Daemon = namedtuple("Daemon", "pid started folder")


def entries():
    """What lies in the folder of fragments, in the order in which xenopsd reads it."""
    try:
        names = sorted(os.listdir(paths.at(paths.FRAGMENTS).encode("utf-8")))
    except OSError:
        return None
    return [_entry(paths.FRAGMENTS + "/" + name.decode("latin-1")) for name in names]


def _entry(path):
    # By its bytes, whatever the locale makes of the name.
    real = paths.at(path).encode("latin-1")
    if os.path.isdir(real):
        return Entry(path, "folder")
    return Entry(path, "file" if os.path.isfile(real) and os.access(real, os.R_OK) else "unreadable")


def wrappers():
    """Every line that names a wrapper, as (file, value), in the order of reading: the last one wins."""
    files = [paths.XENOPSD_CONF] if os.path.isfile(paths.at(paths.XENOPSD_CONF)) else []
    files += [entry.path for entry in entries() or [] if entry.kind == "file"]
    return [(path, value) for path in files for value in _values(path)]


def fragment_is():
    """The drop-in: an empty one says nothing to xenopsd, and is left by `rollback` for rpm to remove."""
    path = paths.at(paths.FRAGMENT)
    if not os.path.isfile(path):
        return MISSING
    return THERE if os.path.getsize(path) else EMPTY


def _values(path):
    for line in paths.read(path).split("\n"):
        match = _LINE.search(line.partition("#")[0].rstrip(" \t"))
        if match and match.group(1) == KEY:
            yield _unquoted(match.group(2))


def _unquoted(value):
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def daemon():
    """The running xenopsd, or `None`."""
    result = programs.run(["systemctl", "show", "-p", "MainPID", SERVICE])
    match = re.match(r"MainPID=([0-9]+)\s*\Z", result.out)
    if result.code or not match:
        raise Failure("systemctl does not say which process %s is" % SERVICE)
    pid = int(match.group(1))
    if pid == 0:
        return None
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            argv = file.read(1 << 16).decode("latin-1").split("\0")[:-1]
        return Daemon(pid, _started(pid), _folder(argv))
    except (IOError, OSError):
        return None


def changed(path):
    """When a file was put there or altered: an RPM sets the other date to that of the package's build."""
    return os.stat(paths.at(path)).st_ctime


def _folder(argv):
    folder = None
    for word, following in zip(argv, argv[1:] + [""]):
        if word == "--config-dir":
            folder = following
        elif word.startswith("--config-dir="):
            folder = word.partition("=")[2]
    return folder


def _started(pid):
    with open("/proc/%d/stat" % pid) as file:
        # The name, in parentheses, may hold spaces and parentheses.
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime") as file:
        uptime = float(file.read().split()[0])
    return time.time() - uptime + ticks / float(os.sysconf("SC_CLK_TCK"))
