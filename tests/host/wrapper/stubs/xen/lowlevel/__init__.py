# SPDX-License-Identifier: GPL-2.0-or-later
"""A stub for Xen's Python bindings, for Pythons that no Debian package brings them to."""
