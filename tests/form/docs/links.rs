// SPDX-License-Identifier: GPL-2.0-or-later
//! Links of the documents: relative ones lead to a file or folder of the tree, anchors to a heading;
//! those to elsewhere are looked at for their form alone. And what is named in backticks as a path is one.

use crate::form::tidy::{self, File};
use crate::support::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Folders at the top, of which a path in backticks is seen to be one.
const FOLDERS: [&str; 6] =
    ["containers/", "device/", "pipeline/", "tests/", "wrapper/", ".github/"];

fn pages() -> Vec<File> {
    tidy::files().unwrap().into_iter().filter(|file| file.is("md")).collect()
}

/// A page without blocks of code, with empty lines in their place.
fn prose(text: &str) -> Vec<&str> {
    let mut code = false;
    text.lines()
        .map(|line| {
            let fence = line.trim_start().starts_with("```");
            code ^= fence;
            if code || fence { "" } else { line }
        })
        .collect()
}

/// A line's parts outside of backticks, and those within.
fn split(line: &str) -> (String, Vec<&str>) {
    let parts: Vec<&str> = line.split('`').collect();
    let outside = parts.iter().step_by(2).copied().collect::<Vec<_>>().join("`");
    (outside, parts.into_iter().skip(1).step_by(2).collect())
}

/// Where the links of a line lead.
fn targets(line: &str) -> Vec<String> {
    let (outside, _) = split(line);
    let ends = outside.split("](").skip(1);
    ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeMap::<String, usize>::new();
    let mut anchors = BTreeSet::new();
    for line in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let times = found.entry(slug.clone()).or_default();
        anchors.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

/// What is wrong with a link of a page.
fn fault(page: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        let host = target.strip_prefix("https://")?.split('/').next().unwrap_or_default();
        let good = host.contains('.') && !target.contains(char::is_whitespace);
        return (!good).then(|| "no address".to_owned());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(&page.path).parent().unwrap();
    let path = if path.is_empty() { PathBuf::from(&page.path) } else { plain(&folder.join(path))? };
    let file = root().join(&path);
    if !file.exists() {
        return Some(format!("there is no {}", path.display()));
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let known = anchor.is_empty() || anchors(&text).contains(anchor);
    (!known).then(|| format!("{} has no heading #{anchor}", path.display()))
}

/// A path without `..`; nothing where it leaves the tree.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

#[test]
fn every_link_leads_somewhere() {
    if super::writing() {
        return;
    }
    let mut faults = Vec::new();
    let mut links = 0;
    for page in pages() {
        for (line, text) in prose(&page.text).into_iter().enumerate() {
            for target in targets(text) {
                links += 1;
                let fault = fault(&page, &target);
                faults.extend(
                    fault.map(|fault| format!("{}:{}: {target}: {fault}", page.path, line + 1)),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(links > 50, "{links} links were found");
}

#[test]
fn every_path_that_is_named_is_there() {
    // What the changelog names may be gone; what an operator reads of a host is not ours.
    let pages = pages().into_iter().filter(|page| page.path != "CHANGELOG.md");
    let mut faults = Vec::new();
    for page in pages {
        for (line, text) in prose(&page.text).into_iter().enumerate() {
            for word in split(text).1.into_iter().filter_map(|code| code.split_whitespace().next())
            {
                let path = word.split("::").next().unwrap().trim_end_matches('/');
                let ours = FOLDERS.iter().any(|folder| word.starts_with(folder));
                let exact = !path.contains(|c: char| "<*…".contains(c) || c.is_ascii_uppercase());
                // The first device is the reader's own.
                let known = root().join(path).exists() || path.contains("/my-device.");
                if ours
                    && (exact || Path::new(path).extension().is_some_and(|kind| kind == "md"))
                    && !known
                {
                    faults.push(format!("{}:{}: there is no `{path}`", page.path, line + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_look_for_links_sees() {
    let page = |text: &str| File { path: "device/README.md".into(), text: text.into() };
    let one = page("# One `two`: three\n\n```\n# four\n```\n## One\n## One\n");
    let found = anchors(&one.text);
    assert_eq!(found, ["one", "one-1", "one-two-three"].map(str::to_owned).into());
    assert_eq!(targets("[a](b) `[c](d)` [e](f#g)"), ["b", "f#g"]);
    for (target, good) in [
        ("../README.md", true),
        ("../README.md#two-commands", true),
        ("../README.md#three-commands", false),
        ("vgpu-stub.c", true),
        ("vgpu-stub.h", false),
        ("../wrapper", true),
        ("https://www.qemu.org/docs", true),
        ("https://nowhere/", false),
    ] {
        assert_eq!(fault(&one, target).is_none(), good, "{target}");
    }
}
