// SPDX-License-Identifier: GPL-2.0-or-later
//! Addresses. A pipeline file holds no secret, and an address is shown and published: none takes a password,
//! nor a query or a fragment, which may be a token. Their grammar has no place for one.

use super::Scalar;
use super::macros::scalars;

/// A host, and a port that is a number: what stands before an `@` is neither.
macro_rules! host {
    () => {
        "([A-Za-z0-9_][A-Za-z0-9._~%-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?"
    };
}

/// Graphic ASCII without quotes, `#`, `<`, `>`, `?`, `\` and `` ` ``.
macro_rules! plain {
    () => {
        "[!$-&(-;=@-\\[\\]-_a-~]"
    };
}

/// The same without `/`, and neither `.` nor `..`.
macro_rules! plain_part {
    () => {
        "\\.{0,2}[!$-&(-,0-;=@-\\[\\]-_a-~-][!$-&(-.0-;=@-\\[\\]-_a-~]*|\\.{3,}[!$-&(-.0-;=@-\\[\\]-_a-~]*"
    };
}

/// Graphic ASCII without `#` and `?`.
macro_rules! graphic {
    () => {
        "[!\"$->@-~]"
    };
}

scalars! {
    /// Where a git repository is, as git takes it: https, http, ssh, git, file, or `user@host:path`.
    GitUrl = Scalar::new(
        "a git URL of https, http, ssh, git or file, or `user@host:path`, without a password, a query or a \
         fragment",
        concat!(
            "^(https?://", host!(), "(/", graphic!(), "*)?",
            "|(ssh|git)://([A-Za-z0-9_.][A-Za-z0-9_.-]*@)?", host!(), "(/", graphic!(), "*)?",
            "|file:///", graphic!(), "+",
            "|[A-Za-z0-9_.][A-Za-z0-9_.-]*@[A-Za-z0-9_.][A-Za-z0-9_.-]*:", graphic!(), "+)$",
        ),
    ).address();

    /// A file or folder that is fetched: http or https.
    WebUrl = Scalar::new(
        "a URL of http or https, without a user, a password, a query or a fragment",
        concat!("^https?://", host!(), "(/", plain!(), "*)?$"),
    ).address().help("begin with `https://` or `http://`");

    /// A file that is fetched: http or https. The last part of it is the file's name.
    FileUrl = Scalar::new(
        "a URL of http or https that ends in the name of a file, without a user, a password, a query or a \
         fragment",
        concat!("^https?://", host!(), "/(", plain!(), "*/)?(", plain_part!(), ")$"),
    ).address().help("the last part of it is the name that the file gets");

    /// A package that is fetched.
    RpmUrl = Scalar::new(
        "a URL of http or https that ends in the name of an RPM, without a user, a password, a query or a \
         fragment",
        concat!("^https?://", host!(), "/(", plain!(), "*/)?[!$-&(-,0-;=@-\\[\\]-_a-~][!$-&(-.0-;=@-\\[\\]-_a-~]*\\.rpm$"),
    ).address().help("it was written by `lock`: run that again");

    /// Where a repository is served: http, https or file.
    Url = Scalar::new(
        "a URL of http, https or file, without a user, a password, a query or a fragment",
        concat!("^(https?://", host!(), "(/", plain!(), "*)?|file:///", plain!(), "+)$"),
    ).address().help("begin with `https://`, `http://` or `file:///`");

    /// A container image by registry, name and tag (OCI distribution-spec).
    ImageReference = Scalar::new(
        "an image such as `docker.io/library/centos:7.5.1804`",
        "^[a-z0-9]+([.-]+[a-z0-9]+)*(:[0-9]{1,5})?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+\
         :[A-Za-z0-9_][A-Za-z0-9._-]*$",
    ).longest(255).help("say registry, name and tag; `lock` pins the digest");

    /// The digest of an image, of its manifest or of its configuration (OCI image-spec, descriptor).
    ImageDigest = Scalar::new(
        "a digest such as `sha256:…` with 64 hexadecimal digits",
        "^sha256:[0-9a-f]{64}$",
    );
}
