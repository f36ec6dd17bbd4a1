// SPDX-License-Identifier: GPL-2.0-or-later
//! Dependencies, scriptlets, triggers and changes out of a header, written as rpm writes them.

use crate::HeaderStructure;
use crate::error::{Result, ensure};
use crate::package::{ChangelogEntry, Scriptlet, Trigger, TriggerKind};
use rpm::IndexTag as Tag;
use std::borrow::Cow;

/// The tags of one kind of dependency: name, flags, version.
type Tags = [Tag; 3];

pub const PROVIDES: Tags =
    [Tag::RPMTAG_PROVIDENAME, Tag::RPMTAG_PROVIDEFLAGS, Tag::RPMTAG_PROVIDEVERSION];
pub const REQUIRES: Tags =
    [Tag::RPMTAG_REQUIRENAME, Tag::RPMTAG_REQUIREFLAGS, Tag::RPMTAG_REQUIREVERSION];
pub const CONFLICTS: Tags =
    [Tag::RPMTAG_CONFLICTNAME, Tag::RPMTAG_CONFLICTFLAGS, Tag::RPMTAG_CONFLICTVERSION];
pub const OBSOLETES: Tags =
    [Tag::RPMTAG_OBSOLETENAME, Tag::RPMTAG_OBSOLETEFLAGS, Tag::RPMTAG_OBSOLETEVERSION];
const WEAK: [(&str, Tags); 4] = [
    (
        "recommends",
        [Tag::RPMTAG_RECOMMENDNAME, Tag::RPMTAG_RECOMMENDFLAGS, Tag::RPMTAG_RECOMMENDVERSION],
    ),
    ("suggests", [Tag::RPMTAG_SUGGESTNAME, Tag::RPMTAG_SUGGESTFLAGS, Tag::RPMTAG_SUGGESTVERSION]),
    (
        "supplements",
        [Tag::RPMTAG_SUPPLEMENTNAME, Tag::RPMTAG_SUPPLEMENTFLAGS, Tag::RPMTAG_SUPPLEMENTVERSION],
    ),
    ("enhances", [Tag::RPMTAG_ENHANCENAME, Tag::RPMTAG_ENHANCEFLAGS, Tag::RPMTAG_ENHANCEVERSION]),
];

const SCRIPTLETS: [(&str, Tag, Tag); 9] = [
    ("pre", Tag::RPMTAG_PREIN, Tag::RPMTAG_PREINPROG),
    ("post", Tag::RPMTAG_POSTIN, Tag::RPMTAG_POSTINPROG),
    ("preun", Tag::RPMTAG_PREUN, Tag::RPMTAG_PREUNPROG),
    ("postun", Tag::RPMTAG_POSTUN, Tag::RPMTAG_POSTUNPROG),
    ("pretrans", Tag::RPMTAG_PRETRANS, Tag::RPMTAG_PRETRANSPROG),
    ("posttrans", Tag::RPMTAG_POSTTRANS, Tag::RPMTAG_POSTTRANSPROG),
    ("preuntrans", Tag::RPMTAG_PREUNTRANS, Tag::RPMTAG_PREUNTRANSPROG),
    ("postuntrans", Tag::RPMTAG_POSTUNTRANS, Tag::RPMTAG_POSTUNTRANSPROG),
    ("verify", Tag::RPMTAG_VERIFYSCRIPT, Tag::RPMTAG_VERIFYSCRIPTPROG),
];

/// The tags of one list of triggers: scripts and their programs, then name, flags and version of
/// each condition, with the index of its script.
const TRIGGERS: [(TriggerKind, [Tag; 6]); 3] = [
    (
        TriggerKind::Package,
        [
            Tag::RPMTAG_TRIGGERSCRIPTS,
            Tag::RPMTAG_TRIGGERSCRIPTPROG,
            Tag::RPMTAG_TRIGGERNAME,
            Tag::RPMTAG_TRIGGERFLAGS,
            Tag::RPMTAG_TRIGGERVERSION,
            Tag::RPMTAG_TRIGGERINDEX,
        ],
    ),
    (
        TriggerKind::File,
        [
            Tag::RPMTAG_FILETRIGGERSCRIPTS,
            Tag::RPMTAG_FILETRIGGERSCRIPTPROG,
            Tag::RPMTAG_FILETRIGGERNAME,
            Tag::RPMTAG_FILETRIGGERFLAGS,
            Tag::RPMTAG_FILETRIGGERVERSION,
            Tag::RPMTAG_FILETRIGGERINDEX,
        ],
    ),
    (
        TriggerKind::TransactionFile,
        [
            Tag::RPMTAG_TRANSFILETRIGGERSCRIPTS,
            Tag::RPMTAG_TRANSFILETRIGGERSCRIPTPROG,
            Tag::RPMTAG_TRANSFILETRIGGERNAME,
            Tag::RPMTAG_TRANSFILETRIGGERFLAGS,
            Tag::RPMTAG_TRANSFILETRIGGERVERSION,
            Tag::RPMTAG_TRANSFILETRIGGERINDEX,
        ],
    ),
];

/// The bits of a dependency's flags (rpm, `lib/rpmds.h`).
const SENSES: [(u32, char); 3] = [(1 << 1, '<'), (1 << 2, '>'), (1 << 3, '=')];
const MOMENTS: [(u32, &str); 4] =
    [(1 << 16, "in"), (1 << 17, "un"), (1 << 18, "postun"), (1 << 25, "prein")];

/// Name, flags and version.
type Condition<'a> = (Cow<'a, str>, u32, Cow<'a, str>);

/// More than any package of a distribution has.
const MOST: usize = 1 << 16;

/// All dependencies of one kind, each once, in the header's order.
pub fn dependencies(header: &HeaderStructure, tags: Tags) -> Result<Vec<String>> {
    let all = conditions(header, tags)?;
    let mut written: Vec<String> = Vec::with_capacity(all.len());
    for (name, flags, version) in all {
        let text = write(&name, flags, &version);
        // rpm keeps them sorted, so the same ones stand together.
        if written.last() != Some(&text) {
            written.push(text);
        }
    }
    Ok(written)
}

/// The dependencies that only advise.
pub fn weak(header: &HeaderStructure) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for (kind, tags) in WEAK {
        all.extend(dependencies(header, tags)?.iter().map(|text| format!("{kind} {text}")));
    }
    Ok(all)
}

/// Everything that runs around an installation; a program may stand without a text.
pub fn scriptlets(header: &HeaderStructure) -> Result<Vec<Scriptlet>> {
    let mut all = Vec::new();
    for (kind, text, program) in SCRIPTLETS {
        let interpreter = owned(header.texts(program as u32)?);
        let text = header.texts(text as u32)?.into_iter().next();
        if text.is_some() || !interpreter.is_empty() {
            let text = text.unwrap_or_default().into_owned();
            all.push(Scriptlet { kind: kind.to_owned(), interpreter, text });
        }
    }
    Ok(all)
}

/// Every trigger, of packages and of files.
pub fn triggers(header: &HeaderStructure) -> Result<Vec<Trigger>> {
    let mut all = Vec::new();
    for (kind, [script, program, name, flags, version, index]) in TRIGGERS {
        let conditions = conditions(header, [name, flags, version])?;
        let index = header.numbers(index as u32)?;
        let (scripts, programs) = (header.texts(script as u32)?, header.texts(program as u32)?);
        let sound = index.len() == conditions.len()
            && programs.len() == scripts.len()
            && scripts.len() <= MOST
            && index.iter().all(|at| (*at as usize) < scripts.len());
        ensure!(sound, Malformed, "its lists of triggers do not fit each other");
        let mut found: Vec<Trigger> = scripts
            .iter()
            .zip(programs)
            .map(|(text, program)| Trigger {
                kind,
                on: Vec::new(),
                interpreter: program.into_owned(),
                text: text.clone().into_owned(),
            })
            .collect();
        for ((name, flags, version), at) in conditions.iter().zip(index) {
            let moment = MOMENTS.iter().find(|(bit, _)| flags & bit != 0);
            let moment = moment.map_or("", |(_, moment)| moment);
            if let Some(trigger) = found.get_mut(at as usize) {
                trigger.on.push(format!("{moment} {}", write(name, *flags, version)));
            }
        }
        all.append(&mut found);
    }
    Ok(all)
}

/// The changelog, newest first as rpm keeps it.
pub fn changelog(header: &HeaderStructure) -> Result<Vec<ChangelogEntry>> {
    let times = header.numbers(Tag::RPMTAG_CHANGELOGTIME as u32)?;
    let authors = header.texts(Tag::RPMTAG_CHANGELOGNAME as u32)?;
    let texts = header.texts(Tag::RPMTAG_CHANGELOGTEXT as u32)?;
    ensure!(
        times.len() == authors.len() && times.len() == texts.len() && times.len() <= MOST,
        Malformed,
        "its lists of changes are not of one length"
    );
    let changes = times.into_iter().zip(authors).zip(texts);
    Ok(changes
        .map(|((time, author), text)| ChangelogEntry {
            time,
            author: author.into_owned(),
            text: text.into_owned(),
        })
        .collect())
}

fn conditions(header: &HeaderStructure, tags: Tags) -> Result<Vec<Condition<'_>>> {
    let [name, flags, version] = tags.map(|tag| tag as u32);
    let names = header.texts(name)?;
    let flags = header.numbers(flags)?;
    let versions = header.texts(version)?;
    // rpm of old left flags and versions away where no dependency had any.
    let bare = flags.is_empty() && versions.is_empty();
    let sound = bare || (names.len() == flags.len() && names.len() == versions.len());
    ensure!(
        sound && names.len() <= MOST,
        Malformed,
        "its lists of dependencies are not of one length"
    );
    let flags = flags.into_iter().chain(std::iter::repeat(0));
    let versions = versions.into_iter().chain(std::iter::repeat(Cow::Borrowed("")));
    Ok(names.into_iter().zip(flags).zip(versions).map(|((a, b), c)| (a, b, c)).collect())
}

fn write(name: &str, flags: u32, version: &str) -> String {
    let sense: String =
        SENSES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, sign)| *sign).collect();
    if sense.is_empty() { name.to_owned() } else { format!("{name} {sense} {version}") }
}

fn owned(texts: Vec<Cow<'_, str>>) -> Vec<String> {
    texts.into_iter().map(Cow::into_owned).collect()
}
