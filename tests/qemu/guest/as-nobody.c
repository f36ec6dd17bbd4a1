/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program as somebody who is not root, in a test's guest, which has no users. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2 || setgid(65534) || setuid(65534)) {
        return 125;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 126;
}
