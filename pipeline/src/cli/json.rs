//! Events for programs: one JSON object a line, on standard output.

use crate::run::Event;

/// Prints an event.
pub fn print(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        super::print_json(&line);
    }
}
