// SPDX-License-Identifier: GPL-2.0-or-later
//! A Containerfile that wants something from elsewhere, and the network of an image's build.

use crate::support::{Toy, kept, program, refusal, stable, stuck};
use insta::assert_snapshot;
use std::fs;

#[test]
fn a_containerfile_that_fetches_is_refused_before_any_work() {
    let toy = Toy::new("containerfile");
    let good = fs::read_to_string(toy.path("Containerfile")).unwrap();
    for (line, expected) in [
        ("ADD http://localhost:9/x /", "ADD may fetch what nothing pins"),
        ("COPY --from=localhost/other /bin/sh /", "COPY takes no `--from`"),
        ("RUN --mount=type=cache,target=/c true", "RUN takes no `--mount`"),
        ("# syntax=localhost/frontend", "`syntax=`"),
        ("ONBUILD ADD http://localhost:9/x /", "`ONBUILD` is no instruction"),
    ] {
        fs::write(toy.path("Containerfile"), format!("{good}{line}\n")).unwrap();
        let place = format!("Containerfile:{}: ", good.lines().count() + 1);
        let run = refusal(2, &mut toy.run());
        let plan = refusal(2, program().arg("plan").arg(toy.path("toy.yaml")));
        for error in [run, plan] {
            assert!(error.contains(&place) && error.contains(expected), "{error}");
            assert!(error.contains("\nhelp: "), "{error}");
        }
    }
    fs::write(toy.path("Containerfile"), b"ARG BASE\nFROM ${BASE}\nRUN \xff\n").unwrap();
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: containerfile `FOLDER/Containerfile`: line 3 of it is not UTF-8
    help: `iconv -t UTF-8` makes it UTF-8
    ");
}

/// An environment of its own, from Debian's archive.
#[test]
fn an_images_build_is_of_the_text_that_was_checked_has_no_network_and_knows_no_proxy() {
    let toy = Toy::new("image-network");
    let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
    let (from, to) = (text.find("packages:").unwrap(), text.find("\ndevice:").unwrap());
    let text = format!("{}packages: [file]\n{}", &text[..from], &text[to..]);
    fs::write(toy.path("toy.yaml"), text).unwrap();
    let say = "ARG BASE\nFROM ${BASE}\nRUN echo SEEN: $(ls /sys/class/net) SEEN; \\\n    \
               echo PROXY: $http_proxy $HTTPS_PROXY; ls -d /proc/1/root/etc/hostname\n";
    fs::write(toy.path("Containerfile"), say).unwrap();
    let mut run = toy.until("environment");
    // Debian's archive is asked by apt, which has settings of its own.
    run.arg("--json").env("ftp_proxy", "http://secret@localhost:9");
    run.env("https_proxy", std::env::var("https_proxy").unwrap_or_default());
    // What it says once its work begins, it has nobody to say to until the file is another one.
    let (mut child, mut events) = stuck(&mut run);
    fs::write(
        toy.path("Containerfile"),
        format!("{say}RUN echo LATER\nADD http://localhost:9/x /\n"),
    )
    .unwrap();
    drop(run);
    std::io::copy(&mut events, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
    let log = fs::read_to_string(kept("store/logs/image-network/environment.log")).unwrap();
    assert!(log.contains("\nSEEN: lo SEEN\n"), "{log}");
    assert!(log.contains("\nPROXY:\n"), "{log}");
    assert!(!log.contains("LATER"), "{log}");
}
