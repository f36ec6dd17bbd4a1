"""The PCI slots of a VM that xenopsd gives away by itself.

Where they are follows from xenopsd (`ocaml/xenopsd/xc/device.ml`): of a BIOS guest a NIC is in the slot of its
number and four; of a UEFI guest passed-through functions and vGPUs are in eight and up.
"""

import re

from . import xe

_FIRST_NIC = 4
_FIRST_PASSED_THROUGH = 8


def taken(machine):
    """What is where: words by slot."""
    found = {}
    if xe.map_value(machine.uuid, "HVM-boot-params", "firmware") == "uefi":
        functions = _functions(xe.map_value(machine.uuid, "other-config", "pci") or "")
        functions += ["a vGPU"] * len(xe.records("vgpu", vm_uuid=machine.uuid))
        found.update((_FIRST_PASSED_THROUGH + index, words) for index, words in enumerate(functions))
    else:
        numbers = xe.values_of("vif", "device", vm_uuid=machine.uuid)
        found.update((_FIRST_NIC + int(number), "VIF %s" % number) for number in numbers if number.isdigit())
    return found


def _functions(text):
    """The addresses of `other-config:pci`: `0/0000:04:01.0,1/0000:04:02.0`."""
    found = re.findall(r"(?:\A|,)[0-9]+/([0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7])", text)
    return ["the passed-through %s" % address for address in found]
