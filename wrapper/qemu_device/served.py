"""The types of device that this package serves, and the keys of the platform map that are read.

All that a VM without a setting needs: every start loads this, so it loads nothing but `os`.
"""

import os

# What the pipeline made of its contracts.
FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "devices")
ENDING = ".json"

# The key that an older guide taught; a device's own is its type.
GUIDE_KEY = "device-model-args"


def types():
    """The types that are served, in order."""
    try:
        names = os.listdir(FOLDER)
    except EnvironmentError:
        return []
    return sorted(name[: -len(ENDING)] for name in names if name.endswith(ENDING))


def keys():
    """The keys of the platform map that are read: those of the served types, and the guide's."""
    return types() + [GUIDE_KEY]
