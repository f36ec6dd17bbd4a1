/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stub for QEMU, for tests: it lists devices as QEMU 4.2 does, with those of `devices` beside this folder
 * unless STOCK is defined, and otherwise does nothing for as long as it lives.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef STOCK
static const struct {
    const char *name, *properties;
} known[] = {
    { "asset-tag", "  Level=<uint32>\n  a=<bool>\n  b=<bool>\n  c=<bool>\n  mode=<OnOffAuto>\n  owner=<str>\n"
                   "  rack=<uint16>\n  room=<str>\n  site-name=<str>\n  url=<str>" },
    { "meter", "  base=<uint64>\n  channel=<uint8>\n  level=<int16>" },
    { "vgpu-stub", "  pool_id=<str>\n  priority=<str>\n  vm_id=<uint32>" },
};
#endif

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "-device") && !strcmp(argv[2], "help")) {
        puts("Misc devices:");
        puts("name \"pci-testdev\", bus PCI, desc \"PCI Test Device\"");
#ifndef STOCK
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            printf("name \"%s\", bus PCI, desc \"A device of ours\"\n", known[i].name);
#endif
        return 0;
    }
    if (argc == 3 && !strcmp(argv[1], "-device")) {
#ifndef STOCK
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            size_t length = strlen(known[i].name);
            if (!strncmp(argv[2], known[i].name, length) && !strcmp(argv[2] + length, ",help")) {
                printf("%s options:\n", known[i].name);
                puts("  addr=<int32>           - Slot and optional function number, example: 06.0 or 06");
                puts(known[i].properties);
                return 0;
            }
        }
#endif
        fprintf(stderr, "qemu-system-i386: -device %s: '%s' is not a valid device model name\n",
                argv[2], argv[2]);
        return 1;
    }
    alarm(600);
    for (;;)
        pause();
}
