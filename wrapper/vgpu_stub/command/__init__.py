"""The operator's command `vgpu-stub`: see the README of `wrapper`."""
