"""`doctor`: named checks of this host, each with what it found and what to do about it."""

from qemu_device import contract

from . import check_qemu, check_update, check_vms, check_wrapper, outcome
from .report import Failure

CHECKS = check_qemu.CHECKS + check_update.CHECKS + check_wrapper.CHECKS + check_vms.CHECKS


def name(check):
    return check.__name__.replace("_", "-")


def doctor(given, report):
    results = report.values["checks"] = []
    checks = check_update.CHECKS if given.before_update else CHECKS
    for check in checks:
        found = _run(check)
        results.append(
            {
                "name": name(check),
                "about": check.__doc__,
                "state": found.state,
                "text": found.text,
                "help": found.help,
                "details": list(found.details),
            }
        )
        report.say("%-12s%-17s%s" % (found.state, name(check), found.text))
        for detail in found.details:
            report.say("%-29s%s" % ("", detail))
        if found.help:
            report.say("%-29shelp: %s" % ("", found.help))
    states = [one["state"] for one in results]
    counts = dict((state, states.count(state)) for state in outcome.STATES)
    report.values["counts"] = counts
    # Whoever asks whether to update wants a clear yes.
    good = counts[outcome.OK] == len(results) if given.before_update else not counts[outcome.FAIL]
    report.values["ok"] = good
    report.say(", ".join("%d %s" % (counts[state], state) for state in outcome.STATES))
    return 0 if good else 1


def _run(check):
    """A check that cannot be made is no reason to leave out the rest."""
    try:
        return check()
    except Failure as failure:
        return outcome.unchecked(failure.message, failure.help)
    except contract.Damaged as damaged:
        return outcome.unchecked(str(damaged), "yum reinstall qemu-device-dom0")
    except (IOError, OSError) as error:
        return outcome.unchecked(str(error), "run it as root")
