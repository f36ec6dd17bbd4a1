/*
 * vgpu-stub: a stub of a virtual GPU for QEMU's PCI bus
 *
 * One source for QEMU 4.2 and every later version.  The registers and the
 * properties are described in device/README.md of the vgpu-pipeline project.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "migration/vmstate.h"

/* ==== identity: a pipeline sets these with `device.defines` ============== */

/* 1af4:1111 lies in Red Hat's range and is not assigned to this device. */
#ifndef VGPU_STUB_VENDOR_ID
#define VGPU_STUB_VENDOR_ID 0x1af4
#endif
#ifndef VGPU_STUB_DEVICE_ID
#define VGPU_STUB_DEVICE_ID 0x1111
#endif
#ifndef VGPU_STUB_REVISION
#define VGPU_STUB_REVISION 0x01
#endif
/* A processing accelerator: a display class would make firmware probe it. */
#ifndef VGPU_STUB_CLASS
#define VGPU_STUB_CLASS 0x1200
#endif

/* ==== QEMU versions: nothing below this block asks which one it is ======= */

#define VGPU_STUB_QEMU(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if VGPU_STUB_QEMU(8, 0)
#include "hw/pci/pci_device.h"
#else
#include "hw/pci/pci.h"
#endif

#if VGPU_STUB_QEMU(11, 0)
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif

/*
 * From 10.0 the list's length comes from the array, which has to be const;
 * before, an empty element ends the list.
 */
#if VGPU_STUB_QEMU(10, 0)
#define VGPU_STUB_PROPERTY_CONST const
#define VGPU_STUB_PROPERTY_END 0
#else
#define VGPU_STUB_PROPERTY_CONST
#define VGPU_STUB_PROPERTY_END 1
#endif

#if VGPU_STUB_QEMU(5, 0)
#define vgpu_stub_set_properties(dc, list) device_class_set_props(dc, list)
#else
#define vgpu_stub_set_properties(dc, list) ((dc)->props = (list))
#endif

#if VGPU_STUB_QEMU(9, 2)
#define vgpu_stub_set_reset(dc, fn) device_class_set_legacy_reset(dc, fn)
#else
#define vgpu_stub_set_reset(dc, fn) ((dc)->reset = (fn))
#endif

/*
 * class_init's last argument gained a const without a new version number, so
 * the type says which it is.  _Generic would be shorter; CentOS 7's compiler
 * does not know it.
 */
typedef __typeof__(__builtin_choose_expr(
    __builtin_types_compatible_p(__typeof__(((TypeInfo *)0)->class_init),
                                 void (*)(ObjectClass *, const void *)),
    (const void *)0, (void *)0)) VgpuStubClassData;

/* ==== the device ========================================================= */

#define TYPE_VGPU_STUB "vgpu-stub"
#define VGPU_STUB(obj) OBJECT_CHECK(VgpuStubState, (obj), TYPE_VGPU_STUB)

#define VGPU_STUB_BAR_SIZE 0x1000

/* The register at offset 4 * n, and the order in the migration stream. */
enum {
    VGPU_STUB_COMMAND,
    VGPU_STUB_STATUS,
    VGPU_STUB_POOL,
    VGPU_STUB_PRIORITY,
    VGPU_STUB_VM_ID,
    VGPU_STUB_NUM_REGS
};

typedef struct VgpuStubState {
    PCIDevice parent_obj;

    /* Properties.  qdev owns the strings: it frees them, we never do. */
    char *pool_id;
    char *priority;
    uint32_t vm_id;

    MemoryRegion mmio;
    uint32_t regs[VGPU_STUB_NUM_REGS];
} VgpuStubState;

static uint64_t vgpu_stub_read(void *opaque, hwaddr addr, unsigned size)
{
    VgpuStubState *s = opaque;

    if (addr / 4 < VGPU_STUB_NUM_REGS) {
        return s->regs[addr / 4];
    }

    qemu_log_mask(LOG_GUEST_ERROR,
                  "vgpu-stub: %u-byte read where no register is: 0x%03"
                  HWADDR_PRIx "\n", size, addr);
    return 0;
}

static void vgpu_stub_write(void *opaque, hwaddr addr, uint64_t value,
                            unsigned size)
{
    VgpuStubState *s = opaque;

    if (addr / 4 == VGPU_STUB_COMMAND) {
        s->regs[VGPU_STUB_COMMAND] = value;
        s->regs[VGPU_STUB_STATUS] = 1;
        return;
    }

    qemu_log_mask(LOG_GUEST_ERROR,
                  "vgpu-stub: %u-byte write to a read-only or unused offset: "
                  "0x%03" HWADDR_PRIx "\n", size, addr);
}

static bool vgpu_stub_accepts(void *opaque G_GNUC_UNUSED, hwaddr addr,
                              unsigned size, bool is_write,
                              MemTxAttrs attrs G_GNUC_UNUSED)
{
    if (size == 4 && addr % 4 == 0) {
        return true;
    }

    qemu_log_mask(LOG_GUEST_ERROR,
                  "vgpu-stub: %u-byte %s at 0x%03" HWADDR_PRIx
                  " ignored: only aligned 4-byte accesses are taken\n",
                  size, is_write ? "write" : "read", addr);
    return false;
}

/*
 * The limits look wider than what is taken, on purpose.  Before 5.1 the core
 * clamps an access to .valid before it asks, and every version splits one
 * that .impl calls misaligned: half of an 8-byte access would then pass for
 * a proper 4-byte one.  So all of them get through whole, to .accepts.
 */
static const MemoryRegionOps vgpu_stub_ops = {
    .read = vgpu_stub_read,
    .write = vgpu_stub_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
        .accepts = vgpu_stub_accepts,
    },
    .impl = {
        .min_access_size = 4,
        .max_access_size = 4,
        .unaligned = true,
    },
};

static bool vgpu_stub_pool(const char *name, uint32_t *code, Error **errp)
{
    /* "pool_id=" on a command line means the same as leaving it out. */
    if (!name || !*name) {
        name = "A";
    }
    if (strcmp(name, "A") != 0 && strcmp(name, "B") != 0) {
        error_setg(errp, "property 'pool_id' must be 'A' or 'B', not '%s'",
                   name);
        return false;
    }
    *code = name[0];
    return true;
}

static bool vgpu_stub_priority(const char *name, uint32_t *code, Error **errp)
{
    static const char *const names[] = { "low", "medium", "high" };
    unsigned i;

    if (!name || !*name) {
        name = "medium";
    }
    for (i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *code = i;
            return true;
        }
    }
    error_setg(errp, "property 'priority' must be 'low', 'medium' or 'high', "
               "not '%s'", name);
    return false;
}

static void vgpu_stub_realize(PCIDevice *pdev, Error **errp)
{
    VgpuStubState *s = VGPU_STUB(pdev);

    if (!vgpu_stub_pool(s->pool_id, &s->regs[VGPU_STUB_POOL], errp) ||
        !vgpu_stub_priority(s->priority, &s->regs[VGPU_STUB_PRIORITY], errp)) {
        return;
    }
    s->regs[VGPU_STUB_VM_ID] = s->vm_id;

    memory_region_init_io(&s->mmio, OBJECT(s), &vgpu_stub_ops, s,
                          "vgpu-stub-mmio", VGPU_STUB_BAR_SIZE);
    pci_register_bar(pdev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
}

static void vgpu_stub_reset(DeviceState *dev)
{
    VgpuStubState *s = VGPU_STUB(dev);

    s->regs[VGPU_STUB_COMMAND] = 0;
    s->regs[VGPU_STUB_STATUS] = 0;
}

/*
 * The stream carries the registers that mirror properties too: a guest that
 * has read its pool must not find another one after a migration.  The stream
 * is not trusted, so a refused load leaves nothing of it behind.
 */
static int vgpu_stub_post_load(void *opaque, int version_id G_GNUC_UNUSED)
{
    static const struct {
        unsigned reg;
        const char *property;
    } mirrors[] = {
        { VGPU_STUB_POOL, "pool_id" },
        { VGPU_STUB_PRIORITY, "priority" },
        { VGPU_STUB_VM_ID, "vm_id" },
    };
    VgpuStubState *s = opaque;
    uint32_t here[VGPU_STUB_NUM_REGS] = { 0 };
    int ret = 0;
    unsigned i;

    /* Realize has accepted these values, so they parse here as well. */
    vgpu_stub_pool(s->pool_id, &here[VGPU_STUB_POOL], &error_abort);
    vgpu_stub_priority(s->priority, &here[VGPU_STUB_PRIORITY], &error_abort);
    here[VGPU_STUB_VM_ID] = s->vm_id;

    for (i = 0; i < ARRAY_SIZE(mirrors); i++) {
        unsigned reg = mirrors[i].reg;

        if (s->regs[reg] != here[reg]) {
            error_report("vgpu-stub: property '%s' differs from the source's: "
                         "register 0x%03x is 0x%x there and 0x%x here",
                         mirrors[i].property, reg * 4, s->regs[reg],
                         here[reg]);
            ret = -EINVAL;
        }
    }
    if (s->regs[VGPU_STUB_STATUS] > 1) {
        error_report("vgpu-stub: the source's status register is 0x%x, "
                     "which is neither 0 nor 1", s->regs[VGPU_STUB_STATUS]);
        ret = -EINVAL;
    }
    if (ret < 0) {
        memcpy(s->regs, here, sizeof(here));
    }
    return ret;
}

static const VMStateDescription vgpu_stub_vmstate = {
    .name = TYPE_VGPU_STUB,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = vgpu_stub_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, VgpuStubState),
        VMSTATE_UINT32_ARRAY(regs, VgpuStubState, VGPU_STUB_NUM_REGS),
        VMSTATE_END_OF_LIST()
    }
};

static VGPU_STUB_PROPERTY_CONST Property
vgpu_stub_properties[3 + VGPU_STUB_PROPERTY_END] = {
    DEFINE_PROP_STRING("pool_id", VgpuStubState, pool_id),
    DEFINE_PROP_STRING("priority", VgpuStubState, priority),
    DEFINE_PROP_UINT32("vm_id", VgpuStubState, vm_id, 0),
};

static void vgpu_stub_class_init(ObjectClass *klass,
                                 VgpuStubClassData data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = vgpu_stub_realize;
    pc->vendor_id = VGPU_STUB_VENDOR_ID;
    pc->device_id = VGPU_STUB_DEVICE_ID;
    pc->revision = VGPU_STUB_REVISION;
    pc->class_id = VGPU_STUB_CLASS;

    dc->desc = "Virtual GPU stub device (processing accelerator)";
    dc->vmsd = &vgpu_stub_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    vgpu_stub_set_reset(dc, vgpu_stub_reset);
    vgpu_stub_set_properties(dc, vgpu_stub_properties);
}

static const TypeInfo vgpu_stub_info = {
    .name = TYPE_VGPU_STUB,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(VgpuStubState),
    .class_init = vgpu_stub_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void vgpu_stub_register_types(void)
{
    type_register_static(&vgpu_stub_info);
}

type_init(vgpu_stub_register_types)
