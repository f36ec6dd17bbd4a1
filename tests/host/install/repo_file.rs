// SPDX-License-Identifier: GPL-2.0-or-later
//! The published `.repo` file as XCP-ng's pipelines have it: used only where it is asked for, for what is
//! published and nothing else, and no reason to stop where its server is down.

use super::client::Client;
use super::server::Server;
use super::{index, unsigned_index};
use crate::support::{self, ends_with, program, scratch};
use rpm::{BuildConfig, PackageBuilder};
use std::fs;
use std::path::Path;

const CLIENT: &str = "\n  client:\n    enabled: false\n    includepkgs: [qemu, qemu-device-dom0]\n    \
                      skip_if_unavailable: true\n    priority: 90\n";

/// A package that nobody signed.
fn foreign(name: &str, folder: &Path) {
    let mut package = PackageBuilder::new(name, "99", "MIT", "noarch", "A stand-in");
    let package = package.using_config(BuildConfig::v4()).release("1").build().unwrap();
    package.write_file(folder.join(format!("{name}.rpm"))).unwrap();
}

#[test]
fn a_repository_for_hosts_that_update_from_elsewhere_stays_out_of_their_way() {
    support::workstation();
    let folder = scratch();
    let root = support::root();
    let text = fs::read_to_string(root.join("pipeline/workstation.yaml")).unwrap();
    let text = text
        .replace("../", &format!("{}/", root.display()))
        .replace("workstation/", &format!("{}/pipeline/workstation/", root.display()))
        .replace("name: workstation\n", "name: test-client\n")
        .replace("http://localhost:8000\n", &format!("http://localhost:8000{CLIENT}"));
    let repository = folder.path().join("out");
    let run = |text: &str, code: i32| {
        fs::write(folder.path().join("p.yaml"), text).unwrap();
        let mut run = program();
        run.arg("run").arg(folder.path().join("p.yaml")).arg("--output").arg(&repository);
        String::from_utf8(ends_with(code, &mut run).stderr).unwrap()
    };
    // What no client would take is not published.
    let error = run(&text.replace("[qemu, qemu-device-dom0]", "[qemu, 'other*']"), 1);
    assert!(error.contains("`publish.client` keeps `qemu-device-dom0` from clients"), "{error}");
    run(&text, 0);
    let published = fs::read_to_string(repository.join("test-client.repo")).unwrap();
    for line in
        ["enabled=0", "includepkgs=qemu qemu-device-dom0", "skip_if_unavailable=1", "priority=90"]
    {
        assert!(published.lines().any(|found| found == line), "no `{line}` in:\n{published}");
    }

    // Somebody else's package in it.
    foreign("bash", &repository.join("Packages"));
    index(&repository);
    let vendors = folder.path().join("vendors");
    fs::create_dir(&vendors).unwrap();
    foreign("other", &vendors);
    index(&vendors);
    let server = Server::start(&repository);
    let home = scratch();
    let client = Client::new(home.path());
    client.add_repository(
        "vendors",
        &format!("[vendors]\nname=vendors\nbaseurl=file://{}\ngpgcheck=0\n", vendors.display()),
    );
    let ours = unsigned_index(published.replace("http://localhost:8000", &server.url()));
    client.add_repository("ours", &ours);
    let listed = |words: &[&str]| {
        let outcome = client.dnf(&[words, &["list", "--available"]].concat());
        assert!(outcome.success, "{outcome}");
        let names = outcome.text.lines().filter_map(|line| line.split_once('.'));
        let is_known = |name: &str| ["bash", "other"].contains(&name) || name.starts_with("qemu");
        let mut names: Vec<_> =
            names.map(|(name, _)| name.to_owned()).filter(|name| is_known(name)).collect();
        // The source package has the name too.
        names.dedup();
        names
    };
    assert_eq!(listed(&[]), ["other"]);
    assert_eq!(listed(&["--enablerepo=test-client"]), ["other", "qemu", "qemu-device-dom0"]);

    drop(server);
    client.forget_downloads();
    let outcome = client.dnf(&["--enablerepo=test-client", "install", "other"]);
    assert!(outcome.success && client.rpm(&["-q", "other"]).success, "{outcome}");
}
