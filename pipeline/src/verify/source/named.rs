// SPDX-License-Identifier: GPL-2.0-or-later
//! What the source package is called: it is signed and published under that name, and a repository of sources
//! takes the newest of a name, whoever made it.

use super::super::packages::Judged;
use crate::config::Verify;
use crate::error::Help;
use crate::rules::{InspectedPackage, Level, NEVRA, version_order};
use anyhow::{Context, Result, anyhow, ensure};
use rpm_inspect::Nevra;

/// Refuses a source package that has a name or a version of its own: one of its packages has both too, and
/// with stock it is stock's, within the order of the rule `nevra`.
pub fn require_name(facts: &InspectedPackage, judged: &Judged, verify: &Verify) -> Result<()> {
    let id = &facts.id;
    let Some(main) = judged.built.iter().find(|built| built.id.name == id.name) else {
        return Err(anyhow!("{id} is a source package of that name, and no package that was built of it is called `{}`", id.name).help("the spec's `Name` has to be that of a package with a `%files` of its own"));
    };
    ensure!(
        Nevra { arch: id.arch.clone(), ..main.id.clone() } == *id,
        anyhow!(
            "{id} is a source package of that version, and the package of its name is {}",
            main.nevra
        )
        .help("something in the spec gives the source package another epoch, version or release")
    );
    let Some(stock) = stock(id, judged.stock)? else { return Ok(()) };
    let wrong = version_order::between(&stock, id);
    let required = verify.rules.get(&NEVRA).is_none_or(|level| *level == Level::Require);
    match wrong.first() {
        // A name is no matter of order.
        Some(what) if required || stock.name != id.name => {
            Err(anyhow!("{id}, the source package: {what}")
                .help("it has to be the stock source package's next, as its packages are stock's"))
        }
        _ => Ok(()),
    }
}

/// The source package of stock, by what its packages say of it. Its epoch, which no file name has, is theirs.
fn stock(id: &Nevra, packages: &[InspectedPackage]) -> Result<Option<Nevra>> {
    let same = packages.iter().find(|stock| stock.id.name == id.name);
    let Some(package) = same.or(packages.first()) else { return Ok(None) };
    let file = package.source_package.as_deref().unwrap_or_default();
    let read = |file: &str| file.strip_suffix(".rpm").and_then(|name| name.parse::<Nevra>().ok());
    let named = read(file).with_context(|| {
        let shown = file.escape_debug();
        format!("the stock package {} says that its source is `{shown}`", package.nevra)
    })?;
    Ok(Some(Nevra { epoch: package.id.epoch, ..named }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample;

    fn of(name: &str) -> InspectedPackage {
        let (nevra, arch) = name.rsplit_once('.').unwrap();
        let mut facts = sample::package("a", if arch == "src" { "noarch" } else { arch });
        facts.package.id = name.parse().unwrap();
        facts.package.nevra = name.to_owned();
        facts.package.source = arch == "src";
        let id = facts.id.clone();
        assert!(nevra.contains(&id.name));
        facts.package.source_package =
            (arch != "src").then(|| format!("{}-{}-{}.src.rpm", id.name, id.version, id.release));
        facts
    }

    fn held(source: &str, built: &[&str], stock: &[&str], verify: &Verify) -> String {
        let all = |names: &[&str]| names.iter().map(|name| of(name)).collect::<Vec<_>>();
        let (built, stock) = (all(built), all(stock));
        let judged = Judged { built: &built, carried: &[], sources: &[], stock: &stock };
        match require_name(&of(source), &judged, verify) {
            Ok(()) => String::new(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_source_package_is_called_as_its_package_is() {
        let verify = Verify::default();
        let refusal_of = |source, built: &[&str]| held(source, built, &[], &verify);
        let built = ["qemu-tools-2:4.2-1.x86_64", "qemu-2:4.2-1.x86_64"];
        assert_eq!(refusal_of("qemu-2:4.2-1.src", &built), "");
        for other in ["glibc-7:99-1.src", "qemu-dm-2:4.2-1.src", "qem-2:4.2-1.src"] {
            let said = refusal_of(other, &built);
            assert!(
                said.starts_with(&format!("{other} is a source package of that name, and no")),
                "{said}"
            );
        }
        for other in ["qemu-7:4.2-1.src", "qemu-4.2-1.src", "qemu-2:99-1.src", "qemu-2:4.2-2.src"] {
            let said = refusal_of(other, &built);
            let expected =
                "is a source package of that version, and the package of its name is qemu-2:4.2-1";
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn with_stock_it_is_the_stock_source_packages_next() {
        let mut verify = Verify::default();
        let stock = ["qemu-2:4.2-1.x86_64"];
        let refusal_of = |source: &str, verify: &Verify| {
            held(source, &[&source.replace(".src", ".x86_64")], &stock, verify)
        };
        assert_eq!(refusal_of("qemu-2:4.2-1.vgpu1.src", &verify), "");
        let other = refusal_of("glibc-2:4.2-1.vgpu1.src", &verify);
        assert!(other.contains("it is called `glibc`, and the stock package `qemu`"), "{other}");
        let next = refusal_of("qemu-2:4.2-2.src", &verify);
        assert!(next.contains("does not sort before"), "{next}");
        let epoch = refusal_of("qemu-7:4.2-1.vgpu1.src", &verify);
        assert!(epoch.contains("does not sort before"), "{epoch}");
        // Whoever has no order asked of the packages has none of their source; a name is another thing.
        verify.rules.insert(NEVRA, Level::Warn);
        assert_eq!(refusal_of("qemu-2:4.2-2.src", &verify), "");
        assert!(!refusal_of("glibc-2:4.2-1.vgpu1.src", &verify).is_empty());
    }
}
