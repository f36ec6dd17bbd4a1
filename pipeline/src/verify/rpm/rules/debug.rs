//! The rule about packages for debuggers: their contents differ with every build, so that nobody compares
//! them, and what their name promises has to be so.

use super::super::facts::PackageFacts;
use super::files::below;
use std::path::Path;

/// Where such a package has its files, and the folders on the way there.
const PLACES: [&str; 2] = ["/usr/lib/debug", "/usr/src/debug"];
/// What it provides by build-id, for whoever looks for the symbols of a program.
const BY_BUILD_ID_FOLDER: &str = "/usr/lib/debug/.build-id";
const BY_BUILD_ID: &str = "debuginfo(build-id) = ";

pub fn promise(facts: &PackageFacts) -> Vec<String> {
    if !facts.is_for_debuggers() {
        return Vec::new();
    }
    let name = &facts.id.name;
    let mut found = Vec::new();
    let mut stray = facts.files.iter().filter(|file| {
        let inside = PLACES.iter().any(|place| below(&file.path, place));
        let above = file.is_directory() && PLACES.iter().any(|place| below(place, &file.path));
        !inside && !above
    });
    if let Some(file) = stray.next() {
        found
            .push(format!("it has `{}`, which is no file for debuggers", file.path.escape_debug()));
    }
    let odd = facts.files.iter().find(|file| {
        let path = Path::new(&file.path);
        let by_build_id = path.starts_with(BY_BUILD_ID_FOLDER);
        // gdb runs such a file for whoever looks at the program that it is named after.
        let script = ["-gdb.py", "-gdb.gdb", "-gdb.scm"].iter().any(|end| file.path.ends_with(end));
        (file.is_directory() && file.mode & 0o7777 != 0o755)
            || (file.link.is_some() && !by_build_id)
            || script
    });
    if let Some(file) = odd {
        let shown = file.path.escape_debug();
        found.push(format!("`{shown}` is no plain file of symbols or sources, or no open folder"));
    }
    found.extend(
        facts.scriptlets.iter().map(|script| format!("it has a scriptlet, %{}", script.kind)),
    );
    found.extend(facts.triggers.iter().map(|trigger| {
        format!("it has a {} trigger on `{}`", trigger.kind.name(), trigger.on.join(", "))
    }));
    let own = |text: &str| {
        // `name`, or `name(x86-64)`, in some version.
        text.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with([' ', '(']))
    };
    let provides =
        facts.provides.iter().filter(|text| !own(text) && !text.starts_with(BY_BUILD_ID));
    found.extend(provides.map(|text| format!("it provides `{text}`")));
    // Of its own family: symbols want the sources beside them, and what they share with others.
    let family = |text: &str| {
        text.starts_with("rpmlib(")
            || ["-debugsource", "-debuginfo"].iter().any(|it| text.contains(it))
    };
    let requires = facts.requires.iter().chain(&facts.weak).filter(|text| !family(text));
    found.extend(requires.map(|text| format!("it requires `{text}`")));
    found.extend(facts.conflicts.iter().map(|text| format!("it conflicts with `{text}`")));
    found.extend(facts.obsoletes.iter().map(|text| format!("it obsoletes `{text}`")));
    found
}
