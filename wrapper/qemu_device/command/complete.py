"""What bash may complete a command line with: asked by `qemu-device.bash`, and by nobody else."""

from __future__ import print_function

import re

from qemu_device import contract

from . import xe
from .report import Failure

_CHANGES = ["--dry-run", "--yes", "--json", "--help"]
_OPTIONS = {
    "attach": _CHANGES,
    "detach": _CHANGES,
    "status": ["--all", "--pool", "--json", "--help"],
    "doctor": ["--before-update", "--json", "--help"],
    "rollback": ["--detach-vms", "--keep-vms", "--check"] + _CHANGES,
}
# A shell would take the others apart.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def complete(words):
    """Prints what the last of the words may become."""
    for candidate in candidates(words[:-1], words[-1] if words else ""):
        print(candidate)
    return 0


def candidates(before, word):
    if not before:
        found = sorted(_OPTIONS) + ["--help"]
    elif before[0] in _OPTIONS:
        found = _of(before[0], before[1:], word)
    else:
        found = []
    return [one for one in found if one.startswith(word)]


def _of(command, before, word):
    options = _OPTIONS[command]
    given = [one for one in before if not one.startswith("-")]
    served = [name for name in given[1:2] if name in contract.types()]
    if command == "attach" and served:
        return _of_device(contract.load(served[0]), before, options)
    if word.startswith("-") or command in ("doctor", "rollback"):
        return options
    if not given:
        return _vms()
    return contract.types() if command in ("attach", "detach") and len(given) == 1 else []


def _of_device(served, before, options):
    names = dict(("--" + one.name.replace("_", "-"), one) for one in served.properties)
    last = before[-1]
    if last == "--addr":
        return served.slot_names()
    if last in names:
        return list(names[last].words or [])
    several = ["--instance"] if served.max_per_vm > 1 else []
    return sorted(names) + ["--addr"] + several + options


def _vms():
    try:
        return sorted(name for name in xe.names("vm") if _PLAIN.match(name))
    except Failure:
        return []
