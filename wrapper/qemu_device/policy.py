"""The operator's word on starts that cannot be as they are set: `/etc/qemu-device/policy.conf`."""

import io
from collections import namedtuple

from qemu_device.setting import quoted

FILE = "/etc/qemu-device/policy.conf"

REFUSE = "refuse"
START = "start-without-device"
WORDS = (REFUSE, START)

ON_INVALID = "on-invalid"
ON_MISSING = "on-missing"
# What counts where the file says nothing: a setting that is not valid is somebody's mistake, and a QEMU
# without the device is an update's doing, which must not take VMs down.
_DEFAULTS = {ON_INVALID: REFUSE, ON_MISSING: START}

_LONGEST = 4096
_NO_FILE = 2  # ENOENT; the module `errno` would be loaded for this alone.


class Policy(namedtuple("Policy", "on_invalid on_missing complaint")):
    """The two words, and what is wrong with the file that says them."""

    __slots__ = ()


def read(path=FILE):
    """The policy. Without the file, and wherever it is not understood, the defaults count: the operator's
    word for anything else has to be there and has to be clear."""
    try:
        with io.open(path, "rb") as source:
            text = source.read(_LONGEST + 1)
    except EnvironmentError as error:
        if error.errno == _NO_FILE:
            return _policy({}, None)
        return _policy({}, "%s cannot be read (error %s)" % (path, error.errno))
    if len(text) > _LONGEST:
        return _policy({}, "%s has more than %d bytes" % (path, _LONGEST))
    return _parse(path, text.decode("latin-1"))


def _policy(found, complaint):
    said = {} if complaint else found
    words = [said.get(name, _DEFAULTS[name]) for name in (ON_INVALID, ON_MISSING)]
    return Policy(words[0], words[1], complaint)


def _parse(path, text):
    found = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
        line = line.partition("#")[0].strip(" \t")
        if not line:
            continue
        where = "%s, line %d, " % (path, number + 1)
        name, equals, word = (part.strip(" \t") for part in line.partition("="))
        if name not in _DEFAULTS or not equals:
            known = " or ".join("`%s = WORD`" % known for known in (ON_INVALID, ON_MISSING))
            return _policy({}, where + "is not " + known)
        if word not in WORDS:
            return _policy({}, where + "has %s, not %s" % (quoted(word), " or ".join(WORDS)))
        if name in found:
            return _policy({}, where + "gives `%s` again" % name)
        found[name] = word
    return _policy(found, None)
