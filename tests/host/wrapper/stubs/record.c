/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stub for the program that the shim or a wrapper becomes or starts: it writes down what it
 * was given, each piece with a NUL behind it, into the file of its own name below /run/record. Asked for
 * QEMU's devices, it answers with what /run/known-devices holds, where that is.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put(FILE *out, const char *kind, const char *text)
{
    fprintf(out, "%s %s", kind, text);
    fputc('\0', out);
}

static int devices(void)
{
    FILE *known = fopen("/run/known-devices", "r"), *asked = fopen("/run/asked", "a");
    int c;

    if (!known || !asked)
        return 1;
    fputc('.', asked);
    while ((c = getc(known)) != EOF)
        putchar(c);
    return fclose(asked) ? 2 : 0;
}

int main(int argc, char **argv, char **environ)
{
    char links[64][PATH_MAX] = { "" }, self[PATH_MAX] = "", path[PATH_MAX + 16], line[PATH_MAX + 16];

    if (argc == 3 && !strcmp(argv[1], "-device") && !strcmp(argv[2], "help"))
        return devices();
    for (int fd = 0; fd < 64; fd++) {
        snprintf(line, sizeof line, "/proc/self/fd/%d", fd);
        if (readlink(line, links[fd], PATH_MAX - 1) < 0)
            links[fd][0] = 0;
    }
    if (readlink("/proc/self/exe", self, PATH_MAX - 1) < 0)
        return 2;
    snprintf(path, sizeof path, "/run/record/%s", strrchr(self, '/') + 1);
    FILE *out = fopen(path, "w"), *status = fopen("/proc/self/status", "r");
    if (!out || !status)
        return 2;
    for (int i = 0; i < argc; i++)
        put(out, "argument", argv[i]);
    for (char **one = environ; *one; one++)
        put(out, "environment", *one);
    for (int fd = 0; fd < 64; fd++) {
        snprintf(line, sizeof line, "%d %s", fd, links[fd]);
        if (links[fd][0])
            put(out, "descriptor", line);
    }
    while (fgets(line, sizeof line, status))
        if (!strncmp(line, "SigIgn:", 7) || !strncmp(line, "SigBlk:", 7))
            put(out, "signals", line);
    return fclose(out) ? 2 : 7;
}
