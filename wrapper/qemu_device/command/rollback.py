"""`rollback`: this host back to stock, in an order in which no VM fails to start at any point.

First the settings, where that is asked for; then xenopsd, which from its restart on starts the vendor's
wrapper; then QEMU; and last the package that this command is part of, so that it is there to be run
again until everything else is done. Every step is one that may be run twice.
"""

import os

from qemu_device import contract

from . import attach, check_wrapper, packages, paths, pool, programs, qemu, steps, vm, xe, xenopsd
from .report import Failure, Usage, ask
from .steps import Step

_CONSENT = "tell the package that settings of VMs may stay"
_UNTIL_THEN = "do not suspend or migrate it; shut it down and start it"
_CHOICES = "--detach-vms takes the devices from them all; --keep-vms leaves their settings, for other hosts"


def rollback(given, report):
    if given.check:
        _refuse_users(_users(report), report)
        report.say("no VM is set to have a device")
        return
    users, kept = _known_users(given, report)
    if not (given.detach_vms or given.keep_vms):
        _refuse_users(users, report, kept)
    _refuse_suspended(users, kept)
    _note_running(report)
    planned = _detach(users) + _forget(kept) if given.detach_vms else []
    planned += _xenopsd() + _wrapper() + _qemu(report) + _package(given)
    steps.describe(report, planned)
    if not planned:
        report.say("nothing to do: this host is as stock")
        return
    if given.dry_run:
        steps.dry(report, planned)
        return
    _ask(given, report, users, planned)
    _walk(report, planned)
    report.say("this host is back to stock")
    report.say("disable the repository that brought the packages, or the next update brings them back")


def _walk(report, planned):
    """The steps, behind which no consent stays: it would count for a removal that nobody asked about."""
    try:
        steps.walk(report, planned)
    finally:
        if any(step.does == _CONSENT for step in planned):
            _take_consent_back(report)


def _take_consent_back(report):
    try:
        os.unlink(paths.at(paths.CONSENT))
    except OSError:
        # The scriptlet has taken it, or it was never given; `doctor` tells of one that stays.
        return
    report.note("%s is taken back; `qemu-device rollback --keep-vms` gives it anew" % paths.CONSENT)


def _users(report):
    if programs.find("xe") is None:
        # An image that is being built, say: no VM is known here.
        return []
    users = vm.users()
    report.values["vms"] = [machine.as_json() for machine, _ in users]
    return users


def _known_users(given, report):
    """The VMs that are set, and the snapshots and templates out of which one can come back."""
    if given.detach_vms and given.keep_vms:
        raise Usage("--detach-vms and --keep-vms exclude each other", _CHOICES)
    try:
        users = _users(report)
        kept = vm.kept() if programs.find("xe") else []
        report.values["kept"] = [{"kind": one.kind, "uuid": one.uuid, "name": one.name} for one in kept]
        return users, kept
    except Failure as failure:
        if not given.keep_vms:
            raise Failure(failure.message, "with --keep-vms it goes on without asking xapi")
        report.note("warning: xapi does not say which VMs are set to have a device: " + failure.message)
        return [], []


def _refuse_users(users, report, kept=()):
    names = [machine.title() for machine, _ in users] + [one.title() for one in kept]
    if names:
        raise Failure("set to have a device: " + ", ".join(names), _CHOICES)


def _refuse_suspended(users, kept):
    checkpoints = [one for one in kept if one.power_state == "suspended"]
    if checkpoints:
        names = ", ".join(one.title() for one in checkpoints)
        help = "where nobody needs them, remove them: xe snapshot-destroy uuid=" + checkpoints[0].uuid
        raise Failure("checkpoints with their devices in the saved memory: " + names, help)
    suspended = [machine.title() for machine, _ in users if machine.power_state == "suspended"]
    if suspended:
        message = "suspended with their devices in the saved state: " + ", ".join(suspended)
        raise Failure(message, "resume them and shut them down first: xe vm-resume uuid=UUID")


def _note_running(report):
    """What really runs counts here: a VM's setting may have been taken away since it was started."""
    found = report.values["running"] = []
    for process in qemu.all_running():
        devices = qemu.devices(process.argv)
        if devices:
            uuid = _uuid(process.domid)
            found.append({"domid": process.domid, "pid": process.pid, "devices": devices, "uuid": uuid})
            who = "domain %d%s" % (process.domid, " (%s)" % uuid if uuid else "")
            report.note("%s runs with a device until it is shut down: %s" % (who, _UNTIL_THEN))


def _uuid(domid):
    """The VM of a domain of this host, where xapi knows it."""
    here = pool.Hosts().here
    try:
        found = xe.records("vm", dom_id=domid, resident_on=here) if here else []
    except Failure:
        return None
    return found[0] if len(found) == 1 else None


def _detach(users):
    return [step for machine, reading in users for step in attach.off(machine, reading, contract.types())]


def _forget(kept):
    """The steps that take the settings out of snapshots and templates, as `_detach` does of VMs."""
    planned = []
    for one in kept:
        for key in one.keys():
            argv = xe.remove_platform(one.uuid, key, one.kind)
            planned.append(Step(argv, "remove %s from %s" % (key, one.title())))
    return planned


def _xenopsd():
    there = xenopsd.fragment_is() == xenopsd.THERE
    named = paths.SHIM in [value for _, value in xenopsd.wrappers()]
    packaged = packages.installed(packages.DROP_IN)
    if not there and not packaged and not named:
        return []
    deadly = [one.path for one in xenopsd.entries() or [] if one.kind != "file"]
    if deadly:
        message = "xenopsd would not come up again: it reads each entry as a file: " + ", ".join(deadly)
        raise Failure(message, "move them elsewhere first")
    elsewhere = [path for path, value in xenopsd.wrappers() if value == paths.SHIM and path != paths.FRAGMENT]
    if elsewhere:
        message = "the shim is named in %s too, which is not this package's" % ", ".join(elsewhere)
        raise Failure(message, "remove the line with %s there first" % xenopsd.KEY)
    # rpm, which removes the package's file later, warns of a missing one; an empty one says nothing.
    empty = Step(["truncate", "--size=0", paths.at(paths.FRAGMENT)], "empty the drop-in")
    remove = Step(["rm", "-f", paths.at(paths.FRAGMENT)], "remove the drop-in")
    # Without the file too: a run that was cut off may have left the daemon with what it read before.
    restart = Step(["systemctl", "restart", xenopsd.SERVICE], "restart xenopsd; running VMs stay as they are")
    return [empty if packaged else remove] * there + [restart]


def _wrapper():
    if packages.installed(packages.VENDOR_OF_WRAPPER) is None:
        return []
    state = check_wrapper.vendor_wrapper_is()
    argv = [paths.at(paths.PATCHER), "--revert", paths.at(paths.VENDOR_WRAPPER)]
    revert = Step(argv, "take the patch out of the vendor's wrapper")
    if state == check_wrapper.PATCHED:
        return [revert]
    if state == check_wrapper.GENUINE:
        return []
    argv = ["yum", "-y", "reinstall", packages.VENDOR_OF_WRAPPER]
    # The package that keeps the wrapper patched has a trigger on that.
    again = packages.installed(packages.PATCH) is not None
    return [Step(argv, "bring the vendor's wrapper back")] + [revert] * again


def _qemu(report):
    now = packages.installed(packages.QEMU)
    report.values["qemu"] = {"installed": now and now.nevra(), "stock": None}
    if now is None:
        return []
    if not now.is_ours() and not packages.have_devices(packages.QEMU):
        # A build by hand has the stock package's very name.
        if qemu.missing():
            return []
        report.values["qemu"]["stock"] = now.nevra()
        return [
            Step(["yum", "-y", "reinstall", now.nevra()], "bring the stock QEMU of the same version back")
        ]
    stock = [package for package, _ in packages.offered(packages.QEMU) if not package.is_ours()]
    if not stock:
        help = "enable XCP-ng's repositories, or `rpm -Uvh --oldpackage` its RPM; then run this again"
        raise Failure("no repository offers a stock qemu in the place of " + now.nevra(), help)
    target = packages.newest(stock)
    report.values["qemu"]["stock"] = target.nevra()
    verb = "install" if target.newer_than(now) else "downgrade"
    return [Step(["yum", "-y", verb, target.nevra()], "put the stock QEMU in the place of ours")]


def _package(given):
    names = packages.ours()
    if not names:
        return []
    consent = Step(["touch", paths.at(paths.CONSENT)], _CONSENT)
    remove = Step(["yum", "-y", "remove"] + names, "remove this command, and what serves VMs' settings")
    return [consent] * given.keep_vms + [remove]


def _ask(given, report, users, planned):
    for step in planned:
        report.note("will %s: %s" % (step.does, programs.shown(step.argv)))
    here = pool.Hosts().here
    away = [machine.title() for machine, _ in users if machine.runs() and machine.host != here]
    if away:
        report.note("set to have a device and running elsewhere: do not migrate here: " + ", ".join(away))
    tasks = _tasks()
    if tasks:
        report.note("xapi is at %d task%s, which a restart of xenopsd may break" % (tasks, "s" * (tasks > 1)))
    ask("go back to stock?", given.yes, "%d steps" % len(planned))


def _tasks():
    try:
        return len(xe.records("task", status="pending"))
    except Failure:
        return 0
