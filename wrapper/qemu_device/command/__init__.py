"""The operator's command `qemu-device`: see the README of `wrapper`."""
