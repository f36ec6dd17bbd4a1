// SPDX-License-Identifier: GPL-2.0-or-later
//! What a binary says of its types when it runs.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Starts no machine. A binary with neither TCG nor KVM wants to be told of the third.
const MACHINES: [&str; 2] = ["none", "none,accel=qtest"];
const ARGUMENTS: [&str; 6] = ["-nodefaults", "-display", "none", "-S", "-qmp", "stdio"];

pub struct Truth {
    pub version: String,
    /// Every type with its parent, where the binary tells it.
    pub types: BTreeMap<String, Option<String>>,
    /// The properties of every device: name and kind.
    pub properties: BTreeMap<String, HashMap<String, String>>,
}

struct Monitor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: String,
}

impl Monitor {
    fn start(binary: &str) -> Result<Self> {
        let [first, second] = MACHINES;
        Self::with(binary, first).or_else(|_| Self::with(binary, second))
    }

    fn with(binary: &str, machine: &str) -> Result<Self> {
        let wrapper = std::env::var("CENSUS_RUN").unwrap_or_default();
        let mut words = wrapper.split_whitespace().chain([binary]);
        let mut child = Command::new(words.next().unwrap_or(binary))
            .args(words)
            .args(["-machine", machine])
            .args(ARGUMENTS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut monitor = Self { child, input, output, version: String::new() };
        let greeting = monitor.line().context("it does not speak QMP")?;
        let version = &greeting["QMP"]["version"]["qemu"];
        monitor.version =
            ["major", "minor", "micro"].map(|part| version[part].to_string()).join(".");
        monitor.call("qmp_capabilities", json!({}))?;
        Ok(monitor)
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("it ended");
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// The answer; nothing where it is an error.
    fn call(&mut self, command: &str, arguments: Value) -> Result<Option<Value>> {
        let call = json!({ "execute": command, "arguments": arguments });
        writeln!(self.input, "{call}")?;
        loop {
            let mut answer = self.line()?;
            if let Some(value) = answer.get_mut("return") {
                return Ok(Some(value.take()));
            }
            if answer.get("error").is_some() {
                return Ok(None);
            }
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn ask(binary: &str) -> Result<Truth> {
    let mut monitor = Monitor::start(binary)?;
    let all = monitor.call("qom-list-types", json!({ "abstract": true }))?;
    let types = named(all.context("it lists no types")?, "parent");
    let devices = monitor.call("qom-list-types", json!({ "implements": "device" }))?;
    let devices = named(devices.context("it lists no devices")?, "parent");
    let mut properties = BTreeMap::new();
    for device in devices.into_keys() {
        match monitor.call("device-list-properties", json!({ "typename": device })) {
            Ok(Some(answer)) => {
                let kinds = named(answer, "type").into_iter();
                let kinds = kinds.filter_map(|(name, kind)| Some((name, kind?)));
                properties.insert(device, kinds.collect());
            }
            Ok(None) => {}
            // Of a device whose module is not installed Debian's 7.2 dies.
            Err(_) => monitor = Monitor::start(binary)?,
        }
    }
    Ok(Truth { version: monitor.version.clone(), types, properties })
}

/// A list of objects as a map from their names to another of their words.
fn named(list: Value, word: &str) -> BTreeMap<String, Option<String>> {
    let Value::Array(list) = list else { return BTreeMap::new() };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    list.iter().filter_map(|item| Some((text(&item["name"])?, text(&item[word])))).collect()
}
