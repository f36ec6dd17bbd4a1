"""`status`: what VMs are set to, what runs, and whether a restart is due for the two to agree."""

from qemu_device import setting

from . import pool, qemu, vm
from .report import Failure, Usage


def status(given, report):
    if [bool(given.vm), given.all, given.pool].count(True) != 1:
        raise Usage("which VM?", "name one, or say --all for every VM that is set, or --pool for the hosts")
    if given.pool:
        _pool(report)
        return
    machines = vm.users() if given.all else _one(given.vm)
    hosts = pool.Hosts()
    found = [record(machine, reading, hosts) for machine, reading in machines]
    report.values["vms"] = found
    for one in found:
        _say(report, one)
    if not found:
        report.say("no VM is set to have a device")
    if any(one["setting"]["state"] != "none" for one in found):
        _note_missing(report)


def _one(word):
    machine = vm.find(word)
    return [(machine, machine.read())]


def _note_missing(report):
    """Says what the QEMU of this host lacks; where that cannot be asked, `doctor` tells."""
    try:
        missing = qemu.missing()
    except Failure:
        return
    report.values["missing_here"] = missing
    for name in missing:
        report.note(
            "warning: the QEMU of this host does not have %s: `qemu-device doctor` says what mends it" % name
        )


def _pool(report):
    hosts = pool.hosts()
    users = vm.users()
    report.values["hosts"] = rows = []
    for host in hosts:
        stuck = [machine for machine, reading in users if set(reading.types()) & set(host.missing)]
        row = dict(uuid=host.uuid, name=host.name, here=host.here, qemu=host.qemu, dom0=host.ours)
        row.update(missing=list(host.missing), unknown=host.unknown, vms=[one.as_json() for one in stuck])
        rows.append(row)
        report.say("%s (%s)%s" % (vm.quoted(host.name), host.uuid, " (this host)" if host.here else ""))
        report.say("  qemu:    %s" % (host.unknown or host.qemu or "the package qemu is not installed"))
        report.say("  dom0:    %s" % (host.ours or ("not known" if host.unknown else "no package of ours")))
        if not host.unknown:
            report.say("  lacks:   %s" % (", ".join(host.missing) or "nothing"))
        for machine in stuck:
            report.say("  cannot migrate or start there with its device: %s" % machine.title())


def record(machine, reading, hosts):
    """All that is known of one VM; the README has the keys."""
    host = hosts.describe(machine.host) if machine.runs() else None
    process = _process(machine, host)
    found = machine.as_json()
    found.update(
        domid=machine.domid if machine.runs() else None,
        host=host,
        setting=_setting(reading),
        qemu=process,
    )
    found["restart"], found["why"] = _restart(machine, reading, process)
    return found


def _setting(reading):
    keys = reading.keys()
    state = "invalid" if reading.error() else ("valid" if keys else "none")
    older = setting.GUIDE_KEY in keys
    return {
        "state": state,
        "values": dict((key, reading.values[key]) for key in keys),
        "spelling": ("older" if older else "current") if keys else None,
        "devices": reading.options(),
        "error": reading.error(),
    }


def _process(machine, host):
    unknown = {"pid": None, "devices": None, "binary": None, "command_line": None}
    if not machine.runs():
        return dict(unknown, state="none", why="the VM does not run")
    if not host or not host["here"]:
        where = vm.quoted(host["name"]) if host and host["here"] is False else None
        why = "it runs on the host %s: look there" % where if where else "this host's own UUID is not known"
        return dict(unknown, state="elsewhere" if where else "unknown", why=why)
    if not machine.has_qemu():
        return dict(unknown, state="none", why="no QEMU serves a VM of the type %s" % machine.domain_type)
    if machine.domid is None:
        return dict(unknown, state="unknown", why="xapi names no domain of it")
    try:
        process = qemu.of_domain(machine.domid)
    except Failure as failure:
        return dict(unknown, state="unknown", why=failure.message)
    return {
        "state": "seen",
        "why": None,
        "pid": process.pid,
        "devices": qemu.devices(process.argv),
        "binary": process.binary,
        "command_line": process.argv,
    }


def _restart(machine, reading, process):
    if machine.power_state == "suspended":
        return (
            "unknown",
            "it is suspended, and resumes with what it was started with; the setting counts later",
        )
    if not machine.runs():
        return "no", "the setting counts from the next start"
    if process["state"] != "seen":
        return "unknown", process["why"]
    wanted = reading.options()
    if reading.error():
        return "needed", "the setting is not valid: a start would be refused until it is mended"
    if process["devices"] != wanted:
        return "needed", "it runs with %s and is set to %s" % (_list(process["devices"]), _list(wanted))
    if process["binary"] == "replaced":
        return "advised", "it still runs a QEMU that has been replaced on disk"
    return "no", "what runs is what is set"


def _list(devices):
    return " and ".join(devices) if devices else "no device"


def _say(report, one):
    report.say("%s (%s)" % (vm.quoted(one["name"]), one["uuid"]))
    report.say("  setting: " + _setting_line(one["setting"]))
    report.say("  power:   " + _power_line(one))
    process = one["qemu"]
    if process["state"] == "seen":
        binary = {"replaced": " (its binary has been replaced since)"}.get(process["binary"], "")
        report.say("  qemu:    process %d, %s%s" % (process["pid"], _list(process["devices"]), binary))
        report.say("  argv:    " + " ".join(process["command_line"]))
    elif process["state"] != "none":
        report.say("  qemu:    not seen: " + process["why"])
    report.say("  restart: %s: %s" % (one["restart"], one["why"]))


def _setting_line(found):
    if found["state"] == "none":
        return "none"
    if found["state"] == "invalid":
        return "invalid: " + found["error"]
    spelling = "" if found["spelling"] == "current" else " (older spelling; `qemu-device attach` renews it)"
    return _list(found["devices"]) + spelling


def _power_line(one):
    if one["host"] is None:
        return one["power_state"]
    where = " (this host)" if one["host"]["here"] else ""
    return "%s, domain %s on %s%s" % (one["power_state"], one["domid"], vm.quoted(one["host"]["name"]), where)
