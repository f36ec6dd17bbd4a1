# SPDX-License-Identifier: GPL-2.0-or-later
"""A stub for `xen.lowlevel.xs` over the real libxenstore: bytes on Python 3, text on Python 2."""

import ctypes
import os

_LIBRARY = ctypes.CDLL("libxenstore.so.4", use_errno=True)
_LIBRARY.xs_open.restype = ctypes.c_void_p
_LIBRARY.xs_read.restype = ctypes.c_void_p
_ENOENT = 2


class Error(Exception):
    pass


class xs(object):
    def __init__(self):
        self.handle = _LIBRARY.xs_open(ctypes.c_ulong(0))
        if not self.handle:
            raise _error()

    def read(self, transaction, path):
        length = ctypes.c_uint()
        words = (ctypes.c_void_p(self.handle), ctypes.c_uint32(0), path.encode("ascii"), ctypes.byref(length))
        found = _LIBRARY.xs_read(*words)
        if not found:
            if ctypes.get_errno() == _ENOENT:
                return None
            raise _error()
        return ctypes.string_at(found, length.value)

    def write(self, transaction, path, value):
        value = value if isinstance(value, bytes) else value.encode("utf-8")
        words = (ctypes.c_void_p(self.handle), ctypes.c_uint32(0), path.encode("ascii"), value)
        if not _LIBRARY.xs_write(*(words + (ctypes.c_uint(len(value)),))):
            raise _error()

    def close(self):
        _LIBRARY.xs_close(ctypes.c_void_p(self.handle))


def _error():
    number = ctypes.get_errno()
    return Error(number, os.strerror(number))
