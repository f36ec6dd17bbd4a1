# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that executes no instruction: bus accesses come over its qtest socket, the rest over QMP."""

import json
import os
import shutil
import socket
import subprocess
import tempfile

# Where the tests put the BAR: in the hole that the pc machine leaves below 4 GiB.
BAR = 0xE0000000
SLOT = 5

# Sent at once, and still far less than a socket buffers: neither end waits for the other.
BATCH = 1000

# For what hangs: a machine that is busy with other things may need minutes for seconds of work.
LIMIT = 600

FIRMWARE = ["-L", "/usr/share/seabios", "-L", "/usr/share/qemu"]


class Died(Exception):
    """QEMU closed its sockets."""


class Machine:
    """Started with these devices; it must end well, and without a word of a sanitizer."""

    qemu = None  # the binary, set once by the command line

    def __init__(self, *devices, machine="pc", extra=(), qemu=None, log=False):
        self.folder = tempfile.mkdtemp(prefix="vgpu-qtest-")
        self.events = []
        sockets = [self._listen(name) for name in ("qtest", "qmp")]
        # It ends with this program, however that ends.
        arguments = ["setpriv", "--pdeathsig", "KILL", "--", qemu or self.qemu, *FIRMWARE]
        arguments += ["-machine", machine + ",accel=qtest"]
        arguments += ["-nodefaults", "-no-user-config", "-display", "none"]
        arguments += ["-qtest", "unix:" + self.path("qtest"), "-qtest-log", "/dev/null"]
        arguments += ["-qmp", "unix:" + self.path("qmp")]
        arguments += ["-d", "guest_errors", "-D", self.path("log") if log else "/dev/null"]
        for device in devices:
            arguments += ["-device", device]
        with open(self.path("stderr"), "a") as stderr:
            self.process = subprocess.Popen([*arguments, *extra], stderr=stderr)
        try:
            self.qtest, self.monitor = [self._accept(one) for one in sockets]
            self._reply()
            self.qmp("qmp_capabilities")
        except BaseException:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.folder)
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def _listen(self, name):
        one = socket.socket(socket.AF_UNIX)
        one.bind(self.path(name))
        one.listen(1)
        one.settimeout(0.1)
        return one

    def _accept(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except socket.timeout:
                if self.process.poll() is not None:
                    raise Died(self.messages()) from None
                continue
            listener.close()
            connection.settimeout(LIMIT)
            return connection.makefile("rw")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.monitor.write('{"execute": "quit"}\n')
            self.monitor.flush()
        elif not issubclass(kind, (Died, ConnectionError)):
            # Whatever went wrong, it goes on.
            self.process.kill()
        # One that closed its sockets is about to end by itself, and how it does may be asked for.
        try:
            code = self.code = self.process.wait(timeout=LIMIT)
        finally:
            self.process.kill()
            said = self.said = self.messages()
            shutil.rmtree(self.folder)
        if kind is None:
            assert code == 0 and not said, "QEMU ended with {}:\n{}".format(code, said)
        elif said and not issubclass(kind, (Died, ConnectionError)):
            print("QEMU said:\n" + said)

    def messages(self):
        with open(self.path("stderr")) as stderr:
            # AddressSanitizer begins with this in every QEMU, whose coroutines it does not know.
            return "".join(line for line in stderr if "ASan doesn't fully support makecontext" not in line)

    def take_messages(self):
        """What QEMU said so far; it will not count as a complaint at the end."""
        said = self.messages()
        os.truncate(self.path("stderr"), 0)
        return said

    def death(self):
        """What a QEMU said that gave up, once its `with` has ended."""
        assert self.code == 1, "QEMU ended with {}:\n{}".format(self.code, self.said)
        return self.said

    # ---- the bus ----

    def bus(self, commands):
        """Sends commands of the qtest protocol; the value, or None, that each of them gave."""
        values = []
        commands = list(commands)
        for start in range(0, len(commands), BATCH):
            batch = commands[start : start + BATCH]
            self.qtest.write("\n".join(batch) + "\n")
            self.qtest.flush()
            for _ in batch:
                values.append(self._answer())
        return values

    def _answer(self):
        while True:
            words = self.qtest.readline().split()
            if not words:
                self.process.wait(timeout=LIMIT)
                raise Died(self.messages())
            if words[0] == "OK":
                return int(words[1], 0) if len(words) > 1 else None
            assert words[0] == "IRQ", words

    def read(self, *offsets, size="l"):
        """What the BAR gives at these offsets; one value for one offset."""
        values = self.bus("read{} {:#x}".format(size, BAR + offset) for offset in offsets)
        return values if len(values) > 1 else values[0]

    def write(self, offset, value, size="l"):
        self.bus(["write{} {:#x} {:#x}".format(size, BAR + offset, value)])

    def config(self, offset, slot=SLOT):
        """32 bits of configuration space."""
        return self.bus(["outl 0xcf8 {:#x}".format(address(slot, offset)), "inl 0xcfc"])[1]

    def set_config(self, offset, value, slot=SLOT):
        self.bus(["outl 0xcf8 {:#x}".format(address(slot, offset)), "outl 0xcfc {:#x}".format(value)])

    def map(self, slot=SLOT, bar=BAR):
        """Places the BAR and turns memory decoding on, as firmware does."""
        self.set_config(0x10, bar, slot)
        self.set_config(0x04, 0x2, slot)

    def eject(self, *slots):
        """What a guest's ACPI does when it lets go of slots (docs/specs/acpi_pci_hotplug)."""
        self.bus(["outl 0xae10 0"] + ["outl 0xae08 {:#x}".format(1 << slot) for slot in slots])
        for _ in slots:
            self.event("DEVICE_DELETED")

    # ---- the monitor ----

    def _reply(self):
        try:
            line = self.monitor.readline()
        except ConnectionError:
            line = ""
        if not line:
            # Its last words are there once it is gone.
            self.process.wait(timeout=LIMIT)
            raise Died(self.messages())
        return json.loads(line)

    def qmp(self, command, **arguments):
        """What a command returns, or the description of its error."""
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            reply = self._reply()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                return reply["error"]["desc"]
            self.events.append(reply["event"])

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def event(self, name):
        while name not in self.events:
            reply = self._reply()
            if "event" in reply:
                self.events.append(reply["event"])
        self.events.remove(name)

    def reset(self):
        self.qmp("system_reset")
        self.event("RESET")

    def sanitized(self):
        with open("/proc/{}/maps".format(self.process.pid)) as maps:
            return "libasan" in maps.read()

    def memory(self):
        """KiB of memory that are the process's own."""
        with open("/proc/{}/status".format(self.process.pid)) as status:
            lines = [line for line in status if line.startswith("RssAnon:")]
        return int(lines[0].split()[1])


def address(slot, offset):
    return 0x80000000 | slot << 11 | offset & 0xFC


def refusal(*devices):
    """What a QEMU says that must not start with these devices."""
    try:
        with Machine(*devices):
            pass
    except Died as end:
        return str(end).strip()
    raise AssertionError("it started with {}".format(devices))
