# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that comes and goes in a running machine, by the host's will and by the guest's."""

from .bus import registers
from .contract import COMMAND, OTHER, REGISTERS
from .machine import SLOT, Machine
from .properties import add, steady, traces


def added_and_ejected():
    """A thousand devices: added, used, asked back by the host and let go by the guest, 25 at a time."""
    slots = range(3, 28)
    # QEMU waits for its RCU thread, 60 ms, at each eject, and before 6.0 at each addition.
    with Machine() as vm:

        def cycle(number):
            for slot in slots:
                name = "stub{}".format(slot)
                assert add(vm, slot, id=name, pool_id="B", priority="high", vm_id=number) == {}
                vm.map(slot)
                assert vm.read(*REGISTERS) == registers(vm_id=number)
                vm.write(COMMAND, number)
                vm.set_config(0x04, 0, slot)
                assert vm.qmp("device_del", id=name) == {}
            vm.eject(*slots)
            assert all(vm.config(0x00, slot) == 0xFFFFFFFF for slot in slots)
            vm.events.clear()

        steady(vm, cycle, 1000, len(slots))
        assert not traces(vm), traces(vm)


def ejected_by_the_guest():
    """A guest may let go of a device that nobody asked for: this killed the guide's device."""
    with Machine(OTHER) as vm:
        vm.map()
        vm.write(COMMAND, 1)
        vm.eject(SLOT)
        assert vm.config(0x00) == 0xFFFFFFFF
        assert not traces(vm), traces(vm)
        assert add(vm, id="stub", pool_id="B", priority="high", vm_id=200) == {}
        vm.map()
        assert vm.read(*REGISTERS) == registers()


def ejected_while_another_stays():
    """The same file of code, another device: it keeps its registers."""
    other = OTHER.replace("id=stub,addr=5", "id=other,addr=6").replace("vm_id=200", "vm_id=1")
    with Machine(OTHER, other) as vm:
        vm.map(6)
        vm.write(COMMAND, 0x77)
        vm.eject(SLOT)
        assert vm.read(*REGISTERS) == registers(0x77, 1, vm_id=1)


CHECKS = [added_and_ejected, ejected_by_the_guest, ejected_while_another_stays]
