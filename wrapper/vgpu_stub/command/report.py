"""What the command says: lines for people, one JSON object for programs, and the two kinds of error.

Names of VMs, lines of logs and values of settings were written by others: whatever is printed goes
through `plain` here, so that no escape sequence reaches a terminal and every message stays one line.
"""

from __future__ import print_function

import errno
import json
import os
import sys


class Failure(Exception):
    """The work could not be done: exit code 1."""

    code = 1

    def __init__(self, message, help=None):
        Exception.__init__(self, message)
        self.message = message
        self.help = help


class Usage(Failure):
    """What was asked for is wrong, and nothing has been done: exit code 2."""

    code = 2


def plain(text):
    """Text as one line of printable ASCII."""
    return "".join(c if " " <= c <= "~" else "\\x%02x" % ord(c) for c in text)


def said(output, most=4):
    """What a program said, as the end of one of our messages."""
    lines = [line.strip().rstrip(".") for line in output.splitlines() if line.strip()]
    return " / ".join(lines[:most])


class Report(object):
    """The answer of one run of the command."""

    def __init__(self, command, as_json):
        self.as_json = as_json
        self.values = {"command": command, "ok": True}
        self.lost = False

    def say(self, line=""):
        """A line of the answer, for people."""
        if not self.as_json:
            self._write(plain(line) + "\n")

    def note(self, line):
        """What is not the answer itself: progress, a warning."""
        to_stderr(line)

    def fail(self, failure):
        self.values.update(ok=False, error=plain(failure.message))
        if failure.help:
            self.values["help"] = plain(failure.help)
        to_stderr("error: " + failure.message)
        if failure.help:
            to_stderr("help: " + failure.help)

    def close(self):
        if self.as_json:
            self._write(json.dumps(self.values, sort_keys=True, indent=2, separators=(",", ": ")) + "\n")

    def _write(self, text):
        if self.lost:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (IOError, OSError) as error:
            # Steps that change something go on without a reader; a full disk is worth an exit code.
            self.lost = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if error.errno != errno.EPIPE:
                self.fail(Failure("cannot write to standard output: %s" % error.strerror))


def to_stderr(line):
    try:
        sys.stderr.write(plain(line) + "\n")
        sys.stderr.flush()
    except (IOError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def ask(question, yes, what):
    """Whether to go on. A run without a terminal has to be told beforehand: silence is no consent."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Usage(what + ", and there is no terminal to ask on", "--yes goes on without a question")
    sys.stderr.write(plain(what) + "\n" + plain(question) + " [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("not done: the answer was no")


def open_streams():
    """Puts /dev/null where a caller closed a standard stream, before a pipe takes its number."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.dup(number), "w"))
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.dup(0))
