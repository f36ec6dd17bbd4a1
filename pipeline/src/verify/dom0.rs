//! What goes into a dom0 beside QEMU: the package fits every dom0, and what was patched comes back.

use super::target;
use crate::cmd::Runner;
use crate::config::{Integration, Target, Wrapper};
use crate::sandbox::Image;
use crate::store::{Store, sha256};
use crate::wrapper::{Bench, Wrapped};
use anyhow::{Context, Result, bail};
use rpm::PackageMetadata;
use std::path::Path;

/// Where the package may have files; what is named after us is ours.
const OURS: [&str; 4] = [
    "/etc/vgpu-stub",
    "/etc/xenopsd.conf.d/vgpu-stub.conf",
    "/usr/lib/vgpu-stub",
    "/usr/libexec/vgpu-stub",
];

/// Refuses a package that would not do, and a patch that does not come off byte for byte.
pub fn check(
    wrapped: &Wrapped,
    wrapper: &Wrapper,
    image: &Image,
    store: &Store,
    cmd: &Runner,
) -> Result<()> {
    let package = PackageMetadata::open(wrapped.package()?)?;
    target::check(&package, Target::El7)?;
    files(&package, wrapper.integration)?;

    let work = store.work()?;
    let bench = Bench::lay_out(&work.scratch("wrapper")?, &work.scratch("bench")?)?;
    let [patched, _] = wrapped.files();
    bench.put(&patched)?;
    bench.patcher(&["--check"], wrapper.python, image, cmd)?;
    bench.patcher(&["--revert"], wrapper.python, image, cmd)?;
    let reverted = work.scratch("reverted")?.join("qemu-wrapper");
    bench.take(&reverted)?;
    if sha256(&reverted)? != wrapper.shipped().as_str() {
        bail!("the patched qemu-wrapper does not revert to the vendor's");
    }
    Ok(())
}

fn files(package: &PackageMetadata, integration: Integration) -> Result<()> {
    let mut drop_in = false;
    for entry in package.get_file_entries()? {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = OURS.iter().any(|place| path.starts_with(place))
            || path.starts_with("/usr/sbin") && name.starts_with("vgpu-stub")
            || path.starts_with("/usr/share/doc/vgpu-stub-dom0");
        if !ours {
            bail!("the package for dom0 has `{}`, which is not its own", path.display());
        }
        if entry.permissions() & 0o7022 != 0 || entry.user() != "root" || entry.group() != "root" {
            bail!("`{}` of the package for dom0 is not root's alone to change", path.display());
        }
        drop_in |= path == Path::new(OURS[1]);
    }
    if drop_in != (integration == Integration::DropIn) {
        bail!("the package for dom0 does not fit `wrapper.integration`");
    }
    let name = package.get_name().context("the package's name")?;
    if package.get_arch()? != "noarch" || name != "vgpu-stub-dom0" {
        bail!("the package for dom0 is `{name}` and not `vgpu-stub-dom0` for every machine");
    }
    Ok(())
}
