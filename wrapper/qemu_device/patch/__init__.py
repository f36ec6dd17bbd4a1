"""Patches a genuine qemu-wrapper, for hosts where xenopsd cannot be pointed at the shim."""
