/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stub for QEMU, for tests: it lists devices as QEMU 4.2 does, with vgpu-stub unless STOCK is
 * defined, and otherwise does nothing for as long as it lives.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "-device") && !strcmp(argv[2], "help")) {
        puts("Misc devices:");
        puts("name \"pci-testdev\", bus PCI, desc \"PCI Test Device\"");
#ifndef STOCK
        puts("name \"vgpu-stub\", bus PCI, desc \"Virtual GPU stub device (processing accelerator)\"");
#endif
        return 0;
    }
    if (argc == 3 && !strcmp(argv[1], "-device")) {
#ifdef STOCK
        fprintf(stderr, "qemu-system-i386: -device %s: '%s' is not a valid device model name\n",
                argv[2], argv[2]);
        return 1;
#else
        puts("vgpu-stub options:");
        puts("  addr=<int32>           - Slot and optional function number, example: 06.0 or 06");
        puts("  pool_id=<str>");
        puts("  priority=<str>");
        puts("  vm_id=<uint32>");
        return 0;
#endif
    }
    alarm(600);
    for (;;)
        pause();
}
