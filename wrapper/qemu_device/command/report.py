"""What the command says: lines for people, one JSON object for programs, and the two kinds of error.

Names of VMs, lines of logs and values of settings were written by others: whatever is printed goes
through `plain` here, or on a terminal that has UTF-8 through `readable`, so that no escape sequence reaches a
terminal, nothing in a name changes how the rest of the line reads, and every message stays one line.
"""

from __future__ import print_function

import errno
import json
import os
import sys
import unicodedata


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


def readable(text):
    """Text as one line that people read: letters of any script, and nothing that is not seen."""
    return "".join(
        c if " " <= c <= "~" or _is_seen(c, before) else plain(c) for before, c in zip(" " + text, text)
    )


def _is_seen(character, before):
    kind = unicodedata.category(character)
    if kind[0] == "M":
        # A mark changes the look of what it stands behind, which must not be ours.
        return unicodedata.category(before)[0] in "LM"
    return kind[0] in "LNS" or kind in ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po")


def _for(stream, text):
    """A line's bytes for a stream."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    wide = name.lower().replace("-", "").endswith(("utf8",)) and stream.isatty()
    return (readable(text) if wide else plain(text)).encode("utf-8")


def _put(stream, text, end="\n"):
    target = getattr(stream, "buffer", stream)
    target.write(_for(stream, text) + end.encode("ascii"))
    target.flush()


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
            self._write(line)

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
            for line in json.dumps(self.values, sort_keys=True, indent=2, separators=(",", ": ")).split("\n"):
                self._write(line)

    def _write(self, line):
        if self.lost:
            return
        try:
            _put(sys.stdout, line)
        except (IOError, OSError) as error:
            # Steps that change something go on without a reader; a full disk is worth an exit code.
            self.lost = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if error.errno != errno.EPIPE:
                self.fail(Failure("cannot write to standard output: %s" % error.strerror))


def to_stderr(line):
    try:
        _put(sys.stderr, line)
    except (IOError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def ask(question, yes, what):
    """Whether to go on. A run without a terminal has to be told beforehand: silence is no consent."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Usage(what + ", and there is no terminal to ask on", "--yes goes on without a question")
    _put(sys.stderr, what)
    _put(sys.stderr, question + " [y/N] ", "")
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
