"""A VM's settings of devices: the one place that judges them.

Whoever may write a VM's platform map is no root of the host, so a setting is data: it is parsed,
checked against the device's contract, and what QEMU is given is written anew from the parsed values.
Nothing of the text itself ever reaches a command line.

No input or output here, and nothing newer than Python 2.7 and 3.6 know.
"""

from collections import namedtuple

from qemu_device import contract
from qemu_device.served import GUIDE_KEY

# More than the longest setting that any contract may admit (`pipeline/src/config/operator.rs`), and less than
# what XenStore keeps.
LONGEST = 1024

# Between two devices of one type.
_BETWEEN = ";"
_SLOT = "addr"
_GUIDE_PREFIX = "-device "


class Invalid(ValueError):
    """A setting that QEMU must not see. Its text is one line of printable ASCII."""


class Device(namedtuple("Device", "contract values slot")):
    """One device of a VM: every value is one that its contract takes; `slot` is `None` where none is named."""

    __slots__ = ()

    def option(self, slot):
        """The value of QEMU's `-device`."""
        return ",".join([self.contract.type] + self._values() + ["%s=%s" % (_SLOT, contract.slot_name(slot))])

    def text(self):
        """As the platform map has it."""
        words = self._values()
        # A setting says something: where there is nothing else, it is the slot.
        slot = self.slot if words or self.slot is not None else self.contract.slot
        if slot is not None:
            words.append("%s=%s" % (_SLOT, contract.slot_name(slot)))
        return ",".join(words)

    def as_dict(self):
        """By name, numbers as such, with `addr`, `None` where nobody chose it."""
        found = dict((one.name, self.values.get(one.name)) for one in self.contract.properties)
        for one in self.contract.properties:
            if one.range is not None and found[one.name] is not None:
                found[one.name] = int(found[one.name])
        found[_SLOT] = None if self.slot is None else contract.slot_name(self.slot)
        return found

    def _values(self):
        named = [one.name for one in self.contract.properties if one.name in self.values]
        return ["%s=%s" % (name, self.values[name]) for name in named]


def plain(device):
    """A device of a contract with all its defaults."""
    return Device(device, device.defaults(), None)


def text(devices):
    """The canonical value of a platform key."""
    return _BETWEEN.join(device.text() for device in devices)


def parse(served, value):
    """The devices that the value (bytes or text) of a type's own key spells, or `Invalid`."""
    parts = _ascii(value).split(_BETWEEN)
    if len(parts) > served.max_per_vm:
        count = "once" if served.max_per_vm == 1 else "%d times at most" % served.max_per_vm
        raise Invalid("%d devices are set; a VM has %s %s" % (len(parts), served.type, count))
    return [_device(served, part) for part in parts]


def parse_guide(load, known, value):
    """The one device that the value of the guide's key spells. `load` gives the contract of a known type."""
    words = _ascii(value)
    if not words.startswith(_GUIDE_PREFIX):
        raise Invalid("%s does not begin with %s" % (quoted(words), quoted(_GUIDE_PREFIX)))
    name, comma, properties = words[len(_GUIDE_PREFIX) :].partition(",")
    if name not in known:
        raise Invalid("the device is %s, not one of %s" % (quoted(name), ", ".join(known) or "none"))
    served = load(name)
    return _device(served, properties) if comma else plain(served)


def merge(device, wanted):
    """The device with some properties (`addr` too) set anew, as pairs of texts, each judged in its turn."""
    values, slot = dict(device.values), device.slot
    for name, value in wanted:
        if name == _SLOT:
            slot = _slot(device.contract, value)
        else:
            values[name] = _value(device.contract, name, value)
    return device._replace(values=values, slot=slot)


def quoted(words):
    """A piece of a setting as a message shows it: short, on one line, and plain ASCII.

    It has no quote of its own, so that it cannot seem to end and go on as the message.
    """
    good = [" " <= c <= "~" and c not in "'\\" for c in words[:40]]
    shown = "".join(c if fine else "\\x%02x" % ord(c) for c, fine in zip(words, good))
    return "'%s'%s" % (shown, "..." if len(words) > 40 else "")


def _ascii(value):
    # XenStore gives bytes on Python 3 and what is called `str` on Python 2; both may hold anything.
    words = value.decode("latin-1") if isinstance(value, bytes) else value
    if not words:
        raise Invalid("the value is empty")
    if len(words) > LONGEST:
        raise Invalid("the value has %d bytes; %d are the most" % (len(words), LONGEST))
    for position, character in enumerate(words):
        if not " " <= character <= "~":
            raise Invalid("byte %d is 0x%02x, which is not printable ASCII" % (position, ord(character)))
    # On Python 2 this is `unicode` until here, and an argv wants plain strings.
    return str(words)


def _device(served, words):
    return merge(plain(served), _pairs(served, words))


def _pairs(served, words):
    """The properties of a text, in its order; what is wrong first is said first."""
    seen = set()
    for part in words.split(","):
        if not part:
            raise Invalid("a comma has no property on one of its sides")
        name, equals, value = part.partition("=")
        if name != _SLOT and served.property(name) is None:
            known = ", ".join([one.name for one in served.properties] + [_SLOT])
            raise Invalid("%s is not a property; known are %s" % (quoted(name), known))
        if not equals:
            raise Invalid("%s has no value" % name)
        if name in seen:
            raise Invalid("%s is given twice" % name)
        seen.add(name)
        yield name, value


def _value(served, name, value):
    try:
        served.property(name).check(value)
    except contract.Refused as takes:
        raise Invalid("%s is %s, not %s" % (name, quoted(value), takes))
    return value


def _slot(served, value):
    names = served.slot_names()
    if value not in names:
        raise Invalid("%s is %s, not one of %s" % (_SLOT, quoted(value), ", ".join(names)))
    return served.slots[names.index(value)]
