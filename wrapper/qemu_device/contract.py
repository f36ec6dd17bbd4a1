"""The devices that this package serves, and what an operator may set for each.

A file `devices/TYPE.json` beside these modules is what the pipeline made of a device's contract: data, of
which nothing is ever run. Only these types are known here, and only what their files admit gets as far as
QEMU's command line.

Nothing newer than Python 2.7 and 3.6 know; `json` is loaded for a VM that has a device, and for no other.
"""

import io
import os
from collections import namedtuple

from qemu_device import served
from qemu_device.served import types

# Where the packages come from: the pipeline, whose name its repository has, and the release suffix of its QEMU.
Origin = namedtuple("Origin", "pipeline suffix")


class Damaged(Exception):
    """A file of data that is not what the pipeline wrote: which."""


class Refused(ValueError):
    """A value that a property does not take: what it takes instead."""


class Property(namedtuple("Property", "name kind words range pattern pieces max_length default unique help")):
    """What one property of a device takes: one of `words`, a number of `range`, or text of `pieces`."""

    __slots__ = ()

    def check(self, text):
        """Raises unless the property takes this text."""
        if self.words is not None:
            good, takes = text in self.words, "one of " + ", ".join(self.words)
        elif self.range is not None:
            good = _is_number(text) and self.range[0] <= int(text) <= self.range[1]
            takes = "a number from %d to %d without leading zeros" % self.range
        else:
            good = len(text) <= self.max_length and _matches(self.pieces, text)
            takes = "text like %s of at most %d characters" % (self.pattern, self.max_length)
        if not good:
            raise Refused(takes)

    def shown(self):
        """What it takes, in a word for a usage line."""
        if self.words is not None:
            return "|".join(self.words)
        return "N" if self.range is not None else "TEXT"


class Contract(namedtuple("Contract", "type properties slot slots max_per_vm")):
    """A device: its properties in their order, the slot that it gets by itself, and those that it may have."""

    __slots__ = ()

    def property(self, name):
        found = [one for one in self.properties if one.name == name]
        return found[0] if found else None

    def defaults(self):
        return dict((one.name, one.default) for one in self.properties if one.default is not None)

    def slot_names(self):
        return [slot_name(slot) for slot in self.slots]


def slot_name(slot):
    return "0x%x" % slot


def load(name):
    """The contract of one of the served types."""
    return _whole(os.path.join(served.FOLDER, name + served.ENDING), parse)


def parse(found):
    """The contract that a file of data has."""
    properties = tuple(_property(one) for one in found["properties"])
    slots = tuple(found["slot"]["choices"])
    return Contract(str(found["type"]), properties, found["slot"]["default"], slots, found["max-per-vm"])


def load_all():
    return [load(name) for name in types()]


def origin():
    return _whole(os.path.join(os.path.dirname(served.FOLDER), "origin.json"), _origin)


def _origin(found):
    return Origin(str(found["pipeline"]), found["release-suffix"] and str(found["release-suffix"]))


def _whole(path, understand):
    try:
        return understand(_read(path))
    except (EnvironmentError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged("%s cannot be read (%s)" % (path, type(error).__name__))


def _read(path):
    import json

    with io.open(path, "rb") as source:
        return json.loads(source.read().decode("utf-8"))


def _property(found):
    # What becomes a word of an argument list is `str` on Python 2 as well.
    words = found.get("one-of")
    limits = found.get("range")
    default = found.get("default")
    return Property(
        str(found["name"]),
        found["kind"],
        None if words is None else tuple(str(word) for word in words),
        None if limits is None else tuple(limits),
        found.get("pattern"),
        found.get("pieces"),
        found.get("max-length"),
        None if default is None else str(default),
        found["unique"],
        found["help"],
    )


def _is_number(text):
    digits = all(character in "0123456789" for character in text)
    return digits and 0 < len(text) <= 20 and (text == "0" or text[0] != "0")


def _matches(pieces, text):
    """Whether the text is the pieces one after another: of each, so many characters of its set.

    All the places where a piece can end are followed at once, so that no text makes it slow.
    """
    places = {0}
    for characters, least, most in pieces:
        following = set()
        for place in places:
            for count in range(most + 1):
                if count >= least:
                    following.add(place + count)
                if place + count >= len(text) or text[place + count] not in characters:
                    break
        places = following
    return len(text) in places
