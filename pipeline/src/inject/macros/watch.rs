// SPDX-License-Identifier: GPL-2.0-or-later
//! Which lines of a spec have a say in what one macro is.

use super::Macros;
use crate::inject::declared::Declarations;
use crate::inject::spec::SpecText;

/// A macro, and each line that may define it or take it back.
#[derive(Default)]
pub struct Watched {
    name: Option<String>,
    touched: Vec<usize>,
}

impl Watched {
    /// Takes in that a line may have done something to a macro, or to any.
    pub fn touch(&mut self, name: Option<&str>, line: usize) {
        if self.name.is_some() && (name.is_none() || name == self.name.as_deref()) {
            self.touched.push(line);
        }
    }
}

impl Macros {
    /// The lines of a spec that may define the macro `name`, or take it back.
    pub fn definitions(spec: &SpecText, name: &str) -> Vec<usize> {
        let mut macros = Self::new(&spec.defines);
        macros.watched.name = Some(name.to_owned());
        for group in &Declarations::read(spec).expanded {
            let lines: Vec<&str> = (group.line..group.end).map(|at| spec.text(at)).collect();
            let sure = spec.line_context(group.line).depth == 0;
            macros.outline(&lines.join("\n"), group.line, sure);
        }
        macros.watched.touched.dedup();
        macros.watched.touched
    }
}
