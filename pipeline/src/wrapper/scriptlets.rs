//! What rpm runs on a host when the package comes and goes.
//!
//! xenopsd reads its drop-ins at its start only, and where the file named there is gone it starts no
//! VM: so the drop-in goes first, then xenopsd is restarted, and the shim goes last, by rpm itself.
//! `$1` is how many versions of the package there will be.

/// A restart leaves running VMs alone; without systemd or xenopsd there is nothing to do.
macro_rules! restart {
    () => {
        "systemctl try-restart xenopsd-xc.service >/dev/null 2>&1 || :\n"
    };
}

/// Refuses the last removal while VMs are set to use the device: they would start without it.
macro_rules! ask {
    () => {
        "[ \"$1\" = 0 ] || exit 0\n\
         anyway=/run/vgpu-stub-remove-anyway\n\
         if [ -e $anyway ]; then\n\
         \x20   rm -f $anyway\n\
         elif ! /usr/sbin/vgpu-stub rollback --check >&2; then\n\
         \x20   echo \"vgpu-stub-dom0 stays; to remove it all the same: touch $anyway\" >&2\n\
         \x20   exit 1\n\
         fi\n"
    };
}

macro_rules! wrapper {
    () => {
        "wrapper=/usr/lib64/xen/bin/qemu-wrapper\n[ -e $wrapper ] || exit 0\n"
    };
}

pub const DROP_IN_POST: &str = concat!("[ \"$1\" = 1 ] || exit 0\n", restart!());

/// An empty drop-in says nothing to xenopsd, and rpm, which removes it later, warns of a missing one.
/// `vgpu-stub rollback` has taken it away already, and restarted xenopsd.
pub const DROP_IN_PREUN: &str = concat!(
    ask!(),
    "drop_in=/etc/xenopsd.conf.d/vgpu-stub.conf\n\
     [ -e $drop_in ] || exit 0\n\
     : >$drop_in\n",
    restart!()
);

/// On the package that brings the vendor's wrapper: runs after each installation of either.
pub const PATCH_TRIGGER: &str = concat!(
    wrapper!(),
    "/usr/sbin/vgpu-stub-patch $wrapper && exit 0\n\
     echo \"vgpu-stub-dom0: VMs start without the device; see: vgpu-stub doctor\" >&2\n"
);

pub const PATCH_PREUN: &str = concat!(
    ask!(),
    wrapper!(),
    // Without the package its lines do no harm, so they keep nobody from removing it.
    "/usr/sbin/vgpu-stub-patch --revert $wrapper || :\n"
);
