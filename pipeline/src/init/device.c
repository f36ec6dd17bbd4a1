/*
 * @NAME@: a device with one register, which reads what its property says
 *
 * One source for QEMU 4.2 and every later version. Its contract is @NAME@.yaml beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "migration/vmstate.h"

/* ==== QEMU versions: nothing below this block asks which one it is ======= */

#define @UPPER@_QEMU(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if @UPPER@_QEMU(8, 0)
#include "hw/pci/pci_device.h"
#else
#include "hw/pci/pci.h"
#endif

#if @UPPER@_QEMU(11, 0)
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif

/* Before 10.0 an empty element ends the list of properties; from then on it is const, and has none. */
#if @UPPER@_QEMU(10, 0)
#define @UPPER@_PROPERTY_CONST const
#define @UPPER@_PROPERTY_END 0
#else
#define @UPPER@_PROPERTY_CONST
#define @UPPER@_PROPERTY_END 1
#endif

#if @UPPER@_QEMU(5, 0)
#define @LOWER@_set_properties(dc, list) device_class_set_props(dc, list)
#else
#define @LOWER@_set_properties(dc, list) ((dc)->props = (list))
#endif

/* class_init's last argument gained a const without a new version number. */
typedef __typeof__(__builtin_choose_expr(
    __builtin_types_compatible_p(__typeof__(((TypeInfo *)0)->class_init),
                                 void (*)(ObjectClass *, const void *)),
    (const void *)0, (void *)0)) @CAMEL@ClassData;

/* ==== the device ========================================================= */

#define TYPE_@UPPER@ "@NAME@"
#define @UPPER@(obj) OBJECT_CHECK(@CAMEL@State, (obj), TYPE_@UPPER@)

/* Of the range that QEMU's docs/specs/pci-ids leaves to experiments: take one of your own. */
#define @UPPER@_VENDOR_ID 0x1af4
#define @UPPER@_DEVICE_ID 0x10f0
#define @UPPER@_CLASS 0xff00

#define @UPPER@_BAR_SIZE 0x1000

typedef struct @CAMEL@State {
    PCIDevice parent_obj;

    uint32_t value;
    MemoryRegion mmio;
} @CAMEL@State;

static uint64_t @LOWER@_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    @CAMEL@State *s = opaque;

    return addr == 0 ? s->value : 0;
}

static void @LOWER@_write(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                          uint64_t value G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    /* The register is read-only. */
}

static const MemoryRegionOps @LOWER@_ops = {
    .read = @LOWER@_read,
    .write = @LOWER@_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static void @LOWER@_realize(PCIDevice *pdev, Error **errp G_GNUC_UNUSED)
{
    @CAMEL@State *s = @UPPER@(pdev);

    memory_region_init_io(&s->mmio, OBJECT(s), &@LOWER@_ops, s, "@NAME@-mmio", @UPPER@_BAR_SIZE);
    pci_register_bar(pdev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
}

/* A guest that has read the register must find the same value after a migration. */
static const VMStateDescription @LOWER@_vmstate = {
    .name = TYPE_@UPPER@,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, @CAMEL@State),
        VMSTATE_UINT32_EQUAL(value, @CAMEL@State, "the property `value` differs"),
        VMSTATE_END_OF_LIST()
    }
};

static @UPPER@_PROPERTY_CONST Property @LOWER@_properties[1 + @UPPER@_PROPERTY_END] = {
    DEFINE_PROP_UINT32("value", @CAMEL@State, value, 1),
};

static void @LOWER@_class_init(ObjectClass *klass, @CAMEL@ClassData data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = @LOWER@_realize;
    pc->vendor_id = @UPPER@_VENDOR_ID;
    pc->device_id = @UPPER@_DEVICE_ID;
    pc->revision = 1;
    pc->class_id = @UPPER@_CLASS;

    dc->desc = "@NAME@";
    dc->vmsd = &@LOWER@_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    @LOWER@_set_properties(dc, @LOWER@_properties);
}

static const TypeInfo @LOWER@_info = {
    .name = TYPE_@UPPER@,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(@CAMEL@State),
    .class_init = @LOWER@_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void @LOWER@_register_types(void)
{
    type_register_static(&@LOWER@_info);
}

type_init(@LOWER@_register_types)
