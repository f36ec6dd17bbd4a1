use super::*;
use crate::config::TestBinary;
use std::collections::BTreeSet;

fn pipeline() -> Pipeline {
    crate::config::parse(include_str!("../../workstation.yaml"), "workstation.yaml").unwrap()
}

fn inputs() -> Inputs {
    Inputs {
        place: "p".into(),
        containerfile: "c".into(),
        spec: Some("s".into()),
        carried: "carried".to_owned(),
        installed: None,
        lock: None,
        devices: vec!["d".into()],
        guest: None,
        signer: Some("k".into()),
        closure: Some("e".into()),
    }
}

/// The stages whose keys differ between two plans.
fn changed(a: &Plan, b: &Plan) -> BTreeSet<Stage> {
    Stage::ALL.into_iter().filter(|stage| a.key(*stage) != b.key(*stage)).collect()
}

#[test]
fn each_input_reaches_exactly_what_depends_on_it() {
    use Stage::{Build, Environment, Inject, Publish, Sign, Stock, Verify, Wrapper};
    let base = plan(&pipeline(), &inputs());
    let with = |change: fn(&mut Inputs)| {
        let mut inputs = inputs();
        change(&mut inputs);
        changed(&base, &plan(&pipeline(), &inputs))
    };
    let late = [Build, Verify, Sign, Publish];
    assert_eq!(
        with(|i| i.devices[0] = "x".into()),
        [[Inject].as_slice(), &late].concat().into_iter().collect()
    );
    assert_eq!(
        with(|i| i.spec = Some("x".into())),
        [[Inject, Stock].as_slice(), &late].concat().into_iter().collect()
    );
    assert_eq!(with(|i| i.signer = Some("x".into())), BTreeSet::from([Sign, Publish]));
    assert_eq!(with(|i| i.containerfile = "x".into()), BTreeSet::from([Environment]));
    assert_eq!(
        with(|i| i.closure = Some("x".into())),
        [[Stock, Wrapper].as_slice(), &late].concat().into_iter().collect()
    );
    // A kernel that was not there before is a reason to judge again.
    assert_eq!(with(|i| i.guest = Some("x".into())), BTreeSet::from([Verify, Sign, Publish]));
    assert_eq!(with(|i| i.carried = "x".into()), BTreeSet::from([Wrapper, Verify, Sign, Publish]));
}

#[test]
fn a_define_of_a_device_is_part_of_what_is_injected() {
    let base = plan(&pipeline(), &inputs());
    let mut pipeline = pipeline();
    let text = "{ type: vgpu-stub, source: ../device/vgpu-stub.c, defines: { A: '1' } }";
    pipeline.device = vec![serde_yaml::from_str(text).unwrap()];
    let early = BTreeSet::from([Stage::Source, Stage::Environment, Stage::Stock, Stage::Wrapper]);
    let unchanged = &BTreeSet::from(Stage::ALL) - &changed(&base, &plan(&pipeline, &inputs()));
    assert_eq!(unchanged, early);
}

#[test]
fn without_an_environment_only_what_does_not_need_it_has_a_key() {
    let plan = plan(&pipeline(), &Inputs { closure: None, ..inputs() });
    let known: Vec<Stage> =
        plan.steps.iter().filter(|step| step.key.is_some()).map(|step| step.stage).collect();
    assert_eq!(known, [Stage::Source, Stage::Environment, Stage::Inject]);
}

#[test]
fn without_a_wrapper_or_a_stock_package_there_is_no_such_stage() {
    let mut pipeline = Pipeline { wrapper: None, ..pipeline() };
    pipeline.verify.stock = None;
    let steps = plan(&pipeline, &inputs()).steps;
    assert_eq!(steps.len(), Stage::ALL.len() - 2);
    let optional = [Stage::Stock, Stage::Wrapper];
    assert!(steps.iter().all(|step| !optional.contains(&step.stage) && step.key.is_some()));
}

#[test]
fn fields_of_a_record_cannot_run_into_each_other() {
    let one = Recipe::new(Stage::Build).text("a", "bc").key();
    let other = Recipe::new(Stage::Build).text("ab", "c").key();
    assert_ne!(one, other);
}

#[test]
fn a_stage_takes_only_from_earlier_ones() {
    for stage in Stage::ALL {
        assert!(stage.takes().iter().all(|taken| *taken < stage), "{}", stage.name());
    }
}

#[test]
fn a_contract_is_part_of_what_is_verified_and_its_place_is_not() {
    let contract = include_str!("../../../device/vgpu-stub.yaml");
    let with = |text: &str, place: &str| {
        let mut pipeline = pipeline();
        pipeline.verify.contracts = vec![place.into()];
        pipeline.verify.types = vec![crate::config::parse_contract(text, "c.yaml").unwrap()];
        plan(&pipeline, &inputs())
    };
    let base = with(contract, "a/c.yaml");
    assert!(changed(&base, &with(contract, "elsewhere/c.yaml")).is_empty());
    let other = contract.replace("revision: 0x01", "revision: 0x02");
    let late = BTreeSet::from([Stage::Verify, Stage::Sign, Stage::Publish]);
    assert_eq!(changed(&base, &with(&other, "a/c.yaml")), late);
}

#[test]
fn a_cache_that_others_write_is_never_behind_a_result() {
    let stock = plan(&pipeline(), &inputs());
    let place = |inputs: &mut Inputs| inputs.place = "elsewhere".into();
    let with = |pipeline: &Pipeline, change: fn(&mut Inputs)| {
        let mut inputs = inputs();
        change(&mut inputs);
        plan(pipeline, &inputs)
    };
    let key = stock.key(Stage::Stock).unwrap().clone();
    assert_eq!(stock.compiler_cache, Some(CompilerCache::Stock(key)));
    // Where a pipeline lies is nothing to the cache that nobody writes.
    assert!(changed(&stock, &with(&pipeline(), place)).is_empty());

    let mut alone = pipeline();
    alone.verify.stock = None;
    alone.verify.only_adds = None;
    let own = plan(&alone, &inputs());
    let cache = own.compiler_cache.clone().unwrap();
    assert!(matches!(cache, CompilerCache::Own(_)));
    // Neither the cache nor a result out of it is another pipeline's.
    let named = Pipeline { name: "other".to_owned().try_into().unwrap(), ..alone.clone() };
    for other in [
        with(&alone, place),
        with(&alone, |i| i.closure = Some("x".into())),
        with(&alone, |i| i.spec = Some("x".into())),
        plan(&named, &inputs()),
    ] {
        assert_ne!(other.compiler_cache, Some(cache.clone()));
        assert!(changed(&own, &other).contains(&Stage::Build));
    }
    // An edit of the device finds the cache of the build before.
    let edited = with(&alone, |i| i.devices[0] = "x".into());
    assert_eq!(edited.compiler_cache, Some(cache));
    // A result of a pipeline without a stock package is no result of one with it.
    assert_ne!(own.key(Stage::Build), stock.key(Stage::Build));
}

type Change = fn(&mut Pipeline);

/// Whatever runs in a build that writes the cache: what it put there is not read once it is gone.
#[test]
fn a_cache_of_its_own_ends_with_every_word_that_could_have_written_it() {
    let mut alone = pipeline();
    alone.verify.stock = None;
    alone.verify.only_adds = None;
    let mut tested = alone.clone();
    let none: TestBinary = serde_yaml::from_str("{ file: a/qemu, edits: [] }").unwrap();
    tested.build.test_binary = Some(TestBinary { edits: tested.spec.edits.clone(), ..none });
    let line = || crate::config::Line::try_from("x".to_owned()).unwrap();
    let changes: [(&str, Change); 6] = [
        ("no edit", |p| p.spec.edits.clear()),
        ("an edit less", |p| drop(p.spec.edits.pop())),
        ("edits in another order", |p| p.spec.edits.reverse()),
        ("other sources", |p| drop(p.source.pop())),
        ("no define", |p| p.build.define.clear()),
        ("a test binary or none", |p| {
            p.build.test_binary = match &p.build.test_binary {
                None => Some(serde_yaml::from_str("{ file: a, edits: [] }").unwrap()),
                Some(binary) => Some(TestBinary { edits: Vec::new(), ..binary.clone() }),
            }
        }),
    ];
    for mut base in [alone, tested] {
        base.build.define.insert("abc".to_owned().try_into().unwrap(), line());
        let before = plan(&base, &inputs());
        for (what, change) in changes {
            let mut other = base.clone();
            change(&mut other);
            let after = plan(&other, &inputs());
            assert_ne!(after.compiler_cache, before.compiler_cache, "{what}");
            assert!(changed(&before, &after).contains(&Stage::Build), "{what}");
        }
        // What only judges, or is said of the packages later, has no part in it.
        let mut other = base.clone();
        other.verify.provides.clear();
        other.build.limits.pids += 1;
        other.build.define.insert("other".to_owned().try_into().unwrap(), line());
        assert_ne!(plan(&other, &inputs()).compiler_cache, before.compiler_cache);
        other.build.define = base.build.define.clone();
        assert_eq!(plan(&other, &inputs()).compiler_cache, before.compiler_cache);
    }
}
