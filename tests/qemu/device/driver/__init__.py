# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives vgpu-stub through QEMU's qtest and QMP sockets, without a guest: what every version has to do.

The expected values are those of device/README.md, and the same for every QEMU from 4.2 on.
"""
