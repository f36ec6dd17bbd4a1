"""The command line: what it takes, which part answers, and with which exit code it ends."""

import argparse
import sys

from . import attach, doctor, report, rollback, status
from .report import Failure, Report, Usage

_EPILOG = "exit codes: 0 done; 1 the work failed, or a check; 2 the usage or the input is wrong"


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Usage(message, "%s --help" % self.prog)


def main(argv):
    report.open_streams()
    answer = Report(None, "--json" in (argv[: argv.index("--")] if "--" in argv else argv))
    try:
        given = _parse(argv)
        answer.values["command"] = given.command
        code = given.run(given, answer) or 0
    except Failure as failure:
        answer.fail(failure)
        code = failure.code
    except KeyboardInterrupt:
        answer.fail(Failure("interrupted; nothing is changed but what was said to be done"))
        code = 130
    answer.close()
    return code if answer.values["ok"] else code or 1


def _parse(argv):
    parser = Parser(
        prog="vgpu-stub", description="the device vgpu-stub for the VMs of this host", epilog=_EPILOG
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _attach(commands)
    one = _command(commands, "detach", attach.detach, "take the device away from a VM")
    one.add_argument("vm", metavar="VM", help="its UUID, or its name where no other VM has it")
    _changes(one)
    one = _command(commands, "status", status.status, "what VMs are set to, and what runs")
    one.add_argument("vm", metavar="VM", nargs="?")
    one.add_argument("--all", action="store_true", help="every VM that is set to use the device")
    _command(commands, "doctor", doctor.doctor, "check this host")
    _rollback(commands)
    given = parser.parse_args(argv)
    if not getattr(given, "command", None):
        parser.error("which command?")
    for name in ("vm", "pool_id", "priority", "vm_id", "addr"):
        setattr(given, name, _text(getattr(given, name, None)))
    return given


def _attach(commands):
    one = _command(commands, "attach", attach.attach, "give a VM the device, or change it")
    one.add_argument("vm", metavar="VM", help="its UUID, or its name where no other VM has it")
    one.add_argument("--pool", dest="pool_id", metavar="A|B")
    one.add_argument("--priority", metavar="low|medium|high")
    one.add_argument("--vm-id", metavar="N", help="0 to 4294967295")
    one.add_argument("--addr", metavar="SLOT", help="the PCI slot, 0x18 to 0x1e, where 0x1e is taken")
    _changes(one)


def _rollback(commands):
    one = _command(commands, "rollback", rollback.rollback, "this host back to stock")
    one.add_argument("--detach-vms", action="store_true", help="take the device away from every VM")
    one.add_argument("--keep-vms", action="store_true", help="leave the settings of VMs, for other hosts")
    one.add_argument("--check", action="store_true", help="only fail where a VM is set to use the device")
    _changes(one)


def _command(commands, name, run, about):
    one = commands.add_parser(name, help=about, description=about, epilog=_EPILOG)
    one.set_defaults(run=run)
    one.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return one


def _changes(one):
    one.add_argument("--dry-run", action="store_true", help="print the commands, and run none")
    one.add_argument("--yes", action="store_true", help="ask nothing")


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
