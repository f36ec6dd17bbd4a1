// SPDX-License-Identifier: GPL-2.0-or-later
//! The order of versions: ours after the stock package, and before every one that may come next.
//!
//! By rpm's own comparison.

use rpm_inspect::Nevra;
use std::cmp::Ordering;

/// What is wrong with a package of a build whose source package is another epoch's: an epoch overtakes
/// every version, and no stock package is there to say that it should.
pub fn apart(source: &Nevra, ours: &Nevra) -> Option<String> {
    (source.epoch != ours.epoch).then(|| {
        format!("its epoch is {}, and that of its source package {}", ours.epoch, source.epoch)
    })
}

/// What is wrong with a package whose release is not marked as ours: a subpackage with a `Release` of its
/// own would be the vendor's to whoever sees its name.
pub fn unmarked(suffix: &str, ours: &Nevra) -> Option<String> {
    let release = &ours.release;
    (!release.ends_with(suffix)).then(|| {
        format!(
            "its release `{release}` does not end in `{suffix}`: a tag of its own makes it, perhaps"
        )
    })
}

/// What is wrong with our name, between the stock package's and those of its next ones.
///
/// A vendor's next package has a higher number somewhere: of each number in the stock's epoch, version
/// and release the one above is tried.
pub fn between(stock: &Nevra, ours: &Nevra) -> Vec<String> {
    if stock.name != ours.name {
        return vec![format!(
            "it is called `{}`, and the stock package `{}`",
            ours.name, stock.name
        )];
    }
    let mut wrong = Vec::new();
    if ours.evr().cmp(&stock.evr()) != Ordering::Greater {
        wrong.push(format!("`{ours}` does not sort after the stock `{stock}`"));
    }
    for next in successors(stock) {
        if ours.evr().cmp(&next.evr()) != Ordering::Less {
            wrong.push(format!("`{ours}` does not sort before `{next}`, which may come next"));
        }
    }
    wrong
}

/// Every package with one number that is higher by one, and one with a number more at the end.
fn successors(stock: &Nevra) -> Vec<Nevra> {
    let with = |version: String, release: String| Nevra { version, release, ..stock.clone() };
    let mut all: Vec<Nevra> = incremented(&stock.release)
        .into_iter()
        .chain([format!("{}.1", stock.release)])
        .map(|release| with(stock.version.clone(), release))
        .collect();
    all.extend(
        incremented(&stock.version)
            .into_iter()
            .chain([format!("{}.1", stock.version)])
            .map(|version| with(version, stock.release.clone())),
    );
    all.extend(stock.epoch.checked_add(1).map(|epoch| Nevra { epoch, ..stock.clone() }));
    all
}

/// A text with each of its numbers in turn higher by one.
fn incremented(text: &str) -> Vec<String> {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let ends = (1..=text.len()).filter(|end| digit(end - 1) && !digit(*end));
    ends.map(|end| {
        let (before, after) = text.split_at(end);
        let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (head, number) = before.split_at(start);
        format!("{head}{}{after}", successor(number))
    })
    .collect()
}

/// A decimal number of any length, plus one.
fn successor(number: &str) -> String {
    let nines = number.len() - number.trim_end_matches('9').len();
    let (head, _) = number.split_at(number.len() - nines);
    let mut digits = head.to_owned();
    let last = digits.pop().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
    format!("{digits}{}{}", last + 1, "0".repeat(nines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nevra(epoch: u32, version: &str, release: &str) -> Nevra {
        Nevra::new("qemu", epoch, version, release, "x86_64").unwrap()
    }

    #[test]
    fn a_suffix_behind_the_dist_tag_is_between_and_none_before_it_is() {
        let stock = nevra(2, "4.2.1", "5.2.15.2.xcpng8.3");
        let none: [String; 0] = [];
        assert_eq!(between(&stock, &nevra(2, "4.2.1", "5.2.15.2.xcpng8.3.vgpu1")), none);
        assert_eq!(between(&stock, &nevra(2, "4.2.1", "5.2.15.2.xcpng8.3.vgpu99")), none);
        assert_eq!(
            between(&stock, &nevra(2, "4.2.1", "5.2.15.2.vgpu1.xcpng8.3")),
            ["`qemu-2:4.2.1-5.2.15.2.vgpu1.xcpng8.3.x86_64` does not sort after the stock \
              `qemu-2:4.2.1-5.2.15.2.xcpng8.3.x86_64`"]
        );
        assert_eq!(between(&stock, &stock).len(), 1);
    }

    #[test]
    fn what_would_hide_the_vendors_next_package_is_named_with_it() {
        let stock = nevra(2, "4.2.1", "5.2.15.2.xcpng8.3");
        let wrong = between(&stock, &nevra(2, "4.2.1", "5.2.15.3.xcpng8.3"));
        let next =
            ["5.2.15.3.xcpng8.3", "5.2.15.2.xcpng9.3", "5.2.15.2.xcpng8.4", "5.2.15.2.xcpng8.3.1"];
        let expected = next.map(|release| {
            format!(
                "`qemu-2:4.2.1-5.2.15.3.xcpng8.3.x86_64` does not sort before \
                 `qemu-2:4.2.1-{release}.x86_64`, which may come next"
            )
        });
        assert_eq!(wrong, expected);
        assert!(!between(&stock, &nevra(3, "1", "1")).is_empty());
        assert!(!between(&stock, &nevra(2, "4.2.1.5", "1")).is_empty());
        let other = Nevra::new("qemu-kvm", 2, "4.2.1", "6", "x86_64").unwrap();
        assert_eq!(
            between(&stock, &other),
            ["it is called `qemu-kvm`, and the stock package `qemu`"]
        );
    }

    #[test]
    fn every_number_is_raised_once() {
        assert_eq!(
            incremented("5.2.9.xcpng8"),
            ["6.2.9.xcpng8", "5.3.9.xcpng8", "5.2.10.xcpng8", "5.2.9.xcpng9"]
        );
        assert_eq!(successor("99"), "100");
        assert_eq!(successor("129"), "130");
        assert_eq!(successor("18446744073709551615"), "18446744073709551616");
    }
}
