/*
 * registers RESOURCE [OFFSET VALUE]
 *
 * Maps BAR0 of a vgpu-stub through the resource0 file that Linux gives each PCI
 * device, stores VALUE at OFFSET when both are given, and prints the registers.
 * All accesses are aligned and 32 bits wide, as device/README.md asks for.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BAR0_SIZE 4096

/* The five registers, and the first and the last word of what is unused. */
static const struct {
    unsigned offset;
    const char *name;
} registers[] = {
    { 0x000, "command" }, { 0x004, "status" }, { 0x008, "pool" },
    { 0x00c, "priority" }, { 0x010, "vm_id" }, { 0x014, "unused" },
    { 0xffc, "unused" },
};

int main(int argc, char **argv)
{
    volatile uint32_t *bar;
    unsigned long offset;
    void *mapped;
    size_t i;
    int fd;

    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: registers RESOURCE [OFFSET VALUE]\n");
        return 2;
    }
    fd = open(argv[1], O_RDWR | O_SYNC);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    mapped = mmap(NULL, BAR0_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    bar = mapped;
    if (argc == 4) {
        offset = strtoul(argv[2], NULL, 0);
        if (offset % 4 || offset >= BAR0_SIZE) {
            fprintf(stderr, "registers: %s is no register\n", argv[2]);
            return 2;
        }
        bar[offset / 4] = (uint32_t)strtoul(argv[3], NULL, 0);
    }
    for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        printf("%03x %s 0x%x\n", registers[i].offset, registers[i].name,
               (unsigned)bar[registers[i].offset / 4]);
    }
    return 0;
}
