"""Known failures in dom0's logs, and what each means.

A guest can write lines there that look like QEMU's own, so a line is shown and explained, and nothing
in it is ever acted on. Only the end of a log is read.
"""

import re
from collections import namedtuple

from . import paths

# How much of each log is looked at.
END = 4 << 20

# What to look for; what it means; what to do.
Trouble = namedtuple("Trouble", "pattern means help")

# One line of a log that a trouble explains.
Found = namedtuple("Found", "file line trouble")

_TROUBLES = (
    Trouble(
        r"vgpu-stub: domain [0-9]+ is refused: ",
        "the VM's setting is not valid and its start was refused",
        "vgpu-stub attach VM writes a valid one, vgpu-stub detach VM removes it",
    ),
    Trouble(
        r"vgpu-stub: domain [0-9]+ starts without the device, ",
        "the VM's setting is not valid, and the policy lets it start without the device",
        "vgpu-stub attach VM writes a valid one",
    ),
    Trouble(
        r"vgpu-stub: the setting was not read ",
        "the shim could not read XenStore; the VM started without the device",
        "see the check `shim`, then restart the VM",
    ),
    Trouble(
        r"vgpu-stub: \S+ cannot be run ",
        "the vendor's qemu-wrapper is missing or broken: no HVM guest starts",
        "yum reinstall xenopsd",
    ),
    Trouble(
        r"'vgpu-stub' is not a valid device model name",
        "the QEMU that is installed does not have the device",
        "see the check `qemu-is-ours`: an update may have replaced our build",
    ),
    Trouble(
        r"PCI: slot [0-9]+ function [0-9]+ (?:not available|already in use)",
        "two devices were given the same PCI slot",
        "give another one: vgpu-stub attach VM --addr 0x1d",
    ),
    Trouble(
        r"-device vgpu-stub[^\n]*(?:property '[a-z_]+' must be |Property '[^']*' not found)",
        "the device refused a property: it is of another version than vgpu-stub-dom0, or was set by hand",
        "update qemu and vgpu-stub-dom0 together; then vgpu-stub attach VM",
    ),
    Trouble(
        r"qemu-[^\n]*[Ee]rror (?:while )?loading shared librar",
        "QEMU was built for other libraries than this host has",
        "install the QEMU that was built for this release: ldd " + paths.QEMU,
    ),
    Trouble(
        r"qemu-dm-[0-9][^\n]*TypeError: [^\n]*(?:bytes|str)",
        "a qemu-wrapper edited as the guide taught mixes bytes and text; the VM has no domain id",
        "yum reinstall xenopsd, and use vgpu-stub-dom0 in place of the edit",
    ),
    Trouble(
        r"Unknown savevm section or instance '[^']*vgpu-stub|Unknown section or instance[^\n]*vgpu-stub",
        "a VM with the device came to a host whose QEMU does not have it",
        "install our QEMU on every host that it may migrate to, or shut the VM down and start it",
    ),
    Trouble(
        r"Timeout reached while starting daemon|Ioemu_failed",
        "QEMU or its wrapper ended, or never came up; the reason stands before it in daemon.log",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
)

_COMPILED = [(re.compile(trouble.pattern), trouble) for trouble in _TROUBLES]
# A line may have any length.
_LOOKED_AT = 2000
_SHOWN = 300


def failures():
    """The last line of each known trouble, the files not read, and how much of each was.

    In the order of the table: xenopsd's time-out follows on every other trouble and explains none.
    """
    last, unread = {}, []
    for path in paths.LOGS:
        try:
            text, _ = paths.tail(path, END)
        except (IOError, OSError) as error:
            unread.append("%s (%s)" % (path, error.strerror))
            continue
        for line in text.split("\n"):
            trouble = _explanation(line[:_LOOKED_AT])
            if trouble:
                last[trouble] = Found(path, line[:_SHOWN], trouble)
    return [last[trouble] for trouble in _TROUBLES if trouble in last], unread, END


def _explanation(line):
    for pattern, trouble in _COMPILED:
        if pattern.search(line):
            return trouble
    return None
