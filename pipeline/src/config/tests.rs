use super::words::*;
use super::*;

const WORKSTATION: &str = include_str!("../../workstation.yaml");

fn refusal(text: &str) -> String {
    format!("{:#}", parse(text, "p.yaml").unwrap_err())
}

/// The workstation pipeline with one piece of text changed.
fn changed(from: &str, to: &str) -> String {
    assert!(WORKSTATION.contains(from), "{from}");
    WORKSTATION.replacen(from, to, 1)
}

#[test]
fn the_default_pipeline_is_good() {
    let pipeline = parse(WORKSTATION, "workstation.yaml").unwrap();
    assert_eq!(pipeline.name.as_str(), "workstation");
    assert_eq!(pipeline.build, Build::default());
}

#[test]
fn an_unknown_key_names_place_and_nearest_word() {
    let error = refusal(&changed("      package: qemu", "      pakage: qemu"));
    assert!(error.starts_with("p.yaml:11:7: source[0].debian: unknown field `pakage`"), "{error}");
    assert!(error.ends_with("help: did you mean `package`?"), "{error}");
}

#[test]
fn a_wrong_type_names_its_place() {
    let error = refusal(&changed("name: workstation", "name: [a]"));
    assert!(error.starts_with("p.yaml:7:7: name: invalid type: sequence"), "{error}");
}

#[test]
fn a_missing_section_says_what_to_add() {
    let error = refusal(&WORKSTATION.replace("\ndevice:\n", "\nsource2:\n"));
    assert!(error.contains("unknown field `source2`"), "{error}");
    let start = WORKSTATION.find("\nverify:").unwrap();
    let error = refusal(&WORKSTATION[..start]);
    assert!(error.contains("missing field `verify`"), "{error}");
    assert!(error.contains("help: add `verify:`"), "{error}");
}

#[test]
fn another_format_version_is_refused_before_anything_else() {
    let error = refusal("version: 2\nwhatever: true\n");
    assert!(error.starts_with("p.yaml: pipeline format version 2 is not known"), "{error}");
}

#[test]
fn a_value_that_breaks_its_rule_names_its_place() {
    let error = refusal(&changed("CONFIG_PCI", "CONFIG_PCI; rm"));
    assert!(
        error.starts_with("p.yaml:47:16: device[0].condition: `CONFIG_PCI; rm` is not"),
        "{error}"
    );
    let error = refusal(&changed("hw/misc", "../misc"));
    assert!(error.contains("`../misc` is not a relative path"), "{error}");
}

#[test]
fn the_value_of_a_define_is_taken_as_it_is_spelled() {
    let with = |value| {
        let defines = format!("CONFIG_PCI\n    defines: {{ VGPU_STUB_CLASS: {value} }}\n");
        changed("CONFIG_PCI\n", &defines)
    };
    for value in ["0x0302", "\"0x0302\""] {
        let device = parse(&with(value), "p.yaml").unwrap().device.remove(0);
        let (name, value) = device.defines.first_key_value().unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("VGPU_STUB_CLASS", "0x0302"));
    }
    let error = refusal(&with("\"'a'\""));
    assert!(error.contains("device[0].defines.VGPU_STUB_CLASS: `'a'` is not"), "{error}");
}

#[test]
fn a_reference_to_nothing_suggests_what_is_there() {
    let error = refusal(&changed("add-source: vgpu-stub.c", "add-source: vgpu-stb.c"));
    assert!(error.contains("`vgpu-stb.c` is not the source of a device"), "{error}");
    assert!(error.ends_with("help: did you mean `vgpu-stub.c`?"), "{error}");
}

#[test]
fn a_device_that_nothing_would_prove_is_refused() {
    let other = "types:\n    - name: other\n";
    let error = refusal(&changed("contracts: [../device/vgpu-stub.yaml]\n", other));
    assert!(error.contains("`verify.types` does not name `vgpu-stub`"), "{error}");
    let error = parse(WORKSTATION, "p.yaml").unwrap().with_contracts(vec![], WORKSTATION, "p.yaml");
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.contains("`verify.types` does not name `vgpu-stub`"), "{error}");
}

#[test]
fn paths_that_allow_nothing_are_refused() {
    let verify =
        |paths: &str| refusal(&changed("\nverify:\n", &format!("\nverify:\n  paths: {paths}\n")));
    let error = verify("[]");
    assert!(error.contains("`verify.paths` allows no folder at all\nhelp: "), "{error}");
    let error = verify("[usr/bin]");
    assert!(error.contains("verify.paths[0]: `usr/bin` is not an absolute path"), "{error}");
}

#[test]
fn a_device_source_with_too_long_a_name_is_refused() {
    let long = format!("{}.c", "a".repeat(99));
    let error = refusal(&changed("source: ../device/vgpu-stub.c", &format!("source: {long}")));
    assert!(error.contains("has a name of more than 100 letters"), "{error}");
}

#[test]
fn the_schema_in_the_tree_is_current() {
    let written = include_str!("../../schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert!(written == current, "stale: `vgpu-pipeline schema > pipeline/schema.json` renews it");
}

#[test]
fn words_admit_what_their_use_needs_and_nothing_more() {
    fn takes<T: TryFrom<String>>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::try_from((*text).to_owned()).is_ok(), "{text}");
        }
        for text in bad {
            assert!(T::try_from((*text).to_owned()).is_err(), "{text}");
        }
    }
    takes::<TreePath>(&["hw/misc", "hw"], &["", "/hw", "hw/", "hw//misc", "a/../b", "a b", "$(x)"]);
    let long = "a".repeat(LONGEST_NAME);
    takes::<Name>(
        &["xcp-ng-8.3", "main2", "m", &long],
        &["", "main", ".a", "A", "a b", "a/b", &format!("{long}a")],
    );
    takes::<HostPath>(
        &["/", "/usr", "/usr/lib64/", "/usr/lib/.build-id", "/opt/a b"],
        &["", "usr/bin", "./usr", "/usr/../etc", "/usr/.", "//usr", "/usr//bin", "/a\nb", "/usr//"],
    );
    takes::<FileName>(
        &["a.tar.xz", "q_7.2+d~1.dsc"],
        &["", "a/b", "-a", ".a", "a b", "a;b", "a%b", "a:b"],
    );
    takes::<QomType>(&["vgpu-stub"], &["", "Vgpu", "a_b", "a\nb", "a'b", "1a"]);
    takes::<ConfigSymbol>(&["CONFIG_PCI"], &["CONFIG_", "PCI", "CONFIG_a"]);
    takes::<CMacro>(&["VGPU_STUB_CLASS", "_a"], &["", "1a", "a b", "a-b", "a(x)"]);
    takes::<CValue>(&["0x1af4", "1U", "NAME"], &["", "'a'", "a b", "\"a\"", "a\nb", "$(id)", "%a"]);
    takes::<ReleaseSuffix>(
        &[".vgpu1"],
        &["vgpu1", ".", ".a.b", ".A", ".a%{x}", &format!(".{long}")],
    );
    takes::<Memory>(&["8GiB", "512MiB"], &["8G", "0GiB", "GiB", "-1GiB", "8 GiB", "99999999GiB"]);
    takes::<Line>(&["a b"], &["", "  ", "a\nb", "a\0b"]);
    takes::<Url>(
        &["http://a/b", "file:///a", "file:///a:b@c", "http://a:8080/b@c"],
        &[
            "file://",
            "ftp://a",
            "http://a b",
            "http://a\nb",
            "http://me:pw@a/b",
            "http://tok@a/b",
            "http://a/b?token=x",
            "file:///a#b",
        ],
    );
    takes::<WebUrl>(
        &["https://a/b", "https://a:8080/b@c", "https://[::1]:80/b@c"],
        &[
            "https://me@a/b",
            "https://me:pw@a/b",
            "https://me:p/w@a/b",
            "ftp://a",
            "https://a\"b",
            "https://a/b?token=x",
            "https://a?b",
            "https://a/b#c",
        ],
    );
    takes::<GitUrl>(
        &["https://a/b.git", "ssh://git@a:22/b", "git@a:b/c", "file:///a"],
        &[
            "https://tok@a/b",
            "ssh://me:pw@a/b",
            "ssh://-oProxyCommand=x/a",
            "-a@b:c",
            "/a",
            "ext::x",
            "https://a/b?private_token=x",
            "git@a:b?c",
            "ssh://git@a/b#c",
        ],
    );
    takes::<Suite>(&["bookworm"], &["Bookworm", "book/worm", ""]);
    takes::<MacroName>(&["dist", "_topdir"], &["ab", "1ab", "a b", "a-b"]);
    takes::<DebianVersion>(&["1:7.2+dfsg-7"], &["", "v1", "1 2", "1;2"]);
}
