// SPDX-License-Identifier: GPL-2.0-or-later
//! What rpm runs on a host when the packages come and go.
//!
//! xenopsd reads its drop-ins at its start only, and where the file named there is gone it starts no
//! VM: so the drop-in goes first, then xenopsd is restarted, and the shim goes last, by rpm itself.
//! Whatever keeps that order from being kept keeps the package. `$1` is how many versions of it there
//! will be.

/// A restart leaves running VMs alone, and does nothing where no xenopsd runs. In a chroot there is no
/// systemd to ask.
macro_rules! restart {
    ($otherwise:literal) => {
        concat!(
            "[ ! -d /run/systemd/system ] || systemctl try-restart xenopsd-xc.service || {\n",
            $otherwise,
            "}\n"
        )
    };
}

/// What an operator touches to have the package removed all the same; it counts once.
macro_rules! consent {
    () => {
        "/run/qemu-device-remove-anyway"
    };
}

/// Refuses the last removal while VMs are set to use the device: they would start without it.
macro_rules! ask {
    () => {
        concat!(
            "if [ -e ",
            consent!(),
            " ]; then\n\
             \x20   rm -f ",
            consent!(),
            "\n\
             elif ! /usr/sbin/qemu-device rollback --check >&2; then\n\
             \x20   echo 'this package stays; to remove it all the same: touch ",
            consent!(),
            "' >&2\n\
             \x20   exit 1\n\
             fi\n"
        )
    };
}

macro_rules! last {
    () => {
        "[ \"$1\" = 0 ] || exit 0\n"
    };
}

macro_rules! wrapper {
    () => {
        "wrapper=/usr/lib64/xen/bin/qemu-wrapper\n[ -e $wrapper ] || exit 0\n"
    };
}

/// Whether xapi is at something that a restart of xenopsd may break. What runs a plugin on this host is the
/// update itself, as Xen Orchestra makes it.
macro_rules! busy {
    () => {
        "xe task-list status=pending params=name-label 2>/dev/null |\n\
         \x20   grep name-label | grep -qv call_plugin"
    };
}

/// After a reinstallation, too, which is how a drop-in that was lost comes back. `doctor` finds a daemon that
/// has not read it.
pub const DROP_IN_POST: &str = concat!(
    "rm -f ",
    consent!(),
    "\nif ",
    busy!(),
    "; then\n\
     \x20   echo 'xapi is at a task, so xenopsd-xc is not restarted now; until it is, VMs start without their devices:' >&2\n\
     \x20   echo '    systemctl restart xenopsd-xc' >&2\n\
     \x20   exit 0\n\
     fi\n",
    restart!("    echo 'VMs start without their devices until xenopsd-xc is restarted' >&2\n")
);

/// On the package qemu: at each change of it, by whomever.
pub const NOTICE: &str = "/usr/sbin/qemu-device notice >/dev/null 2>&1 || :\n";

/// What was told goes with who told it.
macro_rules! withdraw {
    () => {
        "/usr/sbin/qemu-device notice --withdraw >/dev/null 2>&1 || :\n"
    };
}

/// An empty drop-in says nothing to xenopsd, and rpm, which removes it later, warns of a missing one.
pub const DROP_IN_PREUN: &str = concat!(
    last!(),
    "drop_in=/etc/xenopsd.conf.d/qemu-device.conf\n\
     for file in /etc/xenopsd.conf /etc/xenopsd.conf.d/*; do\n\
     \x20   [ \"$file\" != $drop_in ] || continue\n\
     \x20   grep -qs '^[^#]*/usr/libexec/qemu-device/' \"$file\" || continue\n\
     \x20   echo \"this package stays: $file points xenopsd at it too; remove the line there first\" >&2\n\
     \x20   exit 1\n\
     done\n",
    ask!(),
    "[ ! -e $drop_in ] || : >$drop_in\n",
    restart!(
        "    echo 'this package stays: xenopsd-xc, which uses it, cannot be restarted' >&2\n    exit 1\n"
    ),
    withdraw!()
);

pub const PATCH_POST: &str = concat!("rm -f ", consent!(), "\n");

/// On the package that brings the vendor's wrapper: runs after each installation of either.
pub const PATCH_TRIGGER: &str = concat!(
    wrapper!(),
    "/usr/sbin/qemu-device-patch $wrapper && exit 0\n\
     echo 'VMs start without their devices; see: qemu-device doctor' >&2\n"
);

/// Lines that stay in a wrapper do no harm to a VM without a setting, so they keep nobody from removing
/// the package.
pub const PATCH_PREUN: &str = concat!(
    last!(),
    ask!(),
    withdraw!(),
    wrapper!(),
    "/usr/sbin/qemu-device-patch --revert $wrapper ||\n\
     \x20   echo 'yum reinstall xenopsd brings the genuine qemu-wrapper back' >&2\n"
);

pub const ALL: [&str; 6] =
    [DROP_IN_POST, DROP_IN_PREUN, PATCH_POST, PATCH_TRIGGER, PATCH_PREUN, NOTICE];
