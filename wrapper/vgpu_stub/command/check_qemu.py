"""Checks of `doctor`: the installed QEMU is there, whole, ours, and has the device."""

import os

from vgpu_stub import setting

from . import packages, paths, qemu
from .outcome import fail, ok, some, warn

_PROPERTIES = {"pool_id": "str", "priority": "str", "vm_id": "uint32", "addr": None}

_INSTALL = "install it from the repository that vgpu-pipeline published: yum install qemu"


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
        return fail("the package qemu is not installed", _INSTALL)
    altered = packages.altered(packages.differences(packages.QEMU))
    if altered:
        shown = some(["%s (%s)" % (one.path, one.letters) for one in altered])
        return fail("not as the package brought them: " + shown, "yum reinstall qemu")
    return ok("`rpm -V qemu` finds nothing altered")


def qemu_is_ours():
    """the package qemu is the build that has the device"""
    package = packages.installed(packages.QEMU)
    if package is None:
        return fail("the package qemu is not installed", _INSTALL)
    if packages.provides(packages.QEMU, packages.PROVIDES):
        if package.is_ours():
            return ok(package.nevra())
        return warn("%s has the device, but no release that tells it from stock" % package.nevra(), _INSTALL)
    if setting.DEVICE in qemu.known_devices():
        text = "%s is stock by its name, yet its binary has the device: a build by hand" % package.nevra()
        return warn(text, "yum updates it away without a word; " + _INSTALL)
    text = "%s is stock, without the device: an update has replaced ours, or it never came" % package.nevra()
    help = "VMs that are set to use the device do not start: build it into that version and install that"
    return fail(text, help)


def qemu_device():
    """QEMU lists the device"""
    if setting.DEVICE in qemu.known_devices():
        return ok("`-device help` lists %s" % setting.DEVICE)
    return fail("`-device help` does not list %s" % setting.DEVICE, _INSTALL)


def qemu_properties():
    """the device has the properties that a setting is written with"""
    if setting.DEVICE not in qemu.known_devices():
        return fail("there is no device to ask", _INSTALL)
    found = qemu.properties()
    wrong = [name for name, kind in sorted(_PROPERTIES.items()) if kind not in (None, found.get(name))]
    wrong += [name for name, kind in sorted(_PROPERTIES.items()) if kind is None and name not in found]
    if wrong:
        shown = some(["%s is %s" % (name, found.get(name, "missing")) for name in wrong])
        return fail("`-device %s,help`: %s" % (setting.DEVICE, shown), _INSTALL)
    return ok(", ".join(sorted(_PROPERTIES)))


CHECKS = (qemu_binary, qemu_intact, qemu_is_ours, qemu_device, qemu_properties)
