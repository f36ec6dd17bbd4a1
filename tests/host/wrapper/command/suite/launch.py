# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the command on the made-up dom0 whose folder comes first among the arguments."""

import os
import sys

sys.dont_write_bytecode = True
root, quick, only = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.path.insert(0, os.path.join(root, "usr/lib/qemu-device"))

from qemu_device.command import doctor, main, paths, programs

paths.ROOT = root
programs.FOLDERS = (root + "/bin",)
programs.QUICK = quick
if only:
    doctor.CHECKS = [check for check in doctor.CHECKS if doctor.name(check) == only]

if __name__ == "__main__":
    sys.exit(main.main(sys.argv[4:]))
