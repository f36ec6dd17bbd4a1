# SPDX-License-Identifier: GPL-2.0-or-later
"""A device whose state leaves QEMU and comes back: migration to a file, snapshots, another version."""

import struct
import time

from .bus import registers
from .contract import COMMAND, DEVICE, DIFFERS, OTHER, REGISTERS
from .machine import BAR, LIMIT, Died, Machine

HELD = registers(0xCAFE1234, 1)

# The machine type that both ends of a migration between versions know, by the source's version.
MACHINES = {(4, 2): "pc-i440fx-4.2", (5, 2): "pc-i440fx-5.2", (7, 2): "pc-i440fx-7.2", (10, 0): "pc-i440fx-10.0"}


def saved(path, machine="pc", qemu=None):
    """Writes the stream of a machine whose device holds [`HELD`]."""
    with Machine(OTHER, machine=machine, qemu=qemu) as vm:
        vm.map()
        vm.write(COMMAND, HELD[0])
        assert vm.qmp("migrate", uri="exec:cat > " + path) == {}
        assert settled(vm) == "completed"


def settled(vm):
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        status = vm.qmp("query-migrate").get("status")
        if status in ("completed", "failed"):
            return status
        time.sleep(0.005)
    raise AssertionError("the migration does not end")


def loaded(path, device=OTHER, machine="pc", qemu=None):
    """The registers after a restore, or what QEMU says at the end that a refused one brings."""
    vm = Machine(device, machine=machine, extra=["-incoming", "defer"], qemu=qemu)
    try:
        with vm:
            assert vm.qmp("migrate-incoming", uri="exec:cat " + path) == {}
            if settled(vm) == "failed":
                # It says so, and gives up a moment later.
                raise Died
            assert vm.config(0x10) == BAR, "the BAR is not where the guest put it"
            assert vm.config(0x04) & 0x2, "memory decoding is off"
            return vm.read(*REGISTERS)
    except (Died, ConnectionError):
        return vm.death()


def stream(check):
    """Runs a check on a saved stream in a machine's own folder, which goes with it."""
    with Machine() as folder:
        path = folder.path("stream")
        saved(path)
        return check(path)


def migrated():
    """To a file and back: BAR, decoding and every register; the next reset and command work."""

    def check(path):
        found = loaded(path)
        assert found == HELD, found

    stream(check)


def migrated_to_other_properties():
    """A target with other properties refuses the stream, and names each one that differs."""
    pool = DIFFERS.format("pool_id", 0x008, 0x42, 0x41)
    priority = DIFFERS.format("priority", 0x00C, 2, 0)
    vm_id = DIFFERS.format("vm_id", 0x010, 200, 201)
    cases = [
        ("pool_id=A,priority=high,vm_id=200", [pool]),
        ("pool_id=B,priority=low,vm_id=200", [priority]),
        ("pool_id=B,priority=high,vm_id=201", [vm_id]),
        ("pool_id=A,priority=low,vm_id=201", [pool, priority, vm_id]),
        ("", [pool, DIFFERS.format("priority", 0x00C, 2, 1), DIFFERS.format("vm_id", 0x010, 200, 0)]),
    ]

    def check(path):
        for properties, messages in cases:
            said = loaded(path, "{},addr=5,{}".format(DEVICE, properties).rstrip(","))
            assert isinstance(said, str), "it took the stream: {}".format(said)
            found = [line[line.index(DEVICE) :] for line in said.splitlines() if "differs from" in line]
            assert found == messages, said

    stream(check)


def altered_stream():
    """A stream is not trusted: a status that no device can have is refused."""

    def check(path):
        with open(path, "rb") as file:
            data = file.read()
        good = struct.pack(">5I", *HELD)
        assert data.count(good) == 1
        with open(path, "wb") as file:
            file.write(data.replace(good, struct.pack(">5I", HELD[0], 7, *HELD[2:])))
        said = loaded(path)
        expected = "vgpu-stub: the source's status register is 0x7, which is neither 0 nor 1"
        assert isinstance(said, str) and expected in said, said

    stream(check)


def snapshot():
    """savevm and loadvm in one machine: what was written in between is undone."""
    with Machine() as folder:
        disk = folder.path("disk")
        with open(disk, "wb") as file:
            file.write(empty_qcow2())
        drive = ["-drive", "if=none,format=qcow2,file=" + disk]
        with Machine(OTHER, extra=drive) as vm:
            vm.map()
            vm.write(COMMAND, HELD[0])
            assert vm.hmp("savevm one") == ""
            vm.write(COMMAND, 0)
            vm.map(bar=BAR + 0x10000)
            assert vm.hmp("loadvm one") == ""
            assert vm.config(0x10) == BAR
            assert vm.read(*REGISTERS) == HELD
        other = OTHER.replace("vm_id=200", "vm_id=201")
        with Machine(other, extra=drive) as vm:
            before = registers(vm_id=201)
            vm.map()
            assert vm.read(*REGISTERS) == before
            # What QEMU says goes to the monitor, or to the standard error of older ones.
            said = vm.hmp("loadvm one") + vm.take_messages()
            assert DIFFERS.format("vm_id", 0x010, 200, 201) in said, said
            vm.map()
            assert vm.read(*REGISTERS) == before, "something of the refused state stays"


def empty_qcow2():
    """A disk of 1 MiB (docs/interop/qcow2.txt): header, refcount table and block, L1 table."""
    cluster = 1 << 16
    fields = (0x514649FB, 2, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    header = struct.pack(">IIQIIQIIQQIIQ", *fields)
    table = struct.pack(">Q", 2 * cluster)
    block = struct.pack(">4H", 1, 1, 1, 1)
    parts = [header, table, block, b""]
    return b"".join(part.ljust(cluster, b"\0") for part in parts)


def migrated_to_newer(newer):
    """From this version to a newer one, as far as QEMU itself can: with the older one's machine type."""
    with Machine() as vm:
        version = vm.qmp("query-version")["qemu"]
        machine = MACHINES[version["major"], version["minor"]]
        path = vm.path("stream")
        saved(path, machine)
        found = loaded(path, machine=machine, qemu=newer)
        assert found == HELD, found


CHECKS = [migrated, migrated_to_other_properties, altered_stream, snapshot]
