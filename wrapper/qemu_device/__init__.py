"""What runs in dom0: see the README beside this package."""
