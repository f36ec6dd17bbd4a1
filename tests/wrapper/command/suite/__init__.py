"""Checks of the command `vgpu-stub`: see ../checks."""
