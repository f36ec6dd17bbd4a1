/*
 * vgpu-stub-info: prints the registers of every vgpu-stub that this Linux has
 *
 * It needs no driver: the device is found by its id in sysfs, and its BAR is
 * mapped through the file resource0.  One file, no dependencies:
 *
 *     cc -static -O2 -Wall -Wextra -Werror -o vgpu-stub-info vgpu-stub-info.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define BAR_SIZE 4096

/* The registers of device/README.md, in their order. */
enum { COMMAND, STATUS, POOL, PRIORITY, VM_ID, NUM_REGISTERS };

struct options {
    unsigned vendor, device;
    bool json, enable, write;
    uint32_t command;
};

static void fail(const char *format, ...)
{
    va_list arguments;

    fputs("vgpu-stub-info: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* Why the kernel did not let us, and what to do about it. */
static void refused(const char *path, const char *doing, int error)
{
    const char *help = "";

    if (error == ENOENT || error == ENODEV || error == ENXIO) {
        fail("%s: the device went away while it was looked at; rescan with: "
             "echo 1 >/sys/bus/pci/rescan", path);
    }
    if (error == EROFS) {
        help = "; sysfs is read-only here, as in a container: run it outside";
    } else if ((error == EACCES || error == EPERM) && geteuid() != 0) {
        help = "; the registers are root's: run it as root";
    } else if (error == EACCES || error == EPERM) {
        help = "; the kernel forbids even root: see /sys/kernel/security/lockdown "
               "and Secure Boot, or run it outside of a container";
    } else if (error == EINVAL || error == EBUSY) {
        help = "; a driver has the registers for itself: unbind it first";
    }
    fail("%s: cannot %s: %s%s", path, doing, strerror(error), help);
}

/* The kernel takes a mapping back when its device goes. */
static void gone(int number)
{
    static const char line[] = "vgpu-stub-info: the device went away while it "
                               "was read; rescan with: echo 1 >/sys/bus/pci/rescan\n";

    (void)number;
    (void)!write(STDERR_FILENO, line, sizeof(line) - 1);
    _exit(1);
}

static void usage(FILE *to)
{
    fputs("usage: vgpu-stub-info [--json] [--enable] [--command VALUE] "
          "[--id VENDOR:DEVICE]\n"
          "\n"
          "  --json              print one JSON array\n"
          "  --enable            turn memory decoding on where no driver did\n"
          "  --command VALUE     write the command register first\n"
          "  --id VENDOR:DEVICE  look for this id instead of 1af4:1111\n", to);
}

/* A file of a device in sysfs; whoever gets it opens or writes it at once. */
static const char *file_of(const char *address, const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), DEVICES "/%s/%s", address, name);
    return path;
}

/* An id, which sysfs writes as 0x1af4; none of a device that has gone. */
static unsigned long number(const char *address, const char *name)
{
    const char *path = file_of(address, name);
    unsigned long value;
    char text[32];
    FILE *file = fopen(path, "r");

    if (!file && errno == ENOENT) {
        return ULONG_MAX;
    }
    if (!file || !fgets(text, sizeof(text), file)) {
        refused(path, "read it", errno ? errno : ENODEV);
    }
    value = strtoul(text, NULL, 16);
    fclose(file);
    return value;
}

/*
 * Whether firmware, a driver or --enable let the device answer: bit 1 of the
 * PCI command register.  Without it every read would give ones.
 */
static bool decodes(const char *address)
{
    const char *path = file_of(address, "config");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t command;

    errno = 0;
    if (fd < 0 || pread(fd, &command, 1, 4) != 1) {
        refused(path, "read it", errno ? errno : ENODEV);
    }
    close(fd);
    return command & 2;
}

static void enable(const char *address)
{
    const char *path = file_of(address, "enable");
    FILE *file = fopen(path, "w");

    if (!file || fputs("1\n", file) < 0 || fclose(file) != 0) {
        refused(path, "turn memory decoding on", errno);
    }
}

static volatile uint32_t *map(const char *address, bool writable)
{
    const char *path = file_of(address, "resource0");
    int protection = PROT_READ | (writable ? PROT_WRITE : 0);
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
    struct stat status;
    void *mapped;

    if (fd < 0 || fstat(fd, &status) < 0) {
        refused(path, "open it", errno);
    }
    if (status.st_size != BAR_SIZE) {
        fail("%s: %jd bytes are no vgpu-stub's", path,
             (intmax_t)status.st_size);
    }
    mapped = mmap(NULL, BAR_SIZE, protection, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        refused(path, "map it", errno);
    }
    close(fd);
    return mapped;
}

static void print_text(FILE *to, const char *address, const uint32_t *value)
{
    static const char *const priorities[] = { "low", "medium", "high" };
    const char *priority = value[PRIORITY] < 3 ? priorities[value[PRIORITY]]
                                               : "unknown";

    fprintf(to, "%s\n", address);
    fprintf(to, "  0x000 command   0x%08" PRIx32 "\n", value[COMMAND]);
    fprintf(to, "  0x004 status    0x%08" PRIx32 "  %s\n", value[STATUS],
            value[STATUS] ? "a command was written" : "no command since reset");
    fprintf(to, "  0x008 pool      0x%08" PRIx32 "  %c\n", value[POOL],
            value[POOL] > ' ' && value[POOL] <= '~' ? (char)value[POOL] : '?');
    fprintf(to, "  0x00c priority  0x%08" PRIx32 "  %s\n", value[PRIORITY],
            priority);
    fprintf(to, "  0x010 vm id     0x%08" PRIx32 "  %" PRIu32 "\n",
            value[VM_ID], value[VM_ID]);
}

/* Numbers alone: what they mean is in the contract, not in this program. */
static void print_json(FILE *to, const char *address, const uint32_t *value)
{
    fprintf(to, "{\"address\":\"%s\",\"command\":%" PRIu32 ",\"status\":%" PRIu32
            ",\"pool\":%" PRIu32 ",\"priority\":%" PRIu32 ",\"vm_id\":%" PRIu32
            "}", address, value[COMMAND], value[STATUS], value[POOL],
            value[PRIORITY], value[VM_ID]);
}

static void show(FILE *to, const char *address, const struct options *options)
{
    volatile uint32_t *bar;
    uint32_t value[NUM_REGISTERS];
    unsigned i;

    if (options->enable) {
        enable(address);
    } else if (!decodes(address)) {
        fail("%s: memory decoding is off; try --enable", address);
    }
    bar = map(address, options->write);
    if (options->write) {
        bar[COMMAND] = options->command;
    }
    /* The device takes aligned 32-bit accesses, and no others. */
    for (i = 0; i < NUM_REGISTERS; i++) {
        value[i] = bar[i];
    }
    munmap((void *)bar, BAR_SIZE);
    /* Where there is no device, all that is read is ones. */
    if (number(address, "device") != options->device ||
        value[STATUS] == UINT32_MAX) {
        refused(address, "read it", ENODEV);
    }
    (options->json ? print_json : print_text)(to, address, value);
}

static int is_address(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static unsigned long parse(const char *text, char end, char **rest, int base)
{
    unsigned long value;

    errno = 0;
    value = strtoul(text, rest, base);
    if (errno || *rest == text || **rest != end || strchr(text, '-') ||
        value > UINT32_MAX) {
        fail("`%s` is not a number that fits", text);
    }
    return value;
}

static struct options options_of(int argc, char **argv)
{
    static const struct option known[] = {
        { "json", no_argument, NULL, 'j' },
        { "enable", no_argument, NULL, 'e' },
        { "command", required_argument, NULL, 'c' },
        { "id", required_argument, NULL, 'i' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct options options = { .vendor = 0x1af4, .device = 0x1111 };
    char *rest;
    int found;

    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'j':
            options.json = true;
            break;
        case 'e':
            options.enable = true;
            break;
        case 'c':
            options.write = true;
            options.command = parse(optarg, '\0', &rest, 0);
            break;
        case 'i':
            options.vendor = parse(optarg, ':', &rest, 16);
            options.device = parse(rest + 1, '\0', &rest, 16);
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        usage(stderr);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    struct dirent **entries;
    const char *separator = "";
    int i, count, shown = 0;
    char *text = NULL;
    size_t length = 0;
    FILE *answer = open_memstream(&text, &length);

    signal(SIGBUS, gone);
    signal(SIGSEGV, gone);
    count = scandir(DEVICES, &entries, is_address, alphasort);
    if (count < 0 || !answer) {
        fail("%s: %s%s", DEVICES, strerror(errno),
             errno == ENOENT ? "; is sysfs mounted?" : "");
    }
    for (i = 0; i < count; i++) {
        const char *address = entries[i]->d_name;

        if (number(address, "vendor") == options.vendor &&
            number(address, "device") == options.device) {
            if (options.json) {
                fputs(separator, answer);
                separator = ",";
            }
            show(answer, address, &options);
            shown++;
        }
        free(entries[i]);
    }
    free(entries);
    if (!shown) {
        fail("no device %04x:%04x", options.vendor, options.device);
    }
    /* All of it, or nothing. */
    if (fclose(answer) != 0 ||
        printf(options.json ? "[%s]\n" : "%s", text) < 0 ||
        fflush(stdout) != 0) {
        fail("standard output: %s", strerror(errno));
    }
    free(text);
    return 0;
}
