/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stub for the hypervisor, preloaded into a real xenstored or oxenstored: the few calls that
 * each makes when it starts find one domain, dom0, and event channels on which nothing ever comes.
 * Everything behind the daemon's socket is the daemon's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int handle;

void *xc_interface_open(void *l, void *d, unsigned f) { return &handle; }
int xc_interface_close(void *h) { return 0; }
int xc_domain_getinfo(void *h, uint32_t first, unsigned count, void *info) { errno = ESRCH; return -1; }
int xc_domain_getinfolist(void *h, uint32_t first, unsigned count, void *info) { return 0; }

void *xenevtchn_open(void *logger, unsigned flags) { return &handle; }
void *xenevtchn_fdopen(void *logger, int fd, unsigned flags) { return &handle; }
int xenevtchn_close(void *h) { return 0; }
int xenevtchn_fd(void *h) { static int fd; return fd ? fd : (fd = eventfd(0, EFD_CLOEXEC)); }
int xenevtchn_bind_interdomain(void *h, uint32_t domid, uint32_t port) { return 1; }
int xenevtchn_bind_virq(void *h, unsigned virq) { return 2; }
int xenevtchn_unbind(void *h, uint32_t port) { return 0; }
int xenevtchn_unmask(void *h, uint32_t port) { return 0; }
int xenevtchn_notify(void *h, uint32_t port) { return 0; }
int xenevtchn_pending(void *h) { errno = EAGAIN; return -1; }

void *xengnttab_open(void *logger, unsigned flags) { return &handle; }
int xengnttab_close(void *h) { return 0; }
int xengnttab_set_max_grants(void *h, uint32_t count) { return 0; }

/* dom0's event channel and its ring, which Linux on Xen offers as files. */
static int offered(const char *path)
{
    if (strcmp(path, "/proc/xen/xsd_port") && strcmp(path, "/proc/xen/xsd_kva"))
        return -1;
    int fd = memfd_create("stub", MFD_CLOEXEC);
    if (write(fd, "1", 1) != 1 || ftruncate(fd, strstr(path, "port") ? 1 : 4096))
        return -1;
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int opened(const char *name, const char *path, int flags, int mode)
{
    int (*open_)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
    int fd = offered(path);
    return fd < 0 ? open_(path, flags, mode) : fd;
}

int open(const char *path, int flags, ...) { return opened("open", path, flags, 0666); }
int open64(const char *path, int flags, ...) { return opened("open64", path, flags, 0666); }

/* oxenstored asks for more descriptors than a container may have. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return 0; }
