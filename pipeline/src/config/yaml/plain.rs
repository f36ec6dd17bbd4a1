// SPDX-License-Identifier: GPL-2.0-or-later
//! What YAML 1.2 takes a plain scalar for (its core schema, 10.3.2), as the reader of the types does.

/// A plain scalar by its look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain {
    Null,
    Bool(bool),
    Integer(i128),
    /// Beyond every integer of ours, or with a fraction.
    Float(f64),
    Text,
}

impl Plain {
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            _ => {}
        }
        // The first letter rules out nearly all, and a number is short.
        if text.len() > 400 || !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        {
            return Self::Text;
        }
        if let Some(number) = integer(text) {
            return Self::Integer(number);
        }
        match text.strip_prefix(['+', '-']).unwrap_or(text) {
            ".inf" | ".Inf" | ".INF" => return Self::Float(f64::INFINITY),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        let number = text.strip_prefix('+').unwrap_or(text).parse::<f64>();
        match number {
            Ok(number) if number.is_finite() && !has_leading_zero(text) => Self::Float(number),
            _ => Self::Text,
        }
    }
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = if digits.starts_with(['+', '-']) || has_leading_zero(text) {
        None
    } else if let Some(digits) = digits.strip_prefix("0x") {
        i128::from_str_radix(digits, 16).ok()
    } else if let Some(digits) = digits.strip_prefix("0o") {
        i128::from_str_radix(digits, 8).ok()
    } else if let Some(digits) = digits.strip_prefix("0b") {
        i128::from_str_radix(digits, 2).ok()
    } else {
        digits.parse().ok()
    };
    number.map(|number: i128| if negative { -number } else { number })
}

/// Digits behind a zero are text: YAML 1.1 took them for octal.
pub fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}
