"""Which device of a VM gets which PCI slot.

The answer follows from the settings alone, so that every host of a pool gives the same one: a VM that
migrates has to find its devices where they were.
"""

import re

from qemu_device import contract
from qemu_device.setting import Invalid

_ADDRESS = re.compile(r"addr=(?:0x)?([0-9a-fA-F]{1,2})(?:\.[0-7])?\Z")


def assign(devices):
    """The slots of devices, in their order: named ones first, then each type's own, then the highest free one.

    A device that finds none has an `Invalid` in its place.
    """
    found = [None] * len(devices)
    holders = {}
    for number, device in enumerate(devices):
        if device.slot is not None:
            found[number] = _take(device, device.slot, holders)
    for number, device in enumerate(devices):
        if found[number] is None and device.contract.slot not in holders:
            found[number] = _take(device, device.contract.slot, holders)
    for number, device in enumerate(devices):
        if found[number] is None:
            found[number] = _highest(device, holders)
    return found


def taken(argv):
    """What QEMU's other arguments put where on the first PCI bus: words by slot."""
    found = {}
    for option, value in zip(argv, argv[1:]):
        words = value.split(",")
        if option != "-device" or any(re.match(r"bus=(?!pci\.0\Z)", word) for word in words):
            continue
        places = [int(match.group(1), 16) for match in map(_ADDRESS.match, words) if match]
        found.update((place, words[0]) for place in places)
    return found


def _take(device, slot, holders):
    if slot in holders:
        words = (contract.slot_name(slot), holders[slot], device.contract.type)
        return Invalid("the slot %s is given to %s and to %s" % words)
    holders[slot] = device.contract.type
    return slot


def _highest(device, holders):
    free = [slot for slot in device.contract.slots if slot not in holders]
    if not free:
        return Invalid(
            "no slot is free for %s of %s" % (device.contract.type, ", ".join(device.contract.slot_names()))
        )
    return _take(device, max(free), holders)
