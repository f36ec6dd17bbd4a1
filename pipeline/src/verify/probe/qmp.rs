// SPDX-License-Identifier: GPL-2.0-or-later
//! QEMU's monitor protocol (docs/interop/qmp-spec.txt), said in one go.
//!
//! Commands may stand in a queue, so a whole session is written ahead and ends with `quit`; each
//! command carries a number, which its reply repeats.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The arguments of a QEMU with a monitor and nothing else.
pub const BARE: [&str; 6] = ["-nodefaults", "-no-user-config", "-display", "none", "-qmp", "stdio"];

/// Commands, in order.
pub struct Script {
    commands: Vec<Value>,
}

/// The number of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(usize);

impl Script {
    pub fn new() -> Self {
        let mut script = Self { commands: Vec::new() };
        script.execute("qmp_capabilities", &json!({}));
        script
    }

    pub fn execute(&mut self, command: &str, arguments: &Value) -> Number {
        let number = self.commands.len();
        self.commands.push(json!({ "execute": command, "arguments": arguments, "id": number }));
        Number(number)
    }

    /// A line of the monitor for people; its reply is what that prints.
    pub fn monitor(&mut self, line: &str) -> Number {
        self.execute("human-monitor-command", &json!({ "command-line": line }))
    }

    /// The text of the session.
    pub fn input(&self) -> String {
        let quit = json!({ "execute": "quit" });
        let lines: Vec<String> =
            self.commands.iter().chain([&quit]).map(Value::to_string).collect();
        lines.join("\n") + "\n"
    }

    /// Reads what came of it: a reply for every command, whatever else was printed.
    pub fn replies(&self, said: &str) -> Result<Replies> {
        let mut found = BTreeMap::new();
        for line in said.lines().filter(|line| line.starts_with('{')) {
            let reply: Value = serde_json::from_str(line)
                .with_context(|| format!("not a line of QMP: `{}`", excerpt(line)))?;
            let Some(number) = reply.get("id").and_then(Value::as_u64) else { continue };
            let result = match (reply.get("return"), reply.pointer("/error/desc")) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(Value::String(why))) => Err(why.clone()),
                _ => bail!("not a reply of QMP: `{}`", excerpt(line)),
            };
            found.insert(number, result);
        }
        let replies = self.commands.iter().enumerate().map(|(number, command)| {
            found.remove(&(number as u64)).with_context(|| {
                format!("it gave no reply to `{}`", command["execute"].as_str().unwrap_or_default())
            })
        });
        Ok(Replies(replies.collect::<Result<_>>()?))
    }
}

/// What each command gave, or the description of its error.
#[derive(Debug)]
pub struct Replies(Vec<Result<Value, String>>);

impl Replies {
    pub fn get(&self, number: Number) -> Result<&Value, &String> {
        self.0[number.0].as_ref()
    }

    /// The reply to a command that has to go well, as a list.
    pub fn list(&self, number: Number) -> Result<&Vec<Value>> {
        let value = self.get(number).map_err(|why| anyhow!("{why}"))?;
        value.as_array().with_context(|| format!("not a list: `{}`", excerpt(&value.to_string())))
    }
}

/// The begin of what somebody else printed.
pub fn excerpt(text: &str) -> String {
    let begin: String = text.chars().take(80).collect();
    let more = if begin.len() < text.len() { "…" } else { "" };
    format!("{}{more}", begin.escape_debug())
}

/// A word of the monitor for people, where `"` and `\` have a meaning (monitor, `get_str`).
pub fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
