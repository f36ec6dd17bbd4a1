"""Reads a wrapper, and puts another text in its place in one step of the file system.

The new file has the old one's mode, owner, date and extended attributes. A symbolic link is refused, not
followed: what it points to is somebody's file with a path of its own.
"""

import errno
import os
import stat
import tempfile

from qemu_device.patch.shape import Refused

# A genuine one has about 15 KiB.
LARGEST = 1024 * 1024


class Failed(Exception):
    """What the file system did not do: one line."""


def read(path):
    """The bytes of a regular file, and what `stat` says of it."""
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise Refused("it is a symbolic link to %s: name that file" % os.path.realpath(path))
        # Without waiting for the writer of a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise Refused("it is no regular file")
        with os.fdopen(descriptor, "rb") as source:
            text = source.read(LARGEST + 1)
    except EnvironmentError as error:
        raise Refused("it cannot be read: %s" % os.strerror(error.errno))
    if len(text) > LARGEST:
        raise Refused("it has more than %d bytes, and no qemu-wrapper has" % LARGEST)
    return text, status


def write(path, text, like, unchanged=None):
    """Makes `path` a file of `text` with the mode, owner and attributes of the file `like`.

    `unchanged` is what `stat` said of `path` when it was read: whatever came in its place since then stays.
    """
    temporary = None
    try:
        if os.path.islink(path):
            raise Failed("%s is a symbolic link: name the file that it points to" % path)
        if os.path.exists(path) and not os.path.isfile(path):
            # A device above all: root's rename would put a file in its place.
            raise Failed("%s is no regular file" % path)
        folder = os.path.dirname(path) or "."
        descriptor, temporary = tempfile.mkstemp(prefix="." + os.path.basename(path) + ".", dir=folder)
        with os.fdopen(descriptor, "wb") as target:
            target.write(text)
            _copy_attributes(like, target.fileno(), temporary)
            target.flush()
            if unchanged:
                # So that rpm -V finds nothing in a file that was patched and reverted.
                os.utime(temporary, (unchanged.st_atime, unchanged.st_mtime))
            os.fsync(target.fileno())
        if unchanged and _identity(os.lstat(path)) != _identity(unchanged):
            raise Failed("%s was changed by somebody else meanwhile: look at it, and try again" % path)
        os.rename(temporary, path)
        temporary = None
        _sync(folder)
    except EnvironmentError as error:
        raise Failed("%s cannot be written: %s" % (path, os.strerror(error.errno)))
    finally:
        if temporary:
            os.unlink(temporary)


def _identity(status):
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime)


def _copy_attributes(like, descriptor, temporary):
    status = os.stat(like)
    found = os.fstat(descriptor)
    if (found.st_uid, found.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    # After the owner, whose change would clear bits of it.
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    # Python 2 knows no extended attributes.
    for name in os.listxattr(like) if hasattr(os, "listxattr") else []:
        try:
            os.setxattr(temporary, name, os.getxattr(like, name))
        except EnvironmentError as error:
            # The kernel keeps some for itself.
            if error.errno not in (errno.ENOTSUP, errno.EPERM):
                raise


def _sync(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
