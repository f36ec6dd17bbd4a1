"""A check of `doctor`: what the next update of the pool would do to QEMU.

Xen Orchestra's update runs yum with XCP-ng's own repositories alone (`updater.py` of xcp-ng-xapi-plugins), so
it never sees ours, however that is configured.
"""

from qemu_device import contract

from . import packages
from .outcome import fail, ok, unchecked, warn

# Those that it enables, as far as a host has them.
_OF_AN_UPDATE = ("xcp-ng-base", "xcp-ng-updates", "xcp-ng-linstor")


def next_update():
    """the next update of the pool puts no QEMU without the devices in the place of this one"""
    known = packages.repositories()
    asked = [name for name in _OF_AN_UPDATE if name in known]
    if not asked:
        names = ", ".join(_OF_AN_UPDATE)
        return unchecked("none of %s is a repository here" % names, "yum repolist all")
    now = packages.installed(packages.QEMU)
    if now is None:
        return fail("the package qemu is not installed", "yum install qemu")
    if not now.is_ours() and not packages.have_devices(packages.QEMU):
        return warn("%s is stock already" % now.nevra(), _help(known, now))
    found = packages.newest([package for package, _ in packages.offered(packages.QEMU, asked)])
    if found is None or not found.newer_than(now):
        return ok("%s offer nothing newer than %s" % (", ".join(asked), now.nevra()))
    if found.is_ours():
        return ok("it brings %s, which is ours" % found.nevra())
    text = "it would put %s in the place of %s" % (found.nevra(), now.nevra())
    return warn(text, _help(known, found))


def _help(known, stock):
    name = contract.origin().pipeline
    ours = []
    if name in known:
        ours = [package for package, _ in packages.offered(packages.QEMU, [name]) if package.is_ours()]
    newest = packages.newest(ours)
    if newest is not None and newest.newer_than(stock):
        return "ours for that version is there: then yum --enablerepo=%s install %s" % (name, newest.nevra())
    return "build ours into that version, and publish it, before the pool is updated"


CHECKS = (next_update,)
