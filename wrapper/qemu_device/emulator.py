"""Whether the QEMU that will be started knows a type of device: asked once per binary.

An update can put another QEMU in the place of ours at any time, and asking one takes longer than
all the rest of a start; so the answer is remembered until the file is another one, or the host is booted.
"""

import os
from collections import namedtuple

# What the vendor's wrapper starts.
BINARY = "/usr/lib64/xen/bin/qemu-system-i386"
# In a folder of tmpfs that root alone can write to.
MEMORY = "/run/qemu-device.known"

UNKNOWN = "of a package that rpm does not name now"

_PATIENCE = 10.0
_MOST = 1 << 20


class Answer(namedtuple("Answer", "devices package")):
    """The names of the devices that the binary has, and the package that brought it."""

    __slots__ = ()


def answer(binary=BINARY, memory=MEMORY):
    """What the binary knows, or `None` where it could not be asked, which is asked again the next time."""
    try:
        status = os.stat(binary)
    except EnvironmentError:
        return None
    identity = "%d %d %d %r %r" % (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime,
        status.st_ctime,
    )
    found = _recall(memory, identity)
    if found is None:
        found = _ask(binary)
        # rpm may be busy with the very update.
        if found is not None and found.package != UNKNOWN:
            _remember(memory, identity, found)
    return found


def _recall(memory, identity):
    try:
        # What others may write to is none of ours.
        status = os.lstat(memory)
        if status.st_uid != os.geteuid() or status.st_mode & 0o170022 != 0o100000:
            return None
        with open(memory) as source:
            lines = source.read(_MOST).split("\n")
    except (EnvironmentError, ValueError):
        return None
    # The last line says that the file is whole.
    if len(lines) < 4 or lines[0] != identity or lines[-2:] != ["end", ""]:
        return None
    return Answer(lines[2:-2], lines[1])


def _remember(memory, identity, found):
    temporary = "%s.%d" % (memory, os.getpid())
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write("\n".join([identity, found.package] + found.devices + ["end", ""]))
        os.rename(temporary, memory)
    except EnvironmentError:
        # The next start asks again.
        try:
            os.unlink(temporary)
        except EnvironmentError:
            pass


def _ask(binary):
    import re

    code, said = _run([binary, "-device", "help"])
    devices = re.findall(r'(?m)^name "([!#-~]{1,200})"', said)
    if code != 0 or not devices:
        return None
    query = "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\\n"
    code, package = _run(["/usr/bin/rpm", "-qf", "--qf", query, binary])
    words = package.split("\n")[0] if code == 0 else ""
    if re.match(r"[!-~]{1,200}\Z", words):
        return Answer(devices, words)
    return Answer(devices, "of no package" if "not owned by any package" in package else UNKNOWN)


def _run(argv):
    """The exit code of a program, and what it said; `None` where it did not end by itself in time."""
    import signal
    import subprocess
    import sys
    import time

    # A group of its own, so that what it may have started ends with it.
    apart = {"preexec_fn": os.setsid} if sys.version_info[0] == 2 else {"start_new_session": True}
    with open(os.devnull) as nothing:
        try:
            # Descriptors of xenopsd's are for the vendor's wrapper alone.
            child = subprocess.Popen(
                argv,
                stdin=nothing,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                close_fds=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
                **apart
            )
        except EnvironmentError:
            return None, ""
    deadline = time.time() + _PATIENCE
    said = _read(child.stdout, _PATIENCE)
    # Who has said everything may still not end.
    while said is not None and child.poll() is None:
        if time.time() > deadline:
            said = None
        time.sleep(0.005)
    if said is None and child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.stdout.close()
    code = child.wait()
    return (None, "") if said is None else (code, said.decode("latin-1"))


def _read(pipe, patience):
    """What comes out of a pipe until its end; `None` where that does not come, or there is too much of it."""
    import select
    import time

    said, deadline = b"", time.time() + patience
    while len(said) <= _MOST:
        # A clock that is set meanwhile makes it shorter or longer, and no longer than twice.
        left = min(deadline - time.time(), patience)
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        more = os.read(pipe.fileno(), 65536)
        if not more:
            return said
        said += more
    return None
