"""`notice`: tells the pool where a QEMU lacks devices that VMs are set to have, and takes that back.

The package's triggers run it at each change of the package qemu. What it says stands in xapi's messages, which
Xen Orchestra and XenCenter show, and in the log; where xapi is not up, in the log alone.
"""

import os
import syslog

from qemu_device import contract, policy

from . import packages, paths, pool, qemu, vm, xe
from .report import Failure, plain

NAME = "QEMU_DEVICE_MISSING"
# Between "data is lost" (1) and "for your information" (5).
_PRIORITY = "2"


def notice(given, report):
    """Raises the message, or takes back those that no longer hold."""
    here = pool.Hosts().here
    try:
        body = None if given.withdraw or here is None else _body(here)
        _tell(here, body)
    except Failure as failure:
        if not given.withdraw:
            _log("the pool was not told how QEMU stands here: %s; run qemu-device notice" % failure.message)
        # A package's trigger has nothing better to do than to go on.
        report.say("the pool was not told: %s" % failure.message)
        return 0
    report.values["message"] = body
    report.say(body or "QEMU has what VMs are set to have, or nobody is to be told")
    return 0


def renew():
    """After a change of settings: what was told of how many VMs may hold no more."""
    try:
        here = pool.Hosts().here
        if here is not None and (_told(here) or _missing()):
            _tell(here, _body(here))
    except Failure:
        # `doctor` finds what does not hold.
        pass


def held(here):
    """Whether what the pool was told is what is so."""
    body = _body(here)
    return [xe.value_of("message", uuid, "body") for uuid in _told(here)] == ([body] if body else [])


def _told(here):
    return xe.records("message", name=NAME, obj_uuid=here)


def _missing():
    # A QEMU that is there and does not answer is started as VMs are set, and says itself what it lacks.
    return qemu.missing() if os.path.exists(paths.at(paths.QEMU)) else contract.types()


def _body(here):
    """What is wrong and what mends it, in one line; `None` where no VM is concerned."""
    missing = _missing()
    if not missing:
        return None
    users = [machine for machine, reading in vm.users() if set(reading.types()) & set(missing)]
    if not users:
        return None
    try:
        package = packages.installed(packages.QEMU)
        name = package.short() if package else "QEMU, of no package,"
    except Failure:
        # rpm is busy, as in a transaction: what is missing counts.
        name = "QEMU"
    word = policy.read(paths.at(policy.FILE)).on_missing
    happens = "do not start here" if word == policy.REFUSE else "start here without it"
    line = (
        "host %s (%s): %s does not have %s; %d VM%s set to have it %s (on-missing = %s); mend it there with: "
    )
    line %= (
        vm.quoted(xe.value("host", here, "name-label")),
        here,
        name,
        ", ".join(missing),
        len(users),
        " that is" if len(users) == 1 else "s that are",
        happens,
        word,
    )
    return plain(line + "yum --enablerepo=%s install qemu, and restart them" % contract.origin().pipeline)


def _tell(here, body):
    if here is None:
        raise Failure("%s does not say which host this is" % paths.INVENTORY)
    before = _told(here)
    if body:
        _log(body)
        if [xe.value_of("message", uuid, "body") for uuid in before] == [body]:
            return
        xe.change(
            ["message-create", "name=" + NAME, "priority=" + _PRIORITY, "host-uuid=" + here, "body=" + body]
        )
    for uuid in before:
        xe.change(["message-destroy", "uuid=" + uuid])


def _log(line):
    syslog.openlog("qemu-device", 0, syslog.LOG_DAEMON)
    syslog.syslog(syslog.LOG_WARNING, plain(line))
