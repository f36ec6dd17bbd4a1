# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of the command `vgpu-stub`: see ../checks."""
