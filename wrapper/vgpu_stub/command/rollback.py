"""`rollback`: this host back to stock, in an order in which no VM fails to start at any point.

First the settings, where that is asked for; then xenopsd, which from its restart on starts the vendor's
wrapper; then QEMU; and last the package that this command is part of, so that it is there to be run
again until everything else is done. Every step is one that may be run twice.
"""

import os

from vgpu_stub import setting

from . import attach, check_wrapper, packages, paths, programs, qemu, steps, vm, xe, xenopsd
from .report import Failure, Usage, ask
from .steps import Step

# The package's scriptlet takes this for consent to a removal while VMs are set to use the device, and
# removes it.
CONSENT = "/run/vgpu-stub-remove-anyway"

_CHOICES = "--detach-vms takes the device from them all; --keep-vms leaves their settings, for other hosts"


def rollback(given, report):
    if given.check:
        _refuse_users(_users(report), report)
        report.say("no VM is set to use the device")
        return
    users = _known_users(given, report)
    if not (given.detach_vms or given.keep_vms):
        _refuse_users(users, report)
    planned = _detach(users) if given.detach_vms else []
    planned += _xenopsd() + _wrapper() + _qemu(report) + _package(given)
    steps.describe(report, planned)
    if not planned:
        report.say("nothing to do: this host is as stock")
        return
    if given.dry_run:
        steps.dry(report, planned)
        return
    _ask(given, report, users, planned)
    steps.walk(report, planned)
    report.say("this host is back to stock")
    report.say("disable the repository that brought the packages, or the next update brings them back")


def _users(report):
    if programs.find("xe") is None:
        # An image that is being built, say: no VM is known here.
        return []
    users = vm.users()
    report.values["vms"] = [machine.as_json() for machine, _ in users]
    return users


def _known_users(given, report):
    if given.detach_vms and given.keep_vms:
        raise Usage("--detach-vms and --keep-vms exclude each other", _CHOICES)
    try:
        return _users(report)
    except Failure as failure:
        if not given.keep_vms:
            raise Failure(failure.message, "with --keep-vms it goes on without asking xapi")
        report.note("warning: xapi does not say which VMs are set to use the device: " + failure.message)
        return []


def _refuse_users(users, report):
    if users:
        names = ", ".join(machine.title() for machine, _ in users)
        raise Failure("set to use the device: " + names, _CHOICES)


def _detach(users):
    suspended = [machine.title() for machine, _ in users if machine.power_state == "suspended"]
    if suspended:
        message = "suspended with their devices in the saved state: " + ", ".join(suspended)
        raise Failure(message, "resume them and shut them down first: xe vm-resume uuid=UUID")
    return [step for machine, reading in users for step in attach.off(machine, reading)]


def _xenopsd():
    there = os.path.isfile(paths.at(paths.FRAGMENT))
    named = paths.SHIM in [value for _, value in xenopsd.wrappers()]
    if not there and packages.installed(packages.OURS) is None and not named:
        return []
    deadly = [one.path for one in xenopsd.entries() or [] if one.kind != "file"]
    if deadly:
        message = "xenopsd would not come up again: it reads each entry as a file: " + ", ".join(deadly)
        raise Failure(message, "move them elsewhere first")
    elsewhere = [path for path, value in xenopsd.wrappers() if value == paths.SHIM and path != paths.FRAGMENT]
    if elsewhere:
        message = "the shim is named in %s too, which is not this package's" % ", ".join(elsewhere)
        raise Failure(message, "remove the line with %s there first" % xenopsd.KEY)
    remove = Step(["rm", "-f", paths.at(paths.FRAGMENT)], "remove the drop-in")
    # Without the file too: a run that was cut off may have left the daemon with what it read before.
    restart = Step(["systemctl", "restart", xenopsd.SERVICE], "restart xenopsd; running VMs stay as they are")
    return [remove] * there + [restart]


def _wrapper():
    if packages.installed(packages.VENDOR_OF_WRAPPER) is None:
        return []
    state = check_wrapper.vendor_wrapper_is()
    if state == check_wrapper.PATCHED:
        argv = [paths.at(paths.PATCHER), "--revert", paths.at(paths.VENDOR_WRAPPER)]
        return [Step(argv, "take the patch out of the vendor's wrapper")]
    if state == check_wrapper.GENUINE:
        return []
    return [Step(["yum", "-y", "reinstall", packages.VENDOR_OF_WRAPPER], "bring the vendor's wrapper back")]


def _qemu(report):
    now = packages.installed(packages.QEMU)
    report.values["qemu"] = {"installed": now and now.nevra(), "stock": None}
    if now is None:
        return []
    if not now.is_ours() and not packages.provides(packages.QEMU, packages.PROVIDES):
        # A build by hand has the stock package's very name.
        if setting.DEVICE not in qemu.known_devices():
            return []
        report.values["qemu"]["stock"] = now.nevra()
        return [
            Step(["yum", "-y", "reinstall", now.nevra()], "bring the stock QEMU of the same version back")
        ]
    stock = [package for package, _ in packages.offered(packages.QEMU) if not package.is_ours()]
    if not stock:
        help = "enable XCP-ng's repositories, or `rpm -Uvh --oldpackage` its RPM; then run this again"
        raise Failure("no repository offers a stock qemu in the place of " + now.nevra(), help)
    target = stock[0]
    for package in stock[1:]:
        target = package if package.newer_than(target) else target
    report.values["qemu"]["stock"] = target.nevra()
    verb = "install" if target.newer_than(now) else "downgrade"
    return [Step(["yum", "-y", verb, target.nevra()], "put the stock QEMU in the place of ours")]


def _package(given):
    if packages.installed(packages.OURS) is None:
        return []
    consent = [Step(["touch", paths.at(CONSENT)], "tell the package that settings of VMs may stay")]
    remove = Step(["yum", "-y", "remove", packages.OURS], "remove this command and the shim")
    return consent * given.keep_vms + [remove]


def _ask(given, report, users, planned):
    for step in planned:
        report.note("will %s: %s" % (step.does, programs.shown(step.argv)))
    running = [machine.title() for machine, _ in users if machine.runs()]
    if running:
        report.note("running, and untouched until each is restarted: " + ", ".join(running))
    tasks = _tasks()
    if tasks:
        report.note("xapi is at %d task%s, which a restart of xenopsd may break" % (tasks, "s" * (tasks > 1)))
    ask("go back to stock?", given.yes, "%d steps" % len(planned))


def _tasks():
    try:
        return len(xe.records("task", status="pending"))
    except Failure:
        return 0
