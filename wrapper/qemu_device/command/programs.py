"""Runs the host's programs: nothing else of the command starts one.

Argument lists and no shell. A program gets a fixed PATH and LC_ALL=C and nothing more of the caller's
environment, so that an operator's locale, `XE_EXTRA_ARGS` or `~/.xe` cannot change what it does or says.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import namedtuple

from .report import Failure

FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/xensource/bin")

QUICK = 60
# Verifying a package reads all of it; a repository may be slow to answer.
SLOW = 300

# In a session of its own a program does not see the terminal's Ctrl-C; see `Patience`.
_APART = {"preexec_fn": os.setsid} if sys.version_info[0] == 2 else {"start_new_session": True}

Result = namedtuple("Result", "code out err")


def find(name):
    """The program's path, or `None`."""
    for folder in ("",) if "/" in name else FOLDERS:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def shown(argv):
    """A command as one can paste it into a shell."""
    return " ".join(map(_quoted, argv))


def _quoted(word):
    if re.match(r"[A-Za-z0-9@%+=:,./_-]+\Z", word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def run(argv, timeout=None):
    """Runs a program to its end and gives back its exit code and what it said, as text."""
    child = _start(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    late = []

    def stop():
        late.append(True)
        _signal(child, signal.SIGKILL)

    timeout = timeout or QUICK
    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    try:
        out, err = child.communicate()
    except BaseException:
        _signal(child, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
        # Python 2 complains of a thread that is still there at its end.
        timer.join()
    if late:
        raise Failure("%s did not end within %d s" % (shown(argv), timeout))
    return Result(child.returncode, _text(out), _text(err))


def run_aloud(argv):
    """Runs a program that takes its time and reports for itself, on our standard error."""
    child = _start(argv, stdout=2, stderr=2)
    return Result(child.wait(), "", "")


class Patience(object):
    """Lets a step that changes something come to its end when Ctrl-C is pressed.

    The first one is kept until `over` is asked between two steps; a second one goes to the program
    that is running, which may know how to stop.
    """

    def __init__(self):
        self.over = False

    def __enter__(self):
        # A terminal that is closed is no reason to stop within a step either.
        numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
        self._before = [(number, signal.signal(number, self._pressed)) for number in numbers]
        return self

    def __exit__(self, *_):
        for number, before in self._before:
            signal.signal(number, before)

    def _pressed(self, number, _):
        if self.over and _running and number == signal.SIGINT:
            _signal(_running[-1], signal.SIGINT)
        self.over = True


_running = []


def _start(argv, **streams):
    program = find(argv[0])
    if program is None:
        raise Failure("%s is not on this host" % argv[0])
    environment = {"PATH": ":".join(FOLDERS), "LC_ALL": "C"}
    words = [word if isinstance(word, bytes) else word.encode("utf-8") for word in argv[1:]]
    streams.update(_APART)
    with open(os.devnull) as nothing:
        try:
            child = subprocess.Popen(
                [program] + words, stdin=nothing, env=environment, close_fds=True, **streams
            )
        except OSError as error:
            raise Failure("cannot run %s: %s" % (program, error.strerror))
    _running[:] = [child]
    return child


def _signal(child, number):
    try:
        os.killpg(child.pid, number)
    except OSError:
        pass


def _text(output):
    return output.decode("utf-8", "replace")
