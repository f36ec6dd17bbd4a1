# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host's judge makes of settings: asked by `verify`, and no part of the package.

A line of input is a JSON list of a platform key and its value, and an empty one is the last; a line of output
is a list of what QEMU's `-device` gets, or why the setting is refused.
"""

import json
import sys

sys.path.insert(0, "/wrapper")

from qemu_device import choice

for line in iter(sys.stdin.readline, "\n"):
    key, value = json.loads(line)
    values = dict((known, None) for known in choice.keys())
    # As XenStore gives it.
    values[key] = value.encode("utf-8")
    chosen = choice.choose(values)
    refused = [trouble.why for trouble in chosen.troubles]
    print(json.dumps(refused[0] if refused else chosen.arguments()[1::2]))
