// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::build::CompilerCache;
use crate::config::{Line, Pipeline, TestBinary};
use crate::project::{DeviceFile, Inputs, LockState, Project};
use crate::run::Request;
use crate::sign::Signer;
use clap::ValueEnum;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Walks without a store: every key is known, as if each stage had its result.
#[derive(Default)]
struct Keys(BTreeMap<Stage, CacheKey>);

impl StageVisitor for Keys {
    fn step<S: Step>(&mut self, step: &S, takes: S::Takes<'_>) -> Result<Slot<S::Value>> {
        assert!(takes.edges().iter().all(|edge| edge.stage < S::STAGE), "{:?}", S::STAGE);
        let key = key(step, &takes);
        self.0.extend(key.clone().map(|key| (S::STAGE, key)));
        // What is in an environment says its key here.
        let content = key.as_ref().map(|key| key.as_str().to_owned());
        Ok(Slot::known(S::STAGE, key, content))
    }

    fn check(&mut self, _stage: Stage, _check: impl FnOnce() -> Result<()>) -> Result<()> {
        Ok(())
    }
}

fn pipeline() -> Pipeline {
    let text = include_str!("../../../workstation.yaml");
    let mut pipeline = crate::config::parse(text, "workstation.yaml").unwrap();
    pipeline.verify.guest = None;
    pipeline
}

fn alone() -> Pipeline {
    let mut pipeline = pipeline();
    pipeline.verify.stock = None;
    pipeline.verify.only_adds = None;
    pipeline
}

/// What a change of the pipeline or of what it reads is made to.
struct Given {
    project: Project,
    inputs: Inputs,
    signer: &'static str,
}

impl Given {
    fn new(pipeline: Pipeline) -> Self {
        let project = Project::of(pipeline);
        let containerfile = include_str!("../../../../containers/debian-12.Containerfile");
        let spec = include_str!("../../../workstation/qemu.spec");
        let inputs = Inputs {
            containerfile: containerfile.to_owned(),
            spec: Some(spec.into()),
            devices: vec![DeviceFile { path: "d.c".into(), bytes: b"d".to_vec() }],
            installed: None,
            lock: LockState::NotNeeded,
        };
        Self { project, inputs, signer: "KEY" }
    }

    fn with(pipeline: &Pipeline, change: impl FnOnce(&mut Self)) -> BTreeMap<Stage, CacheKey> {
        let mut given = Self::new(pipeline.clone());
        change(&mut given);
        given.keys()
    }

    fn session(self) -> (tempfile::TempDir, Session) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let request = Request::whole(&self.project);
        let signer = Some(Signer::by_name(self.signer));
        let (project, inputs) = (self.project, self.inputs);
        (folder, Session { project, inputs, request, store, signer, specs: OnceCell::new() })
    }

    fn keys(self) -> BTreeMap<Stage, CacheKey> {
        let mut visitor = Keys::default();
        compose(&mut visitor, &self.session().1).unwrap();
        visitor.0
    }
}

fn keys(pipeline: &Pipeline) -> BTreeMap<Stage, CacheKey> {
    Given::with(pipeline, |_| {})
}

/// The stages whose keys differ.
fn changed(a: &BTreeMap<Stage, CacheKey>, b: &BTreeMap<Stage, CacheKey>) -> BTreeSet<Stage> {
    let all = a.keys().chain(b.keys()).copied();
    all.filter(|stage| a.get(stage) != b.get(stage)).collect()
}

#[test]
fn each_input_reaches_exactly_what_depends_on_it() {
    use Stage::{Build, Dom0, Environment, Inject, Publish, Sign, Stock, Verify};
    let base = keys(&pipeline());
    let with = |change: fn(&mut Given)| changed(&base, &Given::with(&pipeline(), change));
    let late = [Build, Verify, Sign, Publish];
    assert_eq!(
        with(|it| it.inputs.devices[0].bytes.push(b'x')),
        [[Inject].as_slice(), &late].concat().into_iter().collect()
    );
    assert_eq!(
        with(|it| it.inputs.spec.as_mut().unwrap().push(b'#')),
        [[Inject, Stock].as_slice(), &late].concat().into_iter().collect()
    );
    assert_eq!(with(|it| it.signer = "OTHER"), BTreeSet::from([Sign, Publish]));
    assert_eq!(
        with(|it| it.inputs.containerfile.push('#')),
        [[Environment, Stock, Dom0].as_slice(), &late].concat().into_iter().collect()
    );
    assert_eq!(
        with(|it| it.inputs.installed = Some("a 100644 /b\n".to_owned())),
        BTreeSet::from([Verify, Sign, Publish])
    );
}

#[test]
fn a_define_of_a_device_is_part_of_what_is_injected() {
    let mut other = pipeline();
    let text = "{ type: vgpu-stub, source: ../device/vgpu-stub.c, defines: { A: '1' } }";
    other.device = vec![serde_yaml::from_str(text).unwrap()];
    let changed = changed(&keys(&pipeline()), &keys(&other));
    assert!(changed.contains(&Stage::Inject) && !changed.contains(&Stage::Stock), "{changed:?}");
}

#[test]
fn without_an_environment_only_what_does_not_need_it_has_a_key() {
    let (_folder, session) = Given::new(pipeline()).session();
    let plan = session.plan().unwrap();
    let known: Vec<Stage> =
        plan.nodes.iter().filter(|node| node.key.is_some()).map(|node| node.stage).collect();
    assert_eq!(known, [Stage::Source, Stage::Environment, Stage::Inject]);
}

#[test]
fn without_a_wrapper_or_a_stock_package_there_is_no_such_stage() {
    let steps = keys(&Pipeline { wrapper: None, ..alone() });
    let missing: Vec<&Stage> =
        Stage::value_variants().iter().filter(|stage| !steps.contains_key(stage)).collect();
    assert_eq!(missing, [&Stage::Stock, &Stage::Dom0]);
}

#[test]
fn fields_of_a_record_cannot_run_into_each_other() {
    let one = KeyBuilder::new(Stage::Build, 1).text("a", "bc").key();
    let other = KeyBuilder::new(Stage::Build, 1).text("ab", "c").key();
    assert_ne!(one, other);
}

#[test]
fn a_contract_is_part_of_what_is_verified_and_its_place_is_not() {
    let contract = include_str!("../../../../device/vgpu-stub.yaml");
    let with = |text: &str, place: &str| {
        let mut pipeline = pipeline();
        pipeline.verify.contracts = vec![place.into()];
        pipeline.verify.types = vec![crate::config::parse_contract(text, "c.yaml").unwrap()];
        keys(&pipeline)
    };
    let base = with(contract, "a/c.yaml");
    assert!(changed(&base, &with(contract, "elsewhere/c.yaml")).is_empty());
    let other = contract.replace("revision: 0x01", "revision: 0x02");
    let late = BTreeSet::from([Stage::Verify, Stage::Sign, Stage::Publish]);
    assert_eq!(changed(&base, &with(&other, "a/c.yaml")), late);
}

fn own_cache(given: &Given) -> CompilerCache {
    crate::build::own_cache_of(&given.project, &given.inputs)
}

#[test]
fn a_cache_that_others_write_is_never_behind_a_result() {
    let elsewhere = |it: &mut Given| it.project.place = "elsewhere".into();
    // Where a pipeline lies is nothing to the cache that nobody writes.
    assert!(changed(&keys(&pipeline()), &Given::with(&pipeline(), elsewhere)).is_empty());
    let (own, cache) = (keys(&alone()), own_cache(&Given::new(alone())));
    // Neither the cache nor a result out of it is another pipeline's.
    let changes: [fn(&mut Given); 3] = [
        |it| it.project.place = "elsewhere".into(),
        |it| it.inputs.spec.as_mut().unwrap().push(b'#'),
        |it| it.project.pipeline.name = "other".to_owned().try_into().unwrap(),
    ];
    for change in changes {
        let mut other = Given::new(alone());
        change(&mut other);
        assert_ne!(own_cache(&other), cache);
        assert!(changed(&own, &other.keys()).contains(&Stage::Build));
    }
    // An edit of the device finds the cache of the build before.
    let mut edited = Given::new(alone());
    edited.inputs.devices[0].bytes.push(b'x');
    assert_eq!(own_cache(&edited), cache);
    // A result of a pipeline without a stock package is no result of one with it.
    assert_ne!(own.get(&Stage::Build), keys(&pipeline()).get(&Stage::Build));
}

type Change = fn(&mut Pipeline);

/// Whatever runs in a build that writes the cache: what it put there is not read once it is gone.
#[test]
fn a_cache_of_its_own_ends_with_every_word_that_could_have_written_it() {
    let alone = alone();
    let mut tested = alone.clone();
    let none: TestBinary = serde_yaml::from_str("{ file: a/qemu, edits: [] }").unwrap();
    tested.build.test_binary = Some(TestBinary { edits: tested.spec.edits.clone(), ..none });
    let line = || Line::try_from("x".to_owned()).unwrap();
    let changes: [(&str, Change); 5] = [
        ("no edit", |p| p.spec.edits.clear()),
        ("an edit less", |p| drop(p.spec.edits.pop())),
        ("edits in another order", |p| p.spec.edits.reverse()),
        ("no define", |p| p.build.define.clear()),
        ("a test binary or none", |p| {
            p.build.test_binary = match &p.build.test_binary {
                None => Some(serde_yaml::from_str("{ file: a, edits: [] }").unwrap()),
                Some(binary) => Some(TestBinary { edits: Vec::new(), ..binary.clone() }),
            }
        }),
    ];
    let cache = |pipeline: &Pipeline| own_cache(&Given::new(pipeline.clone()));
    for mut base in [alone, tested] {
        base.build.define.insert("abc".to_owned().try_into().unwrap(), line());
        for (what, change) in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(cache(&other), cache(&base), "{what}");
            assert!(changed(&keys(&base), &keys(&other)).contains(&Stage::Build), "{what}");
        }
        // What only judges, or is said of the packages later, has no part in it.
        let mut other = base.clone();
        other.verify.provides.clear();
        other.build.limits.pids += 1;
        other.build.define.insert("other".to_owned().try_into().unwrap(), line());
        assert_ne!(cache(&other), cache(&base));
        other.build.define = base.build.define.clone();
        assert_eq!(cache(&other), cache(&base));
    }
}
