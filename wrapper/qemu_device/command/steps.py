"""Commands that change something: planned first, shown, and then walked in order.

A dry run prints the very list that a real one walks. Ctrl-C ends a walk between two steps, never
within one, and what was done and what was not is said.
"""

from collections import namedtuple

from . import programs
from .report import Failure, said

# A step's argument list, and what it does in a few words.
Step = namedtuple("Step", "argv does")

# They take minutes and show what they are at.
_ALOUD = ("yum",)


def describe(report, steps):
    report.values["steps"] = [{"argv": step.argv, "does": step.does} for step in steps]


def dry(report, steps):
    report.values["dry_run"] = True
    for step in steps:
        report.say(programs.shown(step.argv))


def walk(report, steps):
    """Runs the steps; the first that fails ends the walk."""
    done = report.values["done"] = []
    with programs.Patience() as patience:
        for number, step in enumerate(steps):
            _run(step, steps[number:])
            done.append(step.does)
            if patience.over and steps[number + 1 :]:
                left = "; ".join(programs.shown(rest.argv) for rest in steps[number + 1 :])
                raise Interrupted("stopped after: " + step.does, "what is left: " + left)


class Interrupted(Failure):
    """Ctrl-C between two steps: the exit code is that of the signal."""

    code = 130


def _run(step, rest):
    runner = programs.run_aloud if step.argv[0] in _ALOUD else programs.run
    try:
        result = runner(step.argv)
    except Failure as failure:
        raise Failure(failure.message, _left(rest))
    if result.code:
        message = "%s failed with exit code %d" % (programs.shown(step.argv), result.code)
        words = said(result.err)
        raise Failure(message + (": " + words if words else ""), _left(rest))


def _left(rest):
    # The step that failed may have done its work: xe, for one, changes a map's key in two calls.
    commands = "; ".join(programs.shown(step.argv) for step in rest)
    return "not known to be done, to run again once the cause is mended: " + commands
