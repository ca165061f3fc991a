//! `Comparisons` updates its result at each record. The test compares it with a complete comparison.

use std::collections::BTreeMap;

use racetrap_history::{
    ApiChange, Change, Comparisons, EngineContainer, EngineImage, EngineState, EngineVolume,
    MirrorKey, Record, View, What,
};
use serde_json::{Value, json};

/// Pseudo-random numbers that are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).expect("it is small")]
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "racetrap-probe-1"];

/// A state of the engine with a few objects of each kind, whose fields have one of two values.
fn truth(dice: &mut Dice) -> What {
    let mut state = EngineState::default();
    for name in NAMES {
        if dice.below(2) == 0 {
            let volume = EngineVolume {
                driver: dice.one_of(&["local", "other"]).to_owned(),
                mountpoint: "/v".to_owned(),
                labels: BTreeMap::new(),
                details: None,
            };
            state.volumes.insert(name.to_owned(), volume);
        }
        if dice.below(2) == 0 {
            let container = EngineContainer {
                name: name.to_owned(),
                image: "i".to_owned(),
                state: dice.one_of(&["created", "running"]).to_owned(),
                labels: BTreeMap::new(),
                details: None,
            };
            state.containers.insert(format!("id-{name}"), container);
        }
        if dice.below(2) == 0 {
            let tags: &[&str] = dice.one_of(&[&[][..], &["one:1"], &["one:1", "two:2"]]);
            let image = EngineImage {
                tags: tags.iter().map(|tag| format!("{name}-{tag}")).collect(),
                os: "linux".to_owned(),
                architecture: "amd64".to_owned(),
                labels: BTreeMap::new(),
                details: None,
            };
            state.images.insert(format!("image-{name}"), image);
        }
    }
    What::Truth(state)
}

/// A mirror, which may be a second one of its object, belong to somebody else, or have no status.
fn object(dice: &mut Dice, resource: &str, version: u64) -> Value {
    let name = dice.one_of(&NAMES);
    let of = dice.one_of(&NAMES);
    let status = match resource {
        "volumes" => json!({ "name": of, "driver": "local", "mountpoint": "/v" }),
        "images" => json!({ "id": format!("image-{of}"), "repoTag": format!("{of}-one:1"),
                            "os": "linux", "architecture": "amd64" }),
        _ => json!({ "name": name, "image": "i", "status": "created" }),
    };
    let name = if resource == "containers" { format!("id-{name}") } else { name.to_owned() };
    let finalizers = dice.one_of(&[&["engine.rancherdesktop.io/mirror"][..], &["mine"], &[]]);
    let mut object = json!({
        "metadata": { "name": name, "namespace": "default", "uid": version.to_string(),
                      "resourceVersion": version.to_string(), "finalizers": finalizers },
        "status": status,
    });
    if dice.below(5) == 0 {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    if dice.below(5) == 0 {
        object["status"] = Value::Null;
    }
    object
}

fn what(dice: &mut Dice, seq: u64) -> What {
    // The version goes back at times, as if a watch lagged behind a list.
    let version = 100 + seq - dice.below(10).min(seq);
    let resource = dice.one_of(&["volumes", "images", "containers"]);
    match dice.below(12) {
        0 | 1 => truth(dice),
        2 => {
            let running = dice.below(3) > 0;
            let app = json!({ "metadata": { "name": "app", "resourceVersion": version.to_string() },
                              "spec": { "running": running } });
            let change = dice.one_of(&[Change::Modified, Change::Modified, Change::Deleted]);
            What::Api(ApiChange { resource: "apps".to_owned(), change, object: app })
        }
        3 => {
            let objects = (0..dice.below(4)).map(|_| object(dice, resource, version)).collect();
            What::Listed { resource: resource.to_owned(), version, objects }
        }
        _ => {
            let change = dice.one_of(&[Change::Added, Change::Modified, Change::Deleted]);
            let object = object(dice, resource, version);
            What::Api(ApiChange { resource: resource.to_owned(), change, object })
        }
    }
}

// After each record, the last reported comparisons together must contain exactly the differences and the
// mirrors of a complete comparison. A change that is not reported, or reported wrongly, makes them differ.
#[test]
fn incremental_comparisons_equal_a_complete_comparison_after_each_record() {
    let mut differing = 0;
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let (mut followed, mut view) = (Comparisons::default(), View::default());
        let mut told: BTreeMap<MirrorKey, (usize, Vec<String>)> = BTreeMap::new();
        for seq in 0..150 {
            let what = what(&mut dice, seq);
            let record = Record { seq, at_us: seq, neighbour: false, what };
            view.apply(&record);
            for comparison in followed.apply(&record) {
                if comparison.expected.is_none() && comparison.seen.is_empty() {
                    told.remove(&comparison.key);
                } else {
                    let said = (comparison.seen.len(), comparison.differences);
                    told.insert(comparison.key, said);
                }
            }
            let mut expected = view.differences();
            expected.sort();
            let mut found: Vec<_> = told.values().flat_map(|(_, said)| said.clone()).collect();
            found.sort();
            assert_eq!(found, expected, "seed {seed}, after {record:?}");
            let mirrors: usize = told.values().map(|(seen, _)| seen).sum();
            assert_eq!(mirrors, view.mirrors().len(), "seed {seed}, after {record:?}");
            assert_eq!(followed.wants_mirrors(), view.wants_mirrors());
            differing += expected.len();
        }
    }
    assert!(differing > 1000, "only {differing} differences: the histories show too little");
}
