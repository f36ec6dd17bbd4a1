# SPDX-License-Identifier: GPL-2.0-or-later
"""What the device may be told, and that a refusal leaves nothing behind."""

from .contract import ACCEPTED, DEVICE, NOT_A_NUMBER, POOL, PRIORITY, REFUSED, VM_ID
from .machine import SLOT, Machine, refusal


def steady(vm, cycle, count, at_once=1):
    """Makes a count of devices come and go, a number at once.

    A leak of a KiB for each would show as growth, every time. QEMU's own caches fill but once, in the
    first rounds. A sanitizer keeps what is freed: there only the coming and going itself counts.
    """
    grown = []
    for _ in range(5):
        before = vm.memory()
        for number in range(count // at_once):
            cycle(number)
        grown.append(vm.memory() - before)
        if grown[-1] < count or vm.sanitized():
            return
    raise AssertionError("KiB more after each {} devices: {}".format(count, grown))


def traces(vm):
    """What QEMU knows of our devices, in its trees of memory and of objects."""
    trees = vm.hmp("info mtree") + vm.hmp("info qom-tree") + vm.hmp("info qtree")
    return [line.strip() for line in trees.splitlines() if DEVICE in line]


def add(vm, slot=SLOT, **properties):
    return vm.qmp("device_add", driver=DEVICE, bus="pci.0", addr="{:x}".format(slot), **properties)


def introspection():
    """The type and its properties, as a tool sees them before any device is made."""
    with Machine() as vm:
        types = vm.qmp("qom-list-types", implements="conventional-pci-device", abstract=False)
        found = [one for one in types if one["name"] == DEVICE]
        assert len(found) == 1 and found[0].get("parent", "pci-device") == "pci-device", found
        listed = vm.qmp("device-list-properties", typename=DEVICE)
        types = {one["name"]: one["type"] for one in listed}
        ours = {name: types.get(name) for name in ("pool_id", "priority", "vm_id")}
        assert ours == {"pool_id": "str", "priority": "str", "vm_id": "uint32"}, ours


def accepted():
    """Every value that is one, on the command line, seen through the registers."""
    for properties, expected in ACCEPTED:
        with Machine(",".join([DEVICE, "addr=5"] + [properties] * bool(properties))) as vm:
            vm.map()
            assert tuple(vm.read(POOL, PRIORITY, VM_ID)) == expected, properties


def refused():
    """Every kind of value that is none, on the command line and over QMP, in the same words."""
    with Machine() as vm:
        for name, value, message in REFUSED:
            found = add(vm, id="stub", **{name: value})
            assert found == message.format(value), found
        for value in NOT_A_NUMBER:
            found = add(vm, id="stub", vm_id=value)
            assert isinstance(found, str) and ("vm_id" in found or "uint32" in found), found
        assert "nonsense" in add(vm, id="stub", nonsense="1")
        assert not traces(vm), traces(vm)
    for name, value, message in REFUSED:
        if not set(value) & set(", \n") and value.isascii():
            said = refusal("{},{}={}".format(DEVICE, name, value))
            expected = "-device {},{}={}: {}".format(DEVICE, name, value, message.format(value))
            assert said.endswith(": " + expected), said
    for value in NOT_A_NUMBER:
        assert "vm_id" in refusal("{},vm_id={}".format(DEVICE, value)), value


def refusals_leave_nothing():
    """Refused devices: no memory, no object, no region; and the slot is free."""
    with Machine() as vm:

        def cycle(number):
            name, value, message = REFUSED[number % 5]
            found = add(vm, id="stub", **{name: value})
            assert found == message.format(value), found

        # QEMU waits for its RCU thread at each refusal, about 60 ms from 6.0 on.
        steady(vm, cycle, 100)
        assert not traces(vm), traces(vm)
        assert vm.config(0x00) == 0xFFFFFFFF
        assert add(vm, id="stub", vm_id=7) == {}
        vm.map()
        assert vm.read(VM_ID) == 7


CHECKS = [introspection, accepted, refused, refusals_leave_nothing]
