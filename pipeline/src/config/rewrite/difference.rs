// SPDX-License-Identifier: GPL-2.0-or-later
//! What two pipelines differ in, value by value.

use crate::config::path::Path;
use serde_json::Value;
use std::fmt;

/// One difference.
pub enum Change {
    Set(Path, Value),
    /// A key with its value, or an item of a list.
    Remove(Path),
    /// An item at the end of a list.
    Append(Path, Value),
    /// A key with its value, in a mapping.
    Add(Path, String, Value),
    /// An item before others of a list, which no edit of a text makes.
    Insert(Path, Value),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(path, value) => write!(f, "{path}: {value}"),
            Self::Remove(path) => write!(f, "leave out {path}"),
            Self::Append(path, value) | Self::Insert(path, value) => {
                write!(f, "add to {path}: {value}")
            }
            Self::Add(path, key, value) => write!(f, "{}: {value}", path.key(key)),
        }
    }
}

pub fn differences(before: &Value, after: &Value, changes: &mut Vec<Change>) {
    between(&Path::default(), before, after, changes);
}

fn between(path: &Path, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    Some(Value::Null) | None => changes.push(Change::Remove(path.key(key))),
                    // One that is left out is an empty one.
                    Some(Value::Array(list))
                        if list.is_empty() && *value != Value::Array(vec![]) =>
                    {
                        changes.push(Change::Remove(path.key(key)));
                    }
                    Some(list @ Value::Array(_)) if *value == Value::Array(vec![]) => {
                        changes.push(Change::Add(path.clone(), key.clone(), list.clone()));
                    }
                    Some(after) => between(&path.key(key), value, after, changes),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                changes.push(Change::Add(path.clone(), key.clone(), value.clone()));
            }
        }
        (Value::Array(old), Value::Array(new)) => items(path, old, new, changes),
        (_, value) => changes.push(Change::Set(path.clone(), value.clone())),
    }
}

/// Two lists. Items of one file are one item; of the others, those that stand between the same ones are, in
/// their order.
fn items(path: &Path, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let same = |one: &Value, other: &Value| {
        let file = |value: &Value| value.get("file").cloned();
        one == other || (file(one).is_some() && file(one) == file(other))
    };
    let (mut at, mut next) = (0, 0);
    while at < old.len() || next < new.len() {
        let pair = (at..old.len()).find_map(|number| {
            let other = (next..new.len()).find(|other| same(&old[number], &new[*other]))?;
            Some((number, other))
        });
        let (end, other_end) = pair.unwrap_or((old.len(), new.len()));
        let both = (end - at).min(other_end - next);
        for number in 0..both {
            between(&path.item(at + number), &old[at + number], &new[next + number], changes);
        }
        changes.extend((at + both..end).map(|number| Change::Remove(path.item(number))));
        changes.extend(new[next + both..other_end].iter().map(|value| match pair {
            None => Change::Append(path.clone(), value.clone()),
            Some(_) => Change::Insert(path.clone(), value.clone()),
        }));
        if let Some((number, other)) = pair {
            between(&path.item(number), &old[number], &new[other], changes);
        }
        (at, next) = (end + 1, other_end + 1);
    }
}
