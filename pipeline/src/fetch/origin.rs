// SPDX-License-Identifier: GPL-2.0-or-later
//! Whose address it is: scheme, host and port, as the web has it (RFC 6454).

/// An address's scheme, host and port. Credentials are for one of these, and for no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub is_https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// That of a URL of http or https. An address that two readers might read otherwise has none.
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next()?;
        // Some read it as a slash.
        if authority.contains('\\') {
            return None;
        }
        let authority = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
        let (host, port) = match authority.rsplit_once(':') {
            // A colon in brackets is one of IPv6.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let usual = if is_https { 443 } else { 80 };
        let port = if port.is_empty() { usual } else { port.parse().ok()? };
        let known = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || !host.chars().all(known) || (host.contains(':') && !bracketed) {
            return None;
        }
        Some(Self { is_https, host: host.to_ascii_lowercase(), port })
    }
}

/// Whether two addresses are of one origin.
pub fn same_origin(one: &str, other: &str) -> bool {
    Origin::of(one).is_some_and(|one| Some(one) == Origin::of(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (one, other) in [
            ("https://h/a", "HTTPS://H:443/b?c"),
            ("http://h", "http://h:80/a"),
            ("http://me@h:8080/a", "http://h:8080"),
            ("http://[::1]:80/a", "http://[::1]/b"),
            ("http://h:/a", "http://h/a"),
        ] {
            assert!(same_origin(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://h/a", "http://h/a"),
            ("https://h/a", "http://h:443/a"),
            ("https://h/a", "https://h:8443/a"),
            ("https://h/a", "https://h.evil/a"),
            ("https://h/a", "https://h@evil/a"),
            ("https://h/a", "https://evil#@h/a"),
            ("http://[::1]/a", "http://[::1]:8080/a"),
        ] {
            assert!(!same_origin(one, other), "{one} {other}");
        }
        // Nobody's: not even its own.
        for odd in [
            "https://h\\@evil/a",
            "https://h%2e/a",
            "file:///a",
            "h/a",
            "http:///a",
            "",
            "http://h:99999/",
        ] {
            assert!(!same_origin(odd, odd), "{odd}");
        }
    }
}
