"""What a VM's platform map asks for: all its settings together, each of them judged.

No input or output here, but for the contracts of the types that are set.
"""

from collections import namedtuple

from qemu_device import contract, setting, slots
from qemu_device.served import keys

# A setting that is not valid: the keys that spell it, of which the last should go, the type that it is of,
# `None` where it names none of ours, and why.
Trouble = namedtuple("Trouble", "keys type why")

# A device that QEMU is to get, the slot that it gets, and the key that asks for it.
Placed = namedtuple("Placed", "device slot key")


class Chosen(namedtuple("Chosen", "placed troubles parsed")):
    """What is valid and has a slot, in the order of types; what is not; and every device that its setting
    spells well, with a slot or without."""

    __slots__ = ()

    def arguments(self):
        """What QEMU's command line gains."""
        words = []
        for one in self.placed:
            words += ["-device", one.device.option(one.slot)]
        return words

    def types(self):
        return sorted(set(one.device.contract.type for one in self.placed))


def choose(values, argv=(), load=contract.load):
    """What the values by key ask for; a key that is not there has `None`. `argv` is the rest of QEMU's."""
    known = [key for key in sorted(values) if key != setting.GUIDE_KEY]
    wanted, troubles = [], []
    guide = values.get(setting.GUIDE_KEY)
    spelled = _guide(load, known, guide, troubles) if guide is not None else []
    for name in known:
        if values[name] is None:
            continue
        if spelled and spelled[0].contract.type == name:
            # Even where they agree: somebody would change one of them and believe that it counts.
            pair = (name, setting.GUIDE_KEY)
            troubles.append(Trouble(pair, name, "both %s and %s are set; remove one of them" % pair))
            spelled = []
            continue
        try:
            wanted += [(device, name) for device in setting.parse(load(name), values[name])]
        except setting.Invalid as error:
            troubles.append(Trouble((name,), name, str(error)))
    wanted += [(device, setting.GUIDE_KEY) for device in spelled]
    wanted.sort(key=lambda pair: pair[0].contract.type)
    placed = _place(wanted, slots.taken(argv), troubles)
    return Chosen(placed, troubles, [device for device, _ in wanted])


def _guide(load, known, value, troubles):
    try:
        return [setting.parse_guide(load, known, value)]
    except setting.Invalid as error:
        troubles.append(Trouble((setting.GUIDE_KEY,), None, str(error)))
        return []


def _place(wanted, taken, troubles):
    placed = []
    for (device, key), slot in zip(wanted, slots.assign([device for device, _ in wanted])):
        if not isinstance(slot, setting.Invalid) and slot in taken:
            words = (contract.slot_name(slot), device.contract.type, setting.quoted(taken[slot]))
            slot = setting.Invalid("the slot %s, which %s gets, is taken by %s" % words)
        if isinstance(slot, setting.Invalid):
            troubles.append(Trouble((key,), device.contract.type, str(slot)))
        else:
            placed.append(Placed(device, slot, key))
    return placed
