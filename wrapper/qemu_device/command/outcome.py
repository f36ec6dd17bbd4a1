"""What one check of `doctor` found."""

from collections import namedtuple

STATES = OK, WARN, FAIL, UNCHECKED = "ok", "warn", "fail", "not checked"

# `details` are further lines, where one does not say it all.
Outcome = namedtuple("Outcome", "state text help details")


def ok(text):
    return Outcome(OK, text, None, ())


def warn(text, help, details=()):
    return Outcome(WARN, text, help, details)


def fail(text, help, details=()):
    return Outcome(FAIL, text, help, details)


def unchecked(why, help=None):
    return Outcome(UNCHECKED, why, help, ())


def some(things):
    """A few of many, for a line."""
    return ", ".join(things[:5]) + (" and %d more" % (len(things) - 5) if len(things) > 5 else "")
