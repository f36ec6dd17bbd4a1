# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract of device/README.md, as values."""

DEVICE = "vgpu-stub"

COMMAND, STATUS, POOL, PRIORITY, VM_ID = REGISTERS = (0x000, 0x004, 0x008, 0x00C, 0x010)
SIZE = 0x1000

# A set of properties none of which is a default.
OTHER = DEVICE + ",id=stub,addr=5,pool_id=B,priority=high,vm_id=200"

ACCEPTED = [
    # properties, and the registers pool, priority and vm id
    ("", (0x41, 1, 0)),
    ("pool_id=A", (0x41, 1, 0)),
    ("pool_id=B", (0x42, 1, 0)),
    ("pool_id=", (0x41, 1, 0)),
    ("priority=low", (0x41, 0, 0)),
    ("priority=medium", (0x41, 1, 0)),
    ("priority=high", (0x41, 2, 0)),
    ("priority=", (0x41, 1, 0)),
    ("vm_id=0", (0x41, 1, 0)),
    ("vm_id=1", (0x41, 1, 1)),
    ("vm_id=0x10", (0x41, 1, 16)),
    ("vm_id=4294967295", (0x41, 1, 0xFFFFFFFF)),
    ("pool_id=,priority=,vm_id=7", (0x41, 1, 7)),
    ("pool_id=B,priority=low,vm_id=200", (0x42, 0, 200)),
]

POOL_SAYS = "property 'pool_id' must be 'A' or 'B', not '{}'"
PRIORITY_SAYS = "property 'priority' must be 'low', 'medium' or 'high', not '{}'"
POOLS = ["C", "a", "b", "AB", "AA", "0", "1", " ", " A", "A ", "A\n", "\u00c4", "A" * 4096]
PRIORITIES = ["LOW", "High", "med", "lo", "highest", "1", " low", "low ", "medium\n", "%s%n"]
REFUSED = [("pool_id", value, POOL_SAYS) for value in POOLS]
REFUSED += [("priority", value, PRIORITY_SAYS) for value in PRIORITIES]

# QEMU itself refuses these, and each version words it in its own way.
NOT_A_NUMBER = ["4294967296", "-1", "x", "1.5", "0x1ffffffff", "18446744073709551616"]

DIFFERS = (
    "vgpu-stub: property '{}' differs from the source's: register {:#05x} is {:#x} there and {:#x} here"
)
