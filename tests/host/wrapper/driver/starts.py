# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts of a VM as xenopsd makes them, through the shim: what the vendor's wrapper then gets.

Real XenStore daemons and real bindings; in the vendor's place is a stub that writes down all that
it was given. A start is right when that is what xenopsd gave, but for one `-device` where it is due.
"""

import os
import shutil
import signal
import subprocess

from . import namespace
from .hostile import HOSTILE
from .namespace import MODULES, POLICY, SHIM, VENDOR
from .settings import SEVERAL, VALID, expected, gained
from .xenstore import DAEMONS, Daemon

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ARGUMENTS = ["5", "--syslog", "-std-vga", "-xen-domid", "5", "-m", "size=64", "", "a b", "-pidfile", "/x\xff"]
# What forkexecd hands over, beside the standard three: its own choice of numbers.
GIVEN = (20, 33)
BROKEN = "qemu-device: the settings were not read ({}), so the VM starts without a device of ours;"
BROKEN += " `qemu-device doctor` looks for the reason\n"


class Start(object):
    """One start, ended; what was said, and what the stub wrote down."""

    def __init__(self, program=SHIM, arguments=ARGUMENTS, stdout=None, close=(), environment=None):
        self.environment = {"PATH": PATH} if environment is None else environment
        for name in os.listdir(namespace.RECORDS):
            os.unlink(os.path.join(namespace.RECORDS, name))
        words = [program] + [word.encode("latin-1") for word in arguments]
        with open("/run/said", "w+b") as said, open("/run/given", "w") as given:
            for number in GIVEN:
                os.dup2(given.fileno(), number)

            def shut():
                for number in close:
                    os.close(number)

            self.stdout = "/run/said" if stdout is None else None
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=said if stdout is None else stdout,
                stderr=subprocess.STDOUT,
                env=self.environment,
                pass_fds=GIVEN,
                preexec_fn=shut,
                cwd="/run",
            )
            self.code = process.wait(timeout=60)
            said.seek(0)
            self.said = said.read().decode("latin-1")
        for number in GIVEN:
            os.close(number)

    def record(self, name):
        """What the stub of this name wrote down, by kind; `None` where it did not run."""
        try:
            with open(os.path.join(namespace.RECORDS, name), "rb") as source:
                lines = source.read().decode("latin-1").split("\0")[:-1]
        except FileNotFoundError:
            return None
        found = {}
        for line in lines:
            kind, _, value = line.partition(" ")
            found.setdefault(kind, []).append(value)
        return found

    def passed(self, extra=(), arguments=ARGUMENTS, said=""):
        """The vendor's wrapper got what was given, and nothing else but this."""
        got = self.record("qemu-wrapper")
        assert got, (self.code, self.said)
        assert got["argument"] == [VENDOR] + list(arguments) + list(extra), got["argument"]
        environment = sorted(got.get("environment", []))
        assert environment == sorted("=".join(item) for item in self.environment.items()), environment
        if self.stdout:
            outputs = ["0 /dev/null", "1 " + self.stdout, "2 " + self.stdout]
            assert got["descriptor"] == outputs + ["{} /run/given".format(one) for one in GIVEN], got[
                "descriptor"
            ]
        assert signals(got["signals"]) == given_signals(), got["signals"]
        assert self.code == 7 and self.said == said, (self.code, self.said)

    def refused(self, said):
        """It ended with this one line, and nothing was started."""
        assert self.record("qemu-wrapper") is None and self.record("qemu-system-i386") is None
        assert self.code == 1 and self.said == said + "\n", (self.code, self.said)


def signals(lines):
    """Which signals are blocked and ignored, but for those that the C library keeps for itself."""
    return [int(line.split()[1], 16) & 0x7FFFFFFF for line in lines]


def given_signals():
    """What a start inherits from here, and here from whoever began the test, `nohup` for one."""
    with open("/proc/self/status") as source:
        lines = [line for line in source if line.startswith(("SigBlk:", "SigIgn:"))]
    # Python ignores these two for itself, and takes that back in what it starts.
    own = sum(1 << (number - 1) for number in (signal.SIGPIPE, signal.SIGXFSZ))
    return [bits & ~own for bits in signals(lines)]


def log_line(options):
    return "Adding device-model-args: " + " ".join(gained(options)) + "\n"


def each_daemon(check):
    """The check for each of the two daemons, with the product as new; nothing is left in its folders."""

    def both():
        for name in sorted(DAEMONS):
            namespace.install()
            before = files()
            with Daemon(name) as daemon:
                check(daemon)
            assert files() == before, sorted(set(files()) ^ set(before))

    both.__name__, both.__doc__ = check.__name__, check.__doc__
    return both


def files():
    return [os.path.join(folder, name) for folder, _, names in os.walk(MODULES) for name in names]


@each_daemon
def shim_without_a_setting(daemon):
    """No key: the vendor's wrapper gets all as it was, and no word is said."""
    daemon.set({})
    Start().passed()
    daemon.write("vm-data/vgpu-stub", "pool_id=A")
    Start().passed()


@each_daemon
def shim_with_a_setting(daemon):
    """Each valid setting in either spelling: one `-device` more, and the log line."""
    for values, options in [({key: value}, options) for key, value, options in VALID] + SEVERAL:
        daemon.set(values)
        Start().passed(gained(options), said=log_line(options))


@each_daemon
def shim_with_a_hostile_setting(daemon):
    """Each hostile setting as the daemon keeps it: one line, and no VM."""
    for key, value, said in HOSTILE:
        daemon.set({key: value})
        assert daemon.read("platform/" + key) == value, value
        Start().refused(expected(key, said))


@each_daemon
def shim_with_a_policy(daemon):
    """`start-without-device` starts the VM and says why; any other word refuses."""
    daemon.set({"vgpu-stub": "pool_id=C"})
    said = expected("vgpu-stub", "pool_id is 'C', not one of A, B")
    write(POLICY, "on-invalid = start-without-device\n")
    words = "domain 5 starts without vgpu-stub, as {} says:".format(POLICY)
    Start().passed(said=said.replace("domain 5 is refused:", words) + "\n")
    write(POLICY, "on-invalid = maybe\n")
    complaint = "{}, line 1, has 'maybe', not refuse or start-without-device; look".format(POLICY)
    Start().refused(said.replace("look", complaint, 1))
    shutil.copy(namespace.WRAPPER + "/policy.conf", POLICY)
    Start().refused(said)


@each_daemon
def shim_and_odd_domains(daemon):
    """A domain id that makes no sense is the vendor's to complain of."""
    daemon.set({"vgpu-stub": "pool_id=A"})
    said = "qemu-device: no domain id in the arguments; the vendor's qemu-wrapper goes on\n"
    rows = [
        [],
        ["5"],
        ["5", "-xen-domid"],
        ["5", "-xen-domid", "6"],
        ["", "-xen-domid", ""],
        ["-1", "-xen-domid", "-1"],
        ["05x", "-xen-domid", "05x"],
        ["+5", "-xen-domid", "+5"],
        ["32752", "-xen-domid", "32752"],
        ["5" * 400, "-xen-domid", "5" * 400],
        ["\xd9\xa5", "-xen-domid", "\xd9\xa5"],
        ["-xen-domid", "5"],
        ["5/../6", "-xen-domid", "5/../6"],
        ["5\n", "-xen-domid", "5\n"],
    ]
    for arguments in rows:
        Start(arguments=arguments).passed(arguments=arguments, said=said)
    other = ["6", "-xen-domid", "6"]
    Start(arguments=other).passed(arguments=other)


def shim_without_xenstore():
    """The daemon is down, or Xen's bindings are missing or broken: the VM starts all the same."""
    namespace.install()
    error = "Error"
    Start().passed(said=BROKEN.format(error))
    bindings = os.path.join(namespace._packages(namespace.python), "xen")
    target = os.readlink(bindings)
    os.unlink(bindings)
    missing = "ImportError" if "2.7" in namespace.python else "ModuleNotFoundError"
    try:
        Start().passed(said=BROKEN.format(missing))
        os.makedirs(bindings + "/lowlevel")
        for name in ("/__init__.py", "/lowlevel/__init__.py"):
            write(bindings + name, "")
        write(bindings + "/lowlevel/xs.py", "raise RuntimeError('a\\nb')\n")
        Start().passed(said=BROKEN.format("RuntimeError"))
    finally:
        shutil.rmtree(bindings, ignore_errors=True)
        os.symlink(target, bindings)


@each_daemon
def shim_with_broken_modules(daemon):
    """Whatever became of our modules, VMs start; without the vendor's wrapper the line says so."""
    daemon.set({"vgpu-stub": "pool_id=A"})
    Start().passed(gained(VALID[0][2]), said=log_line(VALID[0][2]))
    write(MODULES + "/qemu_device/setting.py", "def (\n")
    Start().passed(said=BROKEN.format("SyntaxError"))
    write(MODULES + "/qemu_device/setting.py", "raise AttributeError()\n")
    Start().passed(said=BROKEN.format("AttributeError"))
    shutil.rmtree(MODULES + "/qemu_device")
    missing = "ImportError" if "2.7" in namespace.python else "ModuleNotFoundError"
    Start().passed(said=BROKEN.format(missing))
    namespace.install()
    os.unlink(VENDOR)
    start = Start()
    tail = "qemu-device: {} cannot be run (error 2); reinstall the package xenopsd\n".format(VENDOR)
    assert start.code == 1 and start.said == log_line(VALID[0][2]) + tail, start.said
    namespace.install()


@each_daemon
def shim_and_its_surroundings(daemon):
    """No module is taken from the folder, the user or the environment; no output is needed to start."""
    daemon.set({"vgpu-stub": "pool_id=A"})
    for name in ("os.py", "signal.py", "xen.py", "qemu_device.py", "re.py", "sitecustomize.py"):
        write("/run/" + name, "raise SystemExit('taken')\n")
    gain, line = gained(VALID[0][2]), log_line(VALID[0][2])
    Start(environment={}).passed(gain, said=line)
    odd = {"PYTHONPATH": "/run", "PYTHONSTARTUP": "/run/os.py", "PYTHONHOME": "/run", "HOME": "/run"}
    Start(environment=odd).passed(gain, said=line)
    for locale in ({"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_CTYPE": "C"}, {"LANG": "xx_YY.ISO-2022-JP"}):
        Start(environment=dict({"PATH": PATH}, **locale)).passed(gain, said=line)
    for closed in ((1,), (0, 1), (0, 1, 2), (1, 2)):
        start = Start(close=closed)
        got = start.record("qemu-wrapper")
        assert start.code == 7 and got["argument"][-2:] == gain, (closed, start.code)
        numbers = [int(one.split()[0]) for one in got["descriptor"]]
        assert numbers == [one for one in (0, 1, 2) + GIVEN if one not in closed], numbers
    full, end = os.pipe2(os.O_NONBLOCK)
    while True:
        try:
            os.write(end, b"x" * 4096)
        except BlockingIOError:
            break
    for output in (end, os.open("/dev/full", os.O_WRONLY)):
        start = Start(stdout=output)
        assert start.code == 7 and start.record("qemu-wrapper")["argument"][-2:] == gain, start.code
    os.close(full)
    start = Start(stdout=end)
    assert start.code == 7 and start.record("qemu-wrapper")["argument"][-2:] == gain, start.code
    # A refusal stays one, heard or not.
    daemon.set({"vgpu-stub": "pool_id=C"})
    for named in ({"stdout": end}, {"close": (0, 1, 2)}, {"close": (1,)}):
        start = Start(**named)
        assert start.code != 7 and start.record("qemu-wrapper") is None, named


def write(path, text):
    with open(path, "w") as target:
        target.write(text)


CHECKS = [
    shim_without_a_setting,
    shim_with_a_setting,
    shim_with_a_hostile_setting,
    shim_with_a_policy,
    shim_and_odd_domains,
    shim_without_xenstore,
    shim_with_broken_modules,
    shim_and_its_surroundings,
]
