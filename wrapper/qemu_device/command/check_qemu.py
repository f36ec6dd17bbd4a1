"""Checks of `doctor`: the installed QEMU is there, whole, ours, and has the device."""

import os

from qemu_device import contract

from . import packages, paths, qemu
from .outcome import fail, ok, some, warn


def _install():
    return "install ours: yum --enablerepo=%s install qemu" % contract.origin().pipeline


def qemu_binary():
    """QEMU's binary is there and can be run"""
    path = paths.at(paths.QEMU)
    if not os.path.isfile(path):
        return fail("%s is missing" % paths.QEMU, "yum reinstall qemu")
    if not os.access(path, os.X_OK):
        return fail("%s is not executable" % paths.QEMU, "yum reinstall qemu")
    return ok(paths.QEMU)


def qemu_intact():
    """the files of the package qemu are as it brought them"""
    if packages.installed(packages.QEMU) is None:
        return fail("the package qemu is not installed", _install())
    altered = packages.altered(packages.differences(packages.QEMU))
    if altered:
        shown = some(["%s (%s)" % (one.path, one.letters) for one in altered])
        return fail("not as the package brought them: " + shown, "yum reinstall qemu")
    return ok("`rpm -V qemu` finds nothing altered")


def qemu_is_ours():
    """the package qemu is the build that has the devices"""
    package = packages.installed(packages.QEMU)
    if package is None:
        return fail("the package qemu is not installed", _install())
    if packages.have_devices(packages.QEMU):
        if package.is_ours():
            return ok(package.nevra())
        return warn(
            "%s has the devices, but no release that tells it from stock" % package.nevra(), _install()
        )
    missing = qemu.missing()
    if not missing:
        text = "%s is stock by its name, yet its binary has the devices: a build by hand" % package.nevra()
        return warn(text, "yum updates it away without a word; " + _install())
    text = "%s is stock, without %s: an update has replaced ours, or it never came"
    help = (
        "VMs that are set to have it start without it, or not at all: build ours into that version; "
        + _install()
    )
    return fail(text % (package.nevra(), some(missing)), help)


def qemu_device():
    """QEMU lists each device"""
    missing = qemu.missing()
    if missing:
        return fail("`-device help` does not list %s" % some(missing), _install())
    return ok("`-device help` lists %s" % (some(contract.types()) or "all, as this package serves none"))


def qemu_properties():
    """each device has the properties that a setting is written with"""
    if qemu.missing():
        return fail("there is no device to ask", _install())
    wrong = []
    for served in contract.load_all():
        found = qemu.properties(served.type)
        wanted = dict((one.name, one.kind) for one in served.properties)
        bad = [name for name, kind in sorted(wanted.items()) if found.get(name) != kind]
        bad += ["addr"] * ("addr" not in found)
        wrong += ["%s of %s is %s" % (name, served.type, found.get(name, "missing")) for name in bad]
    if wrong:
        return fail("other than its contract has it: " + some(wrong), _install())
    return ok("of %d" % len(contract.types()))


CHECKS = (qemu_binary, qemu_intact, qemu_is_ours, qemu_device, qemu_properties)
