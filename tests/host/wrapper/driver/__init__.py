# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives the shim, the patcher and a patched wrapper: what every Python of a dom0 has to do.

Modules that judge text alone run in that Python itself, so they are written for 2.7 and 3.6 too.
"""
