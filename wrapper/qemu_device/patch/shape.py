"""Finds in a wrapper's syntax tree the one place where QEMU's arguments are complete.

That is the statement of `main` that prints `Exec:`, checked against the call that then starts QEMU
with the same variables. A wrapper of any other shape is refused with what was not found: a guess
here would end in root's hands. It reads source that is given to it and runs none of it.
"""

import ast
import sys
from collections import namedtuple

# Ours, which the wrapper must not use for itself.
PREFIX = "qemu_device"

PYTHON = "Python %d.%d" % sys.version_info[:2]

_WANTED = 'its line that prints `Exec:` does not print `"Exec: %s %s" % (PROGRAM, " ".join(ARGUMENTS))`'

_DOMAIN = "/local/domain/%d"

_STARTERS = [
    "Popen",
    "call",
    "check_call",
    "check_output",
    "getoutput",
    "getstatusoutput",
    "popen",
    "run",
    "system",
]


class Refused(Exception):
    """Why a file is left alone: one line."""


class Shape(namedtuple("Shape", "line column program arguments domid read")):
    """Where the place is, and what the wrapper calls the things that we need there."""

    __slots__ = ()


def find(source, keys):
    """The shape of a wrapper's source (bytes), or `Refused`. `keys` are those that our lines read."""
    tree = parse(source)
    _refuse_ours(source, keys)
    functions = [node for node in tree.body if _is(node, "FunctionDef")]
    main = _one([node for node in functions if node.name == "main"], "function `main` at the top level")
    _is_run(tree, main)
    statement, program, arguments = _exec_line(tree, main)
    _started_with(main, statement, program, arguments)
    return Shape(statement.lineno, statement.col_offset, program, arguments, _domid(main), _reader(functions))


def parse(source):
    """The syntax tree of a source, by the Python that runs this."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, TypeError, MemoryError, RuntimeError) as error:
        where = getattr(error, "lineno", None)
        where = " in line %d" % where if where else ""
        other = "2" if sys.version_info[0] == 3 else "3"
        first = "it is not %s's syntax%s" % (PYTHON, where)
        raise Refused("%s; where it is a wrapper for Python %s, run this with that Python" % (first, other))


def _is(node, *kinds):
    return type(node).__name__ in kinds


def _text(node):
    """The value of a string literal, in the trees of every Python."""
    if _is(node, "Constant"):
        return node.value if hasattr(node.value, "startswith") else None
    return node.s if _is(node, "Str") else None


def _one(found, what):
    if len(found) != 1:
        raise Refused("it has %s %s" % ("%d times a" % len(found) if found else "no", what))
    return found[0]


def _calls(node):
    return [one for one in ast.walk(node) if _is(one, "Call")]


def _name(node):
    return node.id if _is(node, "Name") else None


def _callee(call):
    """The last word of what is called."""
    return call.func.attr if _is(call.func, "Attribute") else _name(call.func)


def _refuse_ours(source, keys):
    for key in keys:
        # The guide's edit names its key within a path.
        words = ["device-model-args"] if key == "device-model-args" else ['"%s"' % key, "'%s'" % key]
        if any(word.encode("ascii") in source for word in words):
            raise Refused(
                "it reads %s already: take the edit that was made by hand back first,"
                " or reinstall the package that brings the file" % key
            )
    if PREFIX.encode("ascii") in source:
        raise Refused("it has a name of its own with `%s` in it" % PREFIX)


def _is_run(tree, main):
    """Refuses unless this very `main` is what the wrapper runs, and nothing else."""
    if main.decorator_list:
        raise Refused("its function `main` is decorated")
    if any("main" in _bound(node) for node in ast.walk(tree)):
        raise Refused("it gives the name `main` to something else too")
    outside = [node for node in tree.body if not _is(node, "FunctionDef", "ClassDef")]
    calls = [call for node in outside for call in _calls(node)]
    _one([call for call in calls if _name(call.func) == "main"], "call of `main` at the top level")
    if any(_is_starter(call) for call in calls):
        raise Refused("it starts a program outside of its functions")


def _bound(node):
    """The names that a node itself gives to something, functions and classes left aside."""
    if _is(node, "Name") and not _is(node.ctx, "Load", "Param"):
        return [node.id]
    return _mentioned(node) if _is(node, "alias", "ExceptHandler") else []


def _exec_line(tree, main):
    """The statement that prints `Exec:`, and the names of the two variables that it prints."""
    what = "line that prints `Exec:`"
    said = [node for node in ast.walk(tree) if (_text(node) or "").startswith("Exec:")]
    literal = _one(said, what)
    inside = [one for one in main.body if any(node is literal for node in ast.walk(one))]
    statement = _one(inside, what + " in `main`")
    printed = _printed(statement)
    if not _is(printed, "BinOp") or not _is(printed.op, "Mod") or printed.left is not literal:
        raise Refused(_WANTED)
    values = printed.right.elts if _is(printed.right, "Tuple") else []
    if _text(literal).split() != ["Exec:", "%s", "%s"] or len(values) != 2:
        raise Refused(_WANTED)
    program, arguments = _name(values[0]), _joined(values[1])
    if not program or not arguments:
        raise Refused(_WANTED)
    return statement, program, arguments


def _printed(statement):
    """What a statement prints, by `print` in either form or by a file's `write`."""
    if _is(statement, "Print"):
        return statement.values[0] if len(statement.values) == 1 else None
    call = statement.value if _is(statement, "Expr") and _is(statement.value, "Call") else None
    if call is None or _callee(call) not in ("print", "write") or len(call.args) != 1:
        return None
    return call.args[0]


def _joined(node):
    """The name of the list in `" ".join(LIST)`."""
    good = _is(node, "Call") and _callee(node) == "join" and len(node.args) == 1
    good = good and _is(node.func, "Attribute") and _text(node.func.value) == " "
    return _name(node.args[0]) if good else None


def _started_with(main, statement, program, arguments):
    """Refuses unless QEMU is started once, with what was printed, and nothing else uses it afterwards.

    Nor does a function within `main`: when that runs, nobody can tell. What a wrapper's other functions
    do to a list that is theirs by another name is beyond this.
    """
    for call in _calls(main):
        used = [name for node in ast.walk(call) for name in _mentioned(node)]
        if _is_starter(call) and _starts(call) != (program, arguments) and {program, arguments} & set(used):
            raise Refused(
                "it has another call that starts a program with `%s` or `%s`" % (program, arguments)
            )
    started = [call for call in _calls(main) if _starts(call) == (program, arguments)]
    what = "call of Popen or execve in `main` with the printed variables `%s` and `%s`" % (program, arguments)
    call = _one(started, what)
    after = main.body[main.body.index(statement) + 1 :]
    later = [node for one in after for node in ast.walk(one)]
    inner = [node for function in _functions(main) for node in ast.walk(function)]
    if any(node is call for node in inner):
        raise Refused("it starts QEMU in a function within `main`")
    if not any(node is call for node in later):
        raise Refused("it starts QEMU before it prints `Exec:`")
    for node in later + inner:
        used = [name for name in _mentioned(node) if name in (program, arguments)]
        if used and not any(node is one for one in _handed(call)):
            raise Refused("it uses `%s` after it has printed `Exec:`, not to start QEMU alone" % used[0])


def _functions(main):
    kinds = ("FunctionDef", "AsyncFunctionDef", "Lambda", "ClassDef")
    return [node for node in ast.walk(main) if node is not main and _is(node, *kinds)]


def _mentioned(node):
    """The variables that a node itself reads, sets or deletes: most are names, a few are mere text."""
    if _is(node, "Name"):
        return [node.id]
    if _is(node, "ExceptHandler", "FunctionDef", "AsyncFunctionDef", "ClassDef"):
        # What is caught is a name of its own on Python 2, and may be none.
        return [node.name]
    if _is(node, "alias"):
        return [(node.asname or node.name).partition(".")[0]]
    return []


def _is_starter(call):
    """Whether a call is called as those that start a program, of `os` and `subprocess`."""
    called = _callee(call) or ""
    return called in _STARTERS or called.startswith(("exec", "spawn", "posix_spawn"))


def _starts(call):
    """The variables of a call that starts a program: which one, and its arguments."""
    return tuple(_name(node) for node in _handed(call))


def _handed(call):
    """Where a call that starts a program takes these two from."""
    first = call.args[:2] + [None, None]
    if _callee(call) == "Popen":
        named = [keyword.value for keyword in call.keywords if keyword.arg == "executable"]
        return (named[0] if named else None, first[0])
    if _callee(call) in ("execv", "execve", "execvp", "execvpe"):
        return (first[0], first[1])
    return (None, None)


def _domid(main):
    """The variable that `main` puts into paths of XenStore as the domain's number."""
    names = set()
    for node in ast.walk(main):
        if _is(node, "BinOp") and _is(node.op, "Mod") and (_text(node.left) or "").startswith(_DOMAIN):
            values = node.right.elts if _is(node.right, "Tuple") else [node.right]
            names.add(_name(values[0]) if values else None)
    what = "variable in `main` for the number in paths that begin with %s" % _DOMAIN
    return _one(sorted(name for name in names if name), what)


def _reader(functions):
    """The function of the wrapper that reads a path of XenStore."""
    found = [function.name for function in functions if _reads(function)]
    return _one(found, "function that does nothing but read a path of XenStore")


def _reads(function):
    # A parameter is a name of its own kind on Python 3, and any name on Python 2.
    parameters = [getattr(one, "arg", None) or _name(one) for one in function.args.args]
    returned = [one.value for one in function.body if _is(one, "Return") and _is(one.value, "Call")]
    if len(parameters) != 1 or len(function.body) != 1 or not returned:
        return False
    call = returned[0]
    reads = _callee(call) == "read" and _is(call.func, "Attribute") and _name(call.func.value)
    # Of no transaction: within one, a wrapper might read what is not there yet.
    plain = len(call.args) == 2 and not call.keywords and _text(call.args[0]) == ""
    return bool(reads) and plain and _name(call.args[1]) == parameters[0]
