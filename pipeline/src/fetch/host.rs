// SPDX-License-Identifier: GPL-2.0-or-later
//! The host in an address.

/// The host, with its port, of a URL, of git's `user@host:path`, or of an image's reference. A path
/// of this machine has none.
pub fn host(address: &str) -> Option<String> {
    let host = if let Some((scheme, rest)) = address.split_once("://") {
        if scheme == "file" {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default()
    } else if let Some((user_at_host, _)) = address.split_once(':')
        && let Some((_, host)) = user_at_host.split_once('@')
    {
        host
    } else if address.starts_with(['/', '.']) {
        return None;
    } else {
        address.split('/').next().unwrap_or_default()
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_has_its_host() {
        for (address, expected) in [
            ("https://GitHub.com/a/b.git", Some("github.com")),
            ("https://me:secret@host:8443/a", Some("host:8443")),
            ("ssh://git@host:22/a", Some("host:22")),
            ("git@host:a/b.git", Some("host")),
            ("file:///srv/a", None),
            ("/srv/a", None),
            ("docker.io/library/centos:7.5.1804", Some("docker.io")),
            ("127.0.0.1:5000/centos:7.5.1804", Some("127.0.0.1:5000")),
        ] {
            assert_eq!(host(address).as_deref(), expected, "{address}");
        }
    }
}
