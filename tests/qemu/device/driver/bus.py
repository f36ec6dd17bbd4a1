# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest finds on the bus: identity, BAR, registers, and every access that can be made to them."""

import random

from .contract import COMMAND, DEVICE, OTHER, POOL, PRIORITY, REGISTERS, SIZE, STATUS, VM_ID
from .machine import BAR, SLOT, Machine

# The qtest protocol's letter for each size of an access.
SIZES = {1: "b", 2: "w", 4: "l", 8: "q"}


def registers(command=0, status=0, pool=0x42, priority=2, vm_id=200):
    return [command, status, pool, priority, vm_id]


def identity():
    """Ids, class, revision and subsystem; no capability, no interrupt pin, no second BAR."""
    with Machine(OTHER) as vm:
        found = [vm.config(offset) for offset in (0x00, 0x08, 0x2C)]
        expected = [0x11111AF4, 0x12000001, 0x11001AF4]
        assert found == expected, [hex(value) for value in found]
        assert vm.config(0x0C) >> 16 & 0xFF == 0, "more than one function, or a bridge"
        assert vm.config(0x04) == 0, "command or status are not 0 at the start"
        assert vm.config(0x34) & 0xFF == 0, "a list of capabilities"
        assert vm.config(0x3C) & 0xFFFF == 0, "an interrupt pin or line"
        for offset in range(0x40, 0x100, 4):
            assert vm.config(offset) == 0, "something at {:#x} of config space".format(offset)


def bar():
    """One BAR of 4 KiB, 32-bit, memory, not prefetchable; it is where the guest puts it, while decoded."""
    with Machine(OTHER) as vm:
        assert vm.config(0x10) == 0
        vm.set_config(0x10, 0xFFFFFFFF)
        assert vm.config(0x10) == 0x100000000 - SIZE, hex(vm.config(0x10))
        for offset in (0x14, 0x18, 0x1C, 0x20, 0x24, 0x30):
            vm.set_config(offset, 0xFFFFFFFF)
            assert vm.config(offset) == 0, "a BAR at {:#x}".format(offset)
        vm.set_config(0x10, BAR)
        assert vm.read(POOL) != 0x42, "it answers without memory decoding"
        vm.map()
        assert vm.read(*REGISTERS) == registers()
        vm.map(bar=BAR + SIZE)
        assert vm.read(POOL) != 0x42, "it answers where it was"
        assert vm.read(SIZE + POOL) == 0x42
        vm.set_config(0x04, 0)
        assert vm.read(SIZE + POOL) != 0x42, "it answers without memory decoding"


def defaults():
    """Without properties: pool A, priority medium, vm id 0."""
    with Machine(DEVICE + ",addr=5") as vm:
        vm.map()
        assert vm.read(*REGISTERS) == registers(pool=0x41, priority=1, vm_id=0)


def command():
    """The command register holds what was written last; each write sets status, a zero too."""
    values = [0, 1, 0xFFFFFFFF, 0xDEADBEEF] + [1 << bit for bit in range(32)]
    with Machine(OTHER) as vm:
        vm.map()
        assert vm.read(*REGISTERS) == registers()
        for value in values:
            vm.write(COMMAND, value)
            assert vm.read(*REGISTERS) == registers(value, 1), hex(value)


def reset():
    """Reset puts command and status back, and leaves the rest; a second one changes nothing."""
    with Machine(OTHER) as vm:
        for _ in range(3):
            vm.map()
            assert vm.read(*REGISTERS) == registers()
            vm.write(COMMAND, 0x1234)
            assert vm.read(*REGISTERS) == registers(0x1234, 1)
            vm.reset()
            assert vm.config(0x10) == 0 and vm.config(0x04) == 0, "the BAR survives a reset"
        vm.reset()
        vm.map()
        assert vm.read(*REGISTERS) == registers()


def accesses():
    """Every size at every offset of the BAR, over its edges too: read, and written with ones."""
    held = dict(zip(REGISTERS, registers(0x5A5A5A5A, 1)))
    with Machine(OTHER) as vm:
        vm.map()
        vm.write(COMMAND, held[COMMAND])
        for size, letter in SIZES.items():
            offsets = range(1 - size, SIZE)
            found = vm.bus("read{} {:#x}".format(letter, BAR + offset) for offset in offsets)
            for offset, value in zip(offsets, found):
                expected = held.get(offset, 0) if size == 4 else 0
                if crosses(size, offset):
                    expected = held[COMMAND] << 8 * -offset
                assert value == expected, "{} bytes at {:#05x}: {:#x}".format(size, offset, value)
            ones = (1 << 8 * size) - 1
            commands = []
            for offset in offsets:
                if (size, offset) != (4, COMMAND) and not crosses(size, offset):
                    commands.append("write{} {:#x} {:#x}".format(letter, BAR + offset, ones))
                    commands += ["readl {:#x}".format(BAR + register) for register in REGISTERS]
            found = [value for value in vm.bus(commands) if value is not None]
            for start in range(0, len(found), len(REGISTERS)):
                values = found[start : start + len(REGISTERS)]
                assert values == list(held.values()), (size, start // len(REGISTERS), values)


def crosses(size, offset):
    """Whether the bus makes of this access one to what lies before the BAR, and a proper one to us."""
    return size == 8 and -4 <= offset < 0


def guest_errors():
    """Each access that is not taken is a line of the log, and no other is."""
    said = [
        ("readb", 0x000, "vgpu-stub: 1-byte read at 0x000 ignored: only aligned 4-byte accesses are taken"),
        ("readq", 0x008, "vgpu-stub: 8-byte read at 0x008 ignored: only aligned 4-byte accesses are taken"),
        ("writew", 0x002, "vgpu-stub: 2-byte write at 0x002 ignored: only aligned 4-byte accesses are taken"),
        ("readl", 0xFFC, "vgpu-stub: 4-byte read where no register is: 0xffc"),
        ("writel", 0x008, "vgpu-stub: 4-byte write to a read-only or unused offset: 0x008"),
        ("writel", 0x014, "vgpu-stub: 4-byte write to a read-only or unused offset: 0x014"),
    ]
    with Machine(OTHER, log=True) as vm:
        vm.map()
        vm.write(COMMAND, 1)
        vm.read(*REGISTERS)
        for access, offset, _ in said:
            value = " 0x1" if access.startswith("write") else ""
            vm.bus(["{} {:#x}{}".format(access, BAR + offset, value)])
        # QEMU closes the log at its end; a line is whole before that.
        with open(vm.path("log")) as log:
            lines = [line.rstrip("\n") for line in log if line.startswith("vgpu-stub: ")]
        assert lines == [line for _, _, line in said], lines


def several():
    """Eight devices with properties of their own: none sees another's command or reset."""
    slots = range(4, 12)
    properties = [("AB"[slot % 2], ("low", "medium", "high")[slot % 3], slot) for slot in slots]
    text = DEVICE + ",addr={:x},pool_id={},priority={},vm_id={}"
    with Machine(*[text.format(slot, *of) for slot, of in zip(slots, properties)]) as vm:
        for slot in slots:
            vm.map(slot, BAR + slot * SIZE)
        for slot in (4, 9):
            vm.write(slot * SIZE + COMMAND, 0x100 + slot)
        for slot, (pool, priority, vm_id) in zip(slots, properties):
            code = ("low", "medium", "high").index(priority)
            own = [0x100 + slot, 1] if slot in (4, 9) else [0, 0]
            found = vm.read(*[slot * SIZE + offset for offset in REGISTERS])
            assert found == own + [ord(pool), code, vm_id], (slot, found)


def fuzz(count=200000, seed=0):
    """Random accesses to the BAR and to configuration space: it lives, and what is fixed stays."""
    dice = random.Random(seed)
    fixed = [POOL, PRIORITY, VM_ID]
    with Machine(OTHER) as vm:
        done = 0
        while done < count:
            vm.map()
            assert vm.read(*fixed) == registers()[2:]
            assert vm.read(STATUS) in (0, 1)
            vm.bus(strike(dice) for _ in range(20000))
            done += 20000
            if dice.randrange(10) == 0:
                vm.reset()
        assert [vm.config(offset) for offset in (0x00, 0x08, 0x2C)] == [0x11111AF4, 0x12000001, 0x11001AF4]


def strike(dice):
    """An access: three of four to the BAR, most of those inside; the others to configuration space."""
    size, letter = dice.choice(list(SIZES.items()))
    value = dice.choice((0, 1, 0xFFFFFFFFFFFFFFFF, dice.getrandbits(64))) & ((1 << 8 * size) - 1)
    write = dice.getrandbits(1)
    if dice.getrandbits(2):
        offset = dice.randrange(32) if dice.getrandbits(1) else dice.randrange(-8, SIZE + 8)
        word = "write{} {:#x} {:#x}" if write else "read{} {:#x}"
        return word.format(letter, BAR + offset, value)
    if dice.getrandbits(1):
        # Every register of ours, and now and then one of a slot where nothing is.
        slot = SLOT if dice.randrange(8) else 6
        return "outl 0xcf8 {:#x}".format(0x80000000 | slot << 11 | dice.randrange(64) << 2)
    letter, port = {1: ("b", dice.randrange(4)), 2: ("w", dice.randrange(2) * 2)}.get(size, ("l", 0))
    word = "out{} {:#x} {:#x}" if write else "in{} {:#x}"
    return word.format(letter, 0xCFC + port, value & ((1 << 8 * min(size, 4)) - 1))


CHECKS = [identity, bar, defaults, command, reset, accesses, guest_errors, several, fuzz]
