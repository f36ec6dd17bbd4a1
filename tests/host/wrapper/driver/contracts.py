# SPDX-License-Identifier: GPL-2.0-or-later
"""Contracts made at random, and what their values have to be, by a judgement of its own."""

import re

from qemu_device import contract

_CHARACTERS = "abcxyzABCXYZ0189._:@+/-"


def random_one(dice):
    """A contract as the pipeline may write one."""
    properties = [_property(dice, "p%d" % number) for number in range(dice.randrange(6))]
    slots = sorted(dice.sample(range(0x14, 0x1F), dice.randrange(1, 8)))
    most = dice.randrange(1, min(3, len(slots)) + 1)
    slot = {"default": dice.choice(slots), "choices": slots}
    found = {"type": "made-up", "properties": properties, "slot": slot, "max-per-vm": most}
    return contract.parse(found)


def _property(dice, name):
    found = {"name": name, "kind": "str", "default": None, "unique": False, "help": "x"}
    kind = dice.randrange(3)
    if kind == 0:
        words = ["".join(dice.choice(_CHARACTERS) for _ in range(dice.randrange(1, 6))) for _ in range(4)]
        found["one-of"] = sorted(set(words))
    elif kind == 1:
        limits = sorted(dice.choice((0, 1, 9, 255, 65535, (1 << 32) - 1, (1 << 64) - 1)) for _ in range(2))
        found["range"] = limits
    else:
        pieces = [_piece(dice) for _ in range(dice.randrange(1, 5))]
        longest = min(64, max(1, sum(most for _, _, most in pieces)))
        found.update({"pieces": pieces, "pattern": "".join(map(_spelled, pieces)), "max-length": longest})
    if dice.randrange(2):
        found["default"] = _value(
            dice,
            contract.parse(
                {"type": "x", "properties": [found], "slot": {"default": 0, "choices": []}, "max-per-vm": 1}
            ).properties[0],
        )
    return found


def _piece(dice):
    characters = "".join(sorted(set(dice.choice(_CHARACTERS) for _ in range(dice.randrange(1, 6)))))
    least = dice.randrange(3)
    return [characters, least, max(1, least + dice.randrange(12))]


def _spelled(piece):
    return "[%s]{%d,%d}" % (piece[0].replace("-", "\\-"), piece[1], piece[2])


def _value(dice, one):
    if one.words is not None:
        return dice.choice(one.words)
    if one.range is not None:
        return str(dice.choice(one.range))
    text = "".join(dice.choice(characters) * least for characters, least, _ in one.pieces)
    return text if 0 < len(text) <= one.max_length else None


def valid_ones(dice, served):
    """Settings of it, as bytes."""
    found = []
    for _ in range(8):
        values = [(one.name, _value(dice, one)) for one in served.properties if dice.randrange(2)]
        words = ["%s=%s" % pair for pair in values if pair[1] is not None]
        words.append("addr=" + dice.choice(served.slot_names()))
        found.append(",".join(words).encode("ascii"))
    return found + [b";".join(found[:2])]


def pieces(served):
    """What mutations are made of."""
    found = [served.type.encode("ascii")] + [one.name.encode("ascii") + b"=" for one in served.properties]
    for one in served.properties:
        words = one.words if one.words is not None else one.range or one.pattern[:8].split()
        found += [str(word).encode("ascii") for word in words]
    return found


def holds(served, device):
    """A device's values are what its contract admits, each of them."""
    names = [one.name for one in served.properties]
    assert set(device.values) <= set(names), device
    for one in served.properties:
        value = device.values.get(one.name)
        if value is None:
            assert one.default is None, (one, device)
        elif one.words is not None:
            assert value in one.words, (one, value)
        elif one.range is not None:
            assert str(int(value)) == value and one.range[0] <= int(value) <= one.range[1], (one, value)
        else:
            whole = re.match("(?:%s)\\Z" % one.pattern, value)
            assert whole and len(value) <= one.max_length, (one, value)
    assert device.slot is None or device.slot in served.slots, device
    option = device.option(served.slot)
    assert re.match(r"[!-~]+\Z", option) and option.count(",") == len(device.values) + 1, option
    assert not re.search(r"[;'\"\\ ]", option), option
