"""A VM's setting of vgpu-stub: the one place that judges it.

Whoever may write a VM's platform map is no root of the host, so a setting is data: it is parsed,
checked against closed sets, and what QEMU is given is written anew from the parsed values. Nothing
of the text itself ever reaches a command line.

No input or output here, and nothing newer than Python 2.7 and 3.6 know.
"""

import re
from collections import namedtuple

DEVICE = "vgpu-stub"

# The keys of the platform map: ours, and the one that an older guide taught.
KEY = "vgpu-stub"
GUIDE_KEY = "device-model-args"
KEYS = (KEY, GUIDE_KEY)

LONGEST = 512

POOLS = ("A", "B")
PRIORITIES = ("low", "medium", "high")
# Slots that neither xenopsd nor QEMU gives away by itself; 0x1e where a setting names none.
SLOTS = tuple("0x%x" % slot for slot in range(0x18, 0x1F))
LARGEST_VM_ID = 0xFFFFFFFF

_GUIDE_PREFIX = "-device "


class Invalid(ValueError):
    """A setting that QEMU must not see. Its text is one line of printable ASCII."""


class Setting(namedtuple("Setting", "pool_id priority vm_id addr")):
    """What a VM's device is to be like; every value is one that the device takes."""

    __slots__ = ()

    def arguments(self):
        """What QEMU's command line gains."""
        values = "pool_id=%s,priority=%s,vm_id=%d,addr=%s" % self
        return ["-device", "%s,%s" % (DEVICE, values)]

    def value(self):
        """The canonical value of the key `vgpu-stub`."""
        text = "pool_id=%s,priority=%s,vm_id=%d" % self[:3]
        return text if self.addr == SLOTS[-1] else "%s,addr=%s" % (text, self.addr)


DEFAULT = Setting("A", "medium", 0, SLOTS[-1])


def parse(key, value):
    """The setting that `value` (bytes or text) of the platform key `key` spells, or `Invalid`."""
    text = _ascii(value)
    if key == KEY:
        return _properties(text)
    if key != GUIDE_KEY:
        raise Invalid("%s is not a key of vgpu-stub" % quoted(key))
    if not text.startswith(_GUIDE_PREFIX):
        raise Invalid("%s does not begin with %s" % (quoted(text), quoted(_GUIDE_PREFIX)))
    text = text[len(_GUIDE_PREFIX) :]
    device, comma, properties = text.partition(",")
    if device != DEVICE:
        raise Invalid("the device is %s, not %s" % (quoted(device), quoted(DEVICE)))
    return _properties(properties) if comma else DEFAULT


def choose(values):
    """The setting of a VM from its values by key, `None` for a key that is not there.

    `None` where the VM has none. Two settings are refused even if they agree: somebody would change
    one of them and believe that it counts.
    """
    there = [key for key in KEYS if values.get(key) is not None]
    if len(there) > 1:
        raise Invalid("both %s and %s are set; remove one of them" % KEYS)
    return parse(there[0], values[there[0]]) if there else None


def number(text):
    """A `vm_id`: the digits of a u32 with nothing around or before them."""
    if not re.match(r"(0|[1-9][0-9]{0,9})\Z", text) or int(text) > LARGEST_VM_ID:
        raise Invalid(
            "vm_id is %s, not a number from 0 to %d without leading zeros" % (quoted(text), LARGEST_VM_ID)
        )
    return int(text)


def quoted(text):
    """A piece of a setting as a message shows it: short, on one line, and plain ASCII.

    It has no quote of its own, so that it cannot seem to end and go on as the message.
    """
    plain = [" " <= c <= "~" and c not in "'\\" for c in text[:40]]
    shown = "".join(c if good else "\\x%02x" % ord(c) for c, good in zip(text, plain))
    return "'%s'%s" % (shown, "..." if len(text) > 40 else "")


def _ascii(value):
    # XenStore gives bytes on Python 3 and what is called `str` on Python 2; both may hold anything.
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not text:
        raise Invalid("the value is empty")
    if len(text) > LONGEST:
        raise Invalid("the value has %d bytes; %d are the most" % (len(text), LONGEST))
    for position, character in enumerate(text):
        if not " " <= character <= "~":
            raise Invalid("byte %d is 0x%02x, which is not printable ASCII" % (position, ord(character)))
    # On Python 2 this is `unicode` until here, and an argv wants plain strings.
    return str(text)


def _one_of(name, value, values):
    if value not in values:
        raise Invalid("%s is %s, not one of %s" % (name, quoted(value), ", ".join(values)))
    return value


_PARSERS = {
    "pool_id": lambda value: _one_of("pool_id", value, POOLS),
    "priority": lambda value: _one_of("priority", value, PRIORITIES),
    "vm_id": number,
    "addr": lambda value: _one_of("addr", value, SLOTS),
}


def _properties(text):
    found = {}
    for part in text.split(","):
        if not part:
            raise Invalid("a comma has no property on one of its sides")
        name, equals, value = part.partition("=")
        if name not in _PARSERS:
            known = ", ".join(Setting._fields)
            raise Invalid("%s is not a property; known are %s" % (quoted(name), known))
        if not equals:
            raise Invalid("%s has no value" % name)
        if name in found:
            raise Invalid("%s is given twice" % name)
        found[name] = _PARSERS[name](value)
    return DEFAULT._replace(**found)
