"""Checks of `doctor`: xenopsd starts the shim, and the vendor's wrapper behind it is genuine."""

import os
import re

from qemu_device import contract, policy as policies

from . import packages, paths, programs, xenopsd
from .outcome import fail, ok, some, unchecked, warn
from .report import said

_REINSTALL = "yum reinstall qemu-device-dom0"
_RESTART = "systemctl restart xenopsd-xc (running VMs stay as they are)"

GENUINE, PATCHED, BY_HAND, ALTERED, MISSING = "genuine", "patched", "by hand", "altered", "missing"


def vendor_wrapper_is():
    """What the vendor's wrapper is: genuine, patched by us, edited as the guide taught, or else."""
    if not os.path.isfile(paths.at(paths.VENDOR_WRAPPER)):
        return MISSING
    altered = packages.altered(packages.differences(packages.VENDOR_OF_WRAPPER))
    if paths.VENDOR_WRAPPER not in [one.path for one in altered]:
        return GENUINE
    text = paths.read(paths.VENDOR_WRAPPER)
    if "qemu_device" in text:
        return PATCHED
    return BY_HAND if "device-model-args" in text else ALTERED


def vendor_wrapper():
    """the vendor's qemu-wrapper is as its package brought it"""
    if packages.installed(packages.VENDOR_OF_WRAPPER) is None:
        return unchecked("the package xenopsd is not installed: this is no dom0 of XCP-ng")
    state = vendor_wrapper_is()
    back = "yum reinstall xenopsd"
    if state == MISSING:
        return fail("%s is missing" % paths.VENDOR_WRAPPER, back)
    kept = packages.installed(packages.PATCH)
    if state == GENUINE and kept:
        text = "%s has not patched it: VMs start without the device" % packages.PATCH
        return fail(text, "%s %s says why" % (paths.PATCHER, paths.VENDOR_WRAPPER))
    if state == GENUINE:
        return ok("`rpm -V xenopsd` finds it as it was brought")
    if state == PATCHED and _shim_is_set():
        text = "it is patched by qemu-device-patch, and the drop-in is there too: one of them is enough"
        return warn(text, "%s --revert %s" % (paths.PATCHER, paths.VENDOR_WRAPPER))
    if state == PATCHED and kept:
        return ok("%s keeps it patched" % packages.PATCH)
    if state == PATCHED:
        return warn("it is patched by qemu-device-patch", "an update of xenopsd takes the patch away")
    if state == BY_HAND:
        text = "it is edited by hand to pass device-model-args on, any text, to a QEMU that begins as root"
        return fail(text, back)
    return fail("it is not as its package brought it, by an edit that is not ours", back)


def _shim_is_set():
    return paths.SHIM in [value for _, value in xenopsd.wrappers()[-1:]]


def _not_needed():
    """Why this host does without drop-in and shim, or `None`."""
    if _shim_is_set():
        return None
    if packages.installed(packages.PATCH):
        return "the package %s needs none" % packages.PATCH
    if packages.installed(packages.VENDOR_OF_WRAPPER) and vendor_wrapper_is() == PATCHED:
        return "this host uses the patched wrapper in its place"
    return None


def drop_in():
    """xenopsd's configuration names the shim, once and last"""
    state = xenopsd.fragment_is()
    if state != xenopsd.THERE and not _shim_is_set():
        instead = _not_needed()
        if instead:
            return unchecked(instead)
        help = _REINSTALL + ", which restarts xenopsd too"
        return fail("%s is %s: xenopsd starts the vendor's wrapper" % (paths.FRAGMENT, state), help)
    lines = xenopsd.wrappers()
    path, value = lines[-1] if lines else (None, None)
    if value != paths.SHIM:
        if path is None or path == paths.FRAGMENT:
            return fail("%s does not name %s" % (paths.FRAGMENT, paths.SHIM), _REINSTALL)
        return fail("%s is read last and names %s" % (path, value), "remove that line; the last one wins")
    if len(lines) > 1:
        others = some([other for other, _ in lines[:-1]])
        text = "%s wins, but %s is named elsewhere too: %s" % (path, xenopsd.KEY, others)
        return warn(text, "remove the other lines: the last one read wins")
    if path != paths.FRAGMENT:
        return warn("the shim is named by %s, not by %s" % (path, paths.FRAGMENT), _REINSTALL)
    return ok("%s is the only file that names a wrapper" % path)


def drop_in_folder():
    """nothing lies in the folder of fragments that does not belong there"""
    entries = xenopsd.entries()
    if entries is None:
        return unchecked(
            "%s is not there: an 8.2, or no dom0" % paths.FRAGMENTS, "8.2 uses qemu-device-patch"
        )
    deadly = [one.path for one in entries if one.kind != "file"]
    if deadly:
        text = "xenopsd reads each entry as a file and ends at its next start on: %s" % some(deadly)
        return fail(text, "move them elsewhere before anything restarts xenopsd")
    odd = [one.path for one in entries if not one.path.endswith(".conf")]
    if odd:
        text = "xenopsd reads these too, whatever their names: %s" % some(odd)
        return warn(text, "move backups and leftovers to another folder")
    return ok("%d file%s" % (len(entries), "" if len(entries) == 1 else "s"))


def drop_in_active():
    """the running xenopsd has read the drop-in"""
    if not _shim_is_set():
        return unchecked(_not_needed() or "the drop-in is not in force on disk")
    daemon = xenopsd.daemon()
    if daemon is None:
        return fail("xenopsd-xc does not run", "systemctl status xenopsd-xc; systemctl start xenopsd-xc")
    if (daemon.folder or "").rstrip("/") != paths.FRAGMENTS:
        told = "another folder, %s" % daemon.folder if daemon.folder else "no --config-dir"
        help = "systemctl cat xenopsd-xc; 8.2 uses qemu-device-patch"
        return fail("the running xenopsd was given %s" % told, help)
    winner = xenopsd.wrappers()[-1][0]
    if xenopsd.changed(winner) > daemon.started:
        return fail("%s is newer than the running xenopsd, which reads it at its start" % winner, _RESTART)
    if xenopsd.changed(paths.FRAGMENTS) > daemon.started:
        return warn("a file came to or went from %s since xenopsd was started" % paths.FRAGMENTS, _RESTART)
    return ok("process %d was started after it was put there" % daemon.pid)


def shim():
    """the shim is there, and all that it needs can be loaded"""
    instead = _not_needed() if xenopsd.fragment_is() != xenopsd.THERE else None
    if instead:
        return unchecked(instead)
    path = paths.at(paths.SHIM)
    if not os.path.isfile(path):
        return fail("%s is missing: no HVM guest starts while xenopsd names it" % paths.SHIM, _REINSTALL)
    if not os.access(path, os.X_OK):
        return fail("%s is not executable: no HVM guest starts" % paths.SHIM, _REINSTALL)
    source = paths.read(paths.SHIM)
    first = re.match(r"#! ?(/\S+)((?: \S+)*)\n", source)
    if not first or not programs.find(first.group(1)):
        return fail("%s names no interpreter that is on this host" % paths.SHIM, _REINSTALL)
    try:
        compile(source, paths.SHIM, "exec")
    except (SyntaxError, TypeError, ValueError) as error:
        return fail("%s does not compile: %s" % (paths.SHIM, error), _REINSTALL)
    # In the shim's own interpreter: what it imports when a VM starts.
    load = "import sys; sys.path.insert(0, sys.argv[1]); import qemu_device.start, xen.lowlevel.xs"
    argv = [first.group(1)] + first.group(2).split() + ["-c", load, paths.at(paths.MODULES)]
    result = programs.run(argv)
    if result.code:
        # Of a traceback the last line says what it is.
        words = said("".join(result.err.splitlines(True)[-1:])) or "exit code %d" % result.code
        return fail("it cannot load what it needs: %s" % words, _REINSTALL)
    return ok("%s, and what it imports" % paths.SHIM)


def contracts():
    """what the pipeline says of its devices is there and whole"""
    try:
        names = [one.type for one in contract.load_all()]
        contract.origin()
    except contract.Damaged as damaged:
        return fail("%s: VMs with that device start without it" % damaged, _REINSTALL)
    if not names:
        return fail("there is none: no VM can have a device", _REINSTALL)
    return ok(some(names))


def leftovers():
    """no copies of binaries or wrappers lie beside the real ones, and no old consent to a removal"""
    if os.path.lexists(paths.at(paths.CONSENT)):
        text = "%s lets our package be removed unasked while VMs are set to use the device" % paths.CONSENT
        return warn(text, "rm " + paths.CONSENT)
    try:
        # By their bytes, which may be no text.
        names = sorted(
            name.decode("latin-1") for name in os.listdir(paths.at(paths.BINARIES).encode("utf-8"))
        )
    except OSError as error:
        return unchecked("%s cannot be read: %s" % (paths.BINARIES, error.strerror))
    copies = [name for name in names if re.match(r"(qemu-wrapper|qemu-system-i386)[.~_-].", name + ".")]
    if copies:
        shown = some([paths.BINARIES + "/" + name for name in copies])
        return warn("copies of an installation by hand: " + shown, "once nothing needs them, remove them")
    return ok("none")


def policy():
    """the policy for starts that cannot be as they are set can be read"""
    said = policies.read(paths.at(policies.FILE))
    if said.complaint:
        text = "%s; on-invalid = %s and on-missing = %s count meanwhile"
        return fail(
            text % (said.complaint, said.on_invalid, said.on_missing), "mend or remove %s" % policies.FILE
        )
    there = "" if os.path.isfile(paths.at(policies.FILE)) else ", as there is no %s" % policies.FILE
    return ok("on-invalid = %s, on-missing = %s%s" % (said.on_invalid, said.on_missing, there))


CHECKS = (vendor_wrapper, drop_in, drop_in_folder, drop_in_active, shim, contracts, leftovers, policy)
