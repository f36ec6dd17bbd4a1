"""The command line: what it takes, which part answers, and with which exit code it ends."""

import argparse
import sys

from qemu_device import contract

from . import attach, complete, doctor, notice, report, rollback, status
from .report import Failure, Report, Usage

PROGRAM = "qemu-device"

_VM = "its UUID, or its name where no other VM has it"
# What an option of a contract's property is called among the parsed ones, apart from our own.
_PROPERTY = "property of the device: "

_EPILOG = "exit codes: 0 done; 1 the work failed, or a check; 2 the usage or the input is wrong"


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Usage(message, "%s --help" % self.prog)


def main(argv):
    report.open_streams()
    if argv[:1] == ["complete"]:
        return complete.complete(argv[1:])
    answer = Report(None, "--json" in (argv[: argv.index("--")] if "--" in argv else argv))
    try:
        given = _parse(argv)
        answer.as_json = answer.as_json or given.json
        answer.values["command"] = given.command
        code = given.run(given, answer) or 0
    except Failure as failure:
        answer.fail(failure)
        code = failure.code
    except contract.Damaged as damaged:
        answer.fail(Failure(str(damaged), "yum reinstall qemu-device-dom0"))
        code = 1
    except KeyboardInterrupt:
        answer.fail(Failure("interrupted; nothing is changed but what was said to be done"))
        code = 130
    answer.close()
    return code if answer.values["ok"] else code or 1


def parser():
    """The whole command line; the options of `attach` follow from the contracts."""
    whole = Parser(prog=PROGRAM, description="devices of ours for the VMs of this pool", epilog=_EPILOG)
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    _attach(commands)
    one = _command(commands, "detach", attach.detach, "take a device, or all of them, away from a VM")
    one.add_argument("vm", metavar="VM", help=_VM)
    one.add_argument("device", metavar="DEVICE", nargs="?", choices=contract.types(), help=_devices())
    _changes(one)
    one = _command(commands, "status", status.status, "what VMs are set to, and what runs")
    one.add_argument("vm", metavar="VM", nargs="?")
    one.add_argument("--all", action="store_true", help="every VM that is set to have a device")
    one.add_argument(
        "--pool", action="store_true", help="every host: its QEMU, and which VMs cannot live there"
    )
    one = _command(commands, "doctor", doctor.doctor, "check this host")
    words = "only ask what the next update of the pool would do to QEMU; exit code 1 unless that is well"
    one.add_argument("--before-update", action="store_true", help=words)
    one = _command(commands, "notice", notice.notice, "tell the pool where QEMU lacks a device that VMs have")
    one.add_argument("--withdraw", action="store_true", help="take back what was told")
    _rollback(commands)
    return whole


def _parse(argv):
    whole = parser()
    given = whole.parse_args(argv)
    if not getattr(given, "command", None):
        whole.error("which command?")
    if given.command == "attach" and not getattr(given, "device", None):
        whole.error("which device? " + _devices())
    for name in ("json", "dry_run", "yes"):
        setattr(given, name, getattr(given, name, False))
    given.vm = _text(getattr(given, "vm", None))
    names = [name for name in vars(given) if name.startswith(_PROPERTY)]
    given.properties = dict((name[len(_PROPERTY) :], _text(getattr(given, name))) for name in names)
    return given


def _devices():
    return "one of " + (", ".join(contract.types()) or "none: this package serves no device")


def _attach(commands):
    one = _command(commands, "attach", attach.attach, "give a VM a device, or change it")
    one.add_argument("vm", metavar="VM", help=_VM)
    _changes(one)
    devices = one.add_subparsers(dest="device", metavar="DEVICE", help=_devices())
    for name in contract.types():
        try:
            _attach_one(devices, contract.load(name))
        except contract.Damaged:
            # `doctor` says so, and the other devices can be attached.
            pass


def _attach_one(devices, served):
    one = _command(devices, served.type, attach.attach, "give a VM the device %s, or change it" % served.type)
    for known in served.properties:
        default = "" if known.default is None else "; %s where it was never set" % known.default
        unique = "; no two VMs may have the same" if known.unique else ""
        one.add_argument(
            "--" + known.name.replace("_", "-"),
            dest=_PROPERTY + known.name,
            metavar=known.shown(),
            help=(known.help + default + unique).replace("%", "%%"),
        )
    slots = ", ".join(served.slot_names())
    words = "the PCI slot, one of %s; %s where it is free" % (slots, contract.slot_name(served.slot))
    one.add_argument("--addr", dest=_PROPERTY + "addr", metavar="SLOT", help=words)
    words = "which of the VM's devices of this type, from 1 on; %d at most" % served.max_per_vm
    one.add_argument(
        "--instance", metavar="N", type=_count, help=words if served.max_per_vm > 1 else argparse.SUPPRESS
    )
    _changes(one)


def _rollback(commands):
    one = _command(commands, "rollback", rollback.rollback, "this host back to stock")
    one.add_argument("--detach-vms", action="store_true", help="take the devices away from every VM")
    one.add_argument("--keep-vms", action="store_true", help="leave the settings of VMs, for other hosts")
    one.add_argument("--check", action="store_true", help="only fail where a VM is set to have a device")
    _changes(one)


def _command(commands, name, run, about):
    one = commands.add_parser(name, help=about, description=about, epilog=_EPILOG)
    one.set_defaults(run=run)
    _flag(one, "--json", "one JSON object on standard output")
    return one


def _changes(one):
    _flag(one, "--dry-run", "print the commands, and run none")
    _flag(one, "--yes", "ask nothing")


def _flag(one, name, words):
    # What stands before a DEVICE and what stands behind it are one flag, so that neither sets the other back.
    one.add_argument(name, action="store_true", default=argparse.SUPPRESS, help=words)


def _count(word):
    if not word.isdigit() or not 0 < int(word) < 100:
        raise argparse.ArgumentTypeError("%s is no number from 1 on" % report.plain(word))
    return int(word)


def _text(word):
    """An argument as the text that its bytes are in UTF-8, whatever the locale made of it."""
    if word is None:
        return None
    try:
        if isinstance(word, bytes):
            return word.decode("utf-8")
        return word.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8")
    except UnicodeError:
        raise Usage("an argument is not UTF-8: %s" % report.plain(repr(word)))
