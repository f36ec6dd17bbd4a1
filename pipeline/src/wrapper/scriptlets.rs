//! What rpm runs on a host when the package comes and goes.
//!
//! xenopsd reads its drop-ins at its start only, and where the file named there is gone it starts no
//! VM: so the drop-in goes first, then xenopsd is restarted, and the shim goes last, by rpm itself.
//! `$1` is how many versions of the package stay behind (rpm, docs/manual/scriptlet_expansion).

/// A restart of xenopsd leaves running VMs alone; without systemd or xenopsd there is nothing to do.
macro_rules! restart {
    () => {
        "systemctl try-restart xenopsd-xc.service >/dev/null 2>&1 || :\n"
    };
}

/// Refuses while VMs are set to use the device: they would start without it.
macro_rules! ask {
    () => {
        "[ \"$1\" = 0 ] || exit 0\n/usr/sbin/vgpu-stub removable || exit 1\n"
    };
}

const WRAPPER: &str = "/usr/lib64/xen/bin/qemu-wrapper";

pub const DROP_IN_POST: &str = concat!("[ \"$1\" = 1 ] || exit 0\n", restart!());

pub const DROP_IN_PREUN: &str =
    concat!(ask!(), "rm -f /etc/xenopsd.conf.d/vgpu-stub.conf\n", restart!());

/// Of xenopsd, which brings the vendor's wrapper: run after each installation of either package.
pub fn patch_trigger() -> String {
    format!(
        "[ -e {WRAPPER} ] || exit 0\n\
         /usr/sbin/vgpu-stub-patch {WRAPPER} || echo 'vgpu-stub-dom0: {WRAPPER} is not patched: \
         VMs start without the device; see `vgpu-stub doctor`' >&2\n"
    )
}

pub fn patch_preun() -> String {
    format!(
        "{}[ ! -e {WRAPPER} ] || /usr/sbin/vgpu-stub-patch --revert {WRAPPER} || exit 1\n",
        ask!()
    )
}
