// SPDX-License-Identifier: GPL-2.0-or-later
//! git-lfs beside GitHub: other servers, other versions, and answers as they are written elsewhere.

use crate::support::git_server::{Fault, GitServer};
use crate::support::packaging_repo::{PackagingRepo, QEMU};
use crate::support::{events, refusal, stable};
use insta::assert_snapshot;
use std::fs;

fn lfsconfig(packaging: &PackagingRepo, text: &str) {
    fs::write(packaging.work().join(".lfsconfig"), text).unwrap();
    packaging.pin("Say where the objects are");
}

/// The requests of one kind.
fn asked(server: &GitServer, what: &str) -> usize {
    server.requests().iter().filter(|request| request.contains(what)).count()
}

#[test]
fn a_server_that_the_repository_names_on_its_own_host_is_followed() {
    let packaging = PackagingRepo::new("lfs-own-host");
    for (name, text) in [
        ("one", format!("[lfs]\n\turl = {}\n", packaging.server.url("other/one"))),
        (
            "two",
            format!("[remote \"origin\"]\n\tlfsurl = {}/\n", packaging.server.url("other/two")),
        ),
    ] {
        lfsconfig(&packaging, &text);
        let _ = fs::remove_dir_all(packaging.path("store"));
        events(&mut packaging.fetch());
        assert!(
            asked(&packaging.server, &format!("POST /other/{name}/objects/batch")) > 0,
            "{name}"
        );
    }
    // What says nothing, or nothing that can be read, is passed over.
    for text in ["", "[lfs]\n\tlocksverify = true\n", "[lfs\n", "[include]\n\tpath = /etc/passwd\n"]
    {
        lfsconfig(&packaging, text);
        fs::remove_dir_all(packaging.path("store")).unwrap();
        events(&mut packaging.fetch());
    }
}

#[test]
fn a_repository_does_not_send_this_machine_to_another_host() {
    let packaging = PackagingRepo::new("lfs-other-host");
    let other = GitServer::serve(&packaging.path("served"));
    for url in [
        other.url("lfs-server"),
        "https://lfs.example/a".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
        format!("file://{}", packaging.path("served/qemu.git").display()),
        packaging.path("served/qemu.git").display().to_string(),
        "ssh://lfs.example/a".to_owned(),
    ] {
        lfsconfig(&packaging, &format!("[lfs]\n\turl = {url}\n"));
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&format!("objects at `{url}`")), "{url}: {error}");
        assert!(error.contains("lfs-url"), "{error}");
    }
    assert_eq!(other.requests(), Vec::<String>::new());
    // The pipeline file may say it.
    let url = other.url("lfs-server");
    lfsconfig(&packaging, &format!("[lfs]\n\turl = {url}\n"));
    let error = refusal(1, &mut packaging.fetch());
    let line = error.lines().find(|line| line.trim().starts_with("lfs-url: ")).unwrap();
    packaging.edit("p.yaml", "      branch: master\n", &format!("      branch: master\n{line}\n"));
    events(&mut packaging.fetch());
    assert!(asked(&other, "POST /lfs-server/objects/batch") > 0);
    assert_eq!(asked(&packaging.server, "objects/batch"), 0);
}

#[test]
fn a_pointer_of_the_oldest_versions_is_a_pointer() {
    for (name, version) in
        [("hawser", "https://hawser.github.com/spec/v1"), ("media", "http://git-media.io/v/2")]
    {
        let packaging = PackagingRepo::new(&format!("lfs-{name}"));
        let file = format!("work/SOURCES/{QEMU}");
        packaging.edit(&file, "https://git-lfs.github.com/spec/v1", version);
        packaging.pin("As it was once");
        events(&mut packaging.fetch());
    }
}

#[test]
fn each_odd_answer_of_a_server_is_taken_or_told() {
    let packaging = PackagingRepo::new("lfs-answers");
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    let href = packaging.server.url(&packaging.object_path(QEMU));
    let download = |more: &str| format!(r#"{{ "download": {{ "href": "{href}"{more} }} }}"#);
    let object =
        |more: &str| format!(r#"{{ "objects": [{{ "oid": "{oid}", "size": 1{more} }}] }}"#);
    let actions = |more: &str| object(&format!(r#", "actions": {}"#, download(more)));
    // The other object is at hand.
    events(&mut packaging.fetch());
    let cached = packaging.path("store/content/sha256").join(&oid);
    let fetch = |answer: Fault, code: i32| {
        let _ = fs::remove_file(&cached);
        let _ = fs::remove_dir_all(packaging.path("store/results"));
        fs::create_dir_all(packaging.path("store/results")).unwrap();
        packaging.server.fault("objects/batch", answer);
        refusal(code, &mut packaging.fetch())
    };
    for answer in [
        actions(""),
        actions(r#", "header": null"#),
        actions(r#", "header": {}, "expires_in": 0, "expires_at": null, "authenticated": true"#),
        actions(r#", "header": [], "expires_in": "soon""#),
        actions(r#", "header": { "X-A": null, "X-B": 5, "Accept": "" }"#),
        object(&format!(r#", "error": null, "actions": null, "_links": {}"#, download(""))),
        actions("").replacen(
            '{',
            r#"{ "transfer": null, "ref": { "name": "x" }, "hash_algo": "sha256","#,
            1,
        ),
        actions("").replacen(&oid, &oid.to_uppercase(), 1),
    ] {
        let said = fetch(Fault::Instead(answer.clone().into_bytes()), 0);
        assert!(cached.exists(), "{answer}: {said}");
    }
    for (answer, expected) in [
        (object(r#", "actions": null"#), "offers no download"),
        (object(""), "offers no download"),
        (
            object(r#", "error": { "code": 410, "message": "gone \u001b[2J" }"#),
            "410 gone \\u{1b}[2J",
        ),
        (object(r#", "error": { "code": 403 }"#), ": 403"),
        (r#"{ "message": "bad credentials" }"#.to_owned(), "says: bad credentials"),
        (r#"{ "objects": null }"#.to_owned(), "an answer without objects"),
        (actions("").replacen('{', r#"{ "transfer": "tus","#, 1), "the transfer `tus` alone"),
        (actions("").replacen('{', r#"{ "hash_algo": "sha3","#, 1), "the hash_algo `sha3` alone"),
        (actions("").replace(&href, "file:///etc/passwd"), "`file:///etc/passwd`, which is no URL"),
        (actions(r#", "header": { "A": "b\nC: d" }"#), "a header with characters"),
        ("<html>Sign in</html>".to_owned(), "an answer that is no JSON"),
    ] {
        let error = fetch(Fault::Instead(answer.clone().into_bytes()), 1);
        assert!(error.contains(expected) && !error.contains('\u{1b}'), "{answer}: {error}");
        assert!(!cached.exists());
    }
    // A repository that moved: the question goes along, however the server says so.
    let moved = packaging.server.url("moved/objects/batch");
    for status in [301, 302, 303, 307, 308] {
        let path = "qemu.git/info/lfs/objects/batch";
        packaging.server.fault("objects/batch", Fault::HalfOnce);
        let _ = fs::remove_file(&cached);
        fs::remove_dir_all(packaging.path("store/results")).unwrap();
        packaging.server.clear().fault(path, Fault::Redirect(status, moved.clone()));
        events(&mut packaging.fetch());
        assert!(cached.exists(), "{status}");
    }
    assert_eq!(asked(&packaging.server, "POST /moved/objects/batch"), 5);
}

/// A server may lead to any host; what the user keeps for that host is not for the server to use.
#[test]
fn credentials_go_where_the_user_named_the_host() {
    let packaging = PackagingRepo::new("lfs-netrc");
    let other = GitServer::serve(&packaging.path("served"));
    let oid = packaging.object_path(QEMU).trim_start_matches("lfs/").to_owned();
    let answer = format!(
        r#"{{ "objects": [{{ "oid": "{oid}", "actions": {{ "download": {{ "href": "{}" }} }} }}] }}"#,
        other.url(&packaging.object_path(QEMU)).replace("127.0.0.1", "localhost")
    );
    let home = packaging.path("home");
    fs::create_dir(&home).unwrap();
    fs::write(
        home.join(".netrc"),
        "machine localhost login me password secret\nmachine 127.0.0.1 login me password own\n",
    )
    .unwrap();
    events(packaging.fetch().env("HOME", &home));
    fs::remove_file(packaging.path("store/content/sha256").join(&oid)).unwrap();
    fs::remove_dir_all(packaging.path("store/results")).unwrap();
    packaging.server.fault("objects/batch", Fault::Instead(answer.into_bytes()));
    events(packaging.fetch().env("HOME", &home));
    assert!(asked(&packaging.server, "POST /qemu.git/info/lfs/objects/batch") > 0);
    assert!(packaging.server.authorized(), "the user named this host");
    assert!(asked(&other, &oid) > 0 && !other.authorized(), "and not this one");
}

/// A redirection is somebody else's word too, and a `default` of `.netrc` is for every host.
#[test]
fn credentials_and_tokens_do_not_follow_a_redirection() {
    let packaging = PackagingRepo::new("lfs-redirected");
    let other = GitServer::serve(&packaging.path("served"));
    let object = packaging.object_path(QEMU);
    let oid = object.trim_start_matches("lfs/").to_owned();
    let home = packaging.path("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".netrc"), "default login me password own\n").unwrap();
    let fetch = |code: i32| {
        let _ = fs::remove_file(packaging.path("store/content/sha256").join(&oid));
        let _ = fs::remove_dir_all(packaging.path("store/results"));
        let _ = fs::create_dir_all(packaging.path("store/results"));
        refusal(code, packaging.fetch().env("HOME", &home))
    };
    // The object and the question, each to another port, and by way of it back to where they were.
    let batch = "qemu.git/info/lfs/objects/batch";
    packaging.server.fault(batch, Fault::Redirect(307, other.url("there/objects/batch")));
    fetch(0);
    assert!(packaging.server.authorized(), "the user named this host");
    assert!(asked(&other, "POST /there/objects/batch") > 0 && !other.authorized());
    packaging.server.clear();
    packaging.server.fault(&object, Fault::Redirect(302, other.url("there/o?sig=CANARY")));
    fs::create_dir(packaging.path("served/there")).unwrap();
    fs::copy(packaging.object(QEMU), packaging.path("served/there/o")).unwrap();
    let before = other.tokens();
    fetch(0);
    assert!(asked(&other, "GET /there/o") > 0 && !other.authorized());
    assert_eq!(other.tokens(), before, "the header that the server gave was for the server");
    let mut grep = std::process::Command::new("grep");
    let found = grep.args(["-r", "CANARY"]).arg(packaging.path("store")).output().unwrap();
    assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
    // Elsewhere than the web, without an end, and nowhere.
    for (to, expected) in [
        ("file:///etc/passwd".to_owned(), "which is no URL of http"),
        (packaging.server.url(&object), "leads elsewhere more than 5 times"),
    ] {
        packaging.server.fault(&object, Fault::Redirect(302, to));
        let error = fetch(1);
        assert!(error.contains(expected), "{expected}: {error}");
    }
    packaging.server.fault(&object, Fault::Status(304));
    let error = fetch(1);
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `qemu-4.2.1.tar.gz`: http://SERVER/lfs/SHA256 answers 304 and nothing that is asked for
    ");
}
