"""Failures that dom0's logs show, and what each line means.

A start that fails shows in two places. In daemon.log QEMU, its wrapper or our shim says why. In xensource.log
xenopsd says what it saw, and that depends on a race (`ocaml/xenopsd/xc/device.ml`, `wait_event_socket`): it polls
for QEMU's event socket, which QEMU opens before it makes its devices. Where it never sees the socket it waits
out its time; where it sees it and QEMU ends right after, the talk with QEMU fails.
"""

import re
from collections import namedtuple

from qemu_device import contract

from . import paths

# What to look for, where TYPE stands for each of our types; what it means; what to do.
Trouble = namedtuple("Trouble", "pattern means help")

_ATTACH = "qemu-device attach VM DEVICE writes a valid one, qemu-device detach VM removes it"
_UPDATED = "see the check `qemu-is-ours`: an update may have replaced our build"

# Of daemon.log: why.
REASONS = (
    Trouble(
        r"qemu-device: domain [0-9]+ is refused, as \S+ says: ",
        "the QEMU that is installed does not have the device, and the policy refuses such a start",
        _UPDATED,
    ),
    Trouble(
        r"qemu-device: domain [0-9]+ is refused: ",
        "the VM's setting is not valid and its start was refused",
        _ATTACH,
    ),
    Trouble(
        r"qemu-device: domain [0-9]+ starts without \S+: the QEMU of this host",
        "the QEMU that is installed does not have the device, and the VM started without it",
        _UPDATED,
    ),
    Trouble(
        r"qemu-device: domain [0-9]+ starts without ",
        "the VM's setting is not valid, and the policy lets it start without the device",
        _ATTACH,
    ),
    Trouble(
        r"qemu-device: the settings were not read ",
        "the shim could not read XenStore; the VM started without the device",
        "see the check `shim`, then restart the VM",
    ),
    Trouble(
        r"qemu-device: this VM has a setting in VM\.platform, and ",
        "the vendor's wrapper is patched, and the modules that it needs are missing or broken",
        "yum reinstall qemu-device-dom0-patch",
    ),
    Trouble(
        r"qemu-device: \S+ cannot be run ",
        "the vendor's qemu-wrapper is missing or broken: no HVM guest starts",
        "yum reinstall xenopsd",
    ),
    Trouble(
        r"'TYPE' is not a valid device model name",
        "the QEMU that is installed does not have the device",
        _UPDATED,
    ),
    Trouble(
        r"PCI: slot [0-9]+ function [0-9]+ (?:not available|already in use)",
        "two devices were given the same PCI slot",
        "give another one: qemu-device attach VM DEVICE --addr 0x1d",
    ),
    Trouble(
        r"-device TYPE[^\n]*(?:[Pp]roperty '[^']*' |must be |not found)",
        "the device refused a property: it is of another version than qemu-device-dom0, or was set by hand",
        "update qemu and qemu-device-dom0 together; then qemu-device attach VM DEVICE",
    ),
    Trouble(
        r"qemu-[^\n]*[Ee]rror (?:while )?loading shared librar",
        "QEMU was built for other libraries than this host has",
        "install the QEMU that was built for this release: ldd " + paths.QEMU,
    ),
    Trouble(
        r"qemu-dm-[0-9][^\n]*TypeError: [^\n]*(?:bytes|str)",
        "a qemu-wrapper edited as the guide taught mixes bytes and text; the VM has no domain id",
        "yum reinstall xenopsd, and use qemu-device-dom0 in place of the edit",
    ),
    Trouble(
        r"Unknown (?:savevm )?section or instance[^\n]*TYPE",
        "a VM with the device came to a host whose QEMU does not have it",
        "install our QEMU on every host that it may migrate to, or shut the VM down and start it",
    ),
)

# Of xensource.log: what xenopsd saw of it.
CONSEQUENCES = (
    Trouble(
        r"Timeout reached while starting daemon",
        "QEMU or its wrapper ended before its event socket was seen: xenopsd waited out its time",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
    Trouble(
        r"QMP failure at |QMP domain-[0-9]+: negotiation failed|QMP_connection_error",
        "QEMU opened its event socket and ended right after: xenopsd saw the socket go",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
    Trouble(
        r"QMP event socket for domid [0-9]+ not yet ready: (?!.*ENOENT)",
        "QEMU ended while xenopsd connected to its event socket",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
    Trouble(
        r"qemu-pid=[0-9]+: detected (?:exit=[1-9]|signal=)|qemu-dm[^\n]*unexpected (?:exit|signal)",
        "QEMU ended while its VM ran, or before",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
    Trouble(
        r"Daemon exited unexpectedly|Ioemu_failed",
        "QEMU or another daemon of the VM ended, or never came up",
        "grep qemu-dm- /var/log/daemon.log | tail -50",
    ),
)

_DOMAIN = re.compile(r"qemu-dm-([0-9]+)|domid[ =]([0-9]+)|domain[ -]([0-9]+)")


def compiled(troubles):
    """Each with its pattern for the types of today."""
    types = "(?:%s)" % ("|".join(map(re.escape, contract.types())) or r"[^\s\S]")
    return [(re.compile(one.pattern.replace("TYPE", types)), one) for one in troubles]


def domain(line):
    """The domain that a line is of, as it stands there."""
    match = _DOMAIN.search(line)
    return next(number for number in match.groups() if number) if match else None
