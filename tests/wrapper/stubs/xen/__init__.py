"""A stub for Xen's Python bindings, for Pythons that no Debian package brings them to."""
