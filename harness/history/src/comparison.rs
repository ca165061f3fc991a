//! Mirrors that must be beside those that are, followed from record to record.
//!
//! [`View::differences`] compares everything there is at one instant. To know it at every instant, only
//! what a record touches is compared anew here; both say the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::mirror::{Mirror, MirrorKey, expected};
use crate::record::{EngineState, Record, What};
use crate::view::{View, object_key};

/// What a mirror must say, field by field.
type Fields = BTreeMap<String, String>;
/// Resource, and namespace with name.
type Place = (String, String);

/// One mirror that must be, beside those that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What it stands for.
    pub key: MirrorKey,
    /// What it must say; none, where there must be no such mirror.
    pub expected: Option<BTreeMap<String, String>>,
    /// The mirrors that there are.
    pub seen: Vec<Mirror>,
    /// What is different, as sentence fragments; nothing, where all is as it must be.
    pub differences: Vec<String>,
}

/// Follows a history, and tells what each record changed.
#[derive(Debug, Default)]
pub struct Comparisons {
    view: View,
    /// What the engine holds, as far as it must be mirrored.
    mirrored: EngineState,
    expected: BTreeMap<MirrorKey, Fields>,
    mirrors: BTreeMap<Place, Mirror>,
    places: BTreeMap<MirrorKey, BTreeSet<Place>>,
}

impl Comparisons {
    /// Takes one more record; returns the comparisons that are different after it. One that neither
    /// expects nor sees anything is over.
    pub fn apply(&mut self, record: &Record) -> Vec<Comparison> {
        self.view.apply(record);
        let mut touched = BTreeSet::new();
        self.take_truth(&record.what, &mut touched);
        self.take_mirrors(&record.what, &mut touched);
        touched.into_iter().map(|key| self.compared(key)).collect()
    }

    /// Mirrors must be there at all.
    #[must_use]
    pub fn wants_mirrors(&self) -> bool {
        self.view.wants_mirrors()
    }

    fn take_truth(&mut self, what: &What, touched: &mut BTreeSet<MirrorKey>) {
        let of_apps = resource(what) == Some("apps");
        if !of_apps && !matches!(what, What::Truth(_)) {
            return;
        }
        let now = match self.view.wants_mirrors() {
            true => self.view.truth().clone(),
            false => EngineState::default(),
        };
        for key in expected(&differing(&self.mirrored, &now)).into_keys() {
            self.expected.remove(&key);
            touched.insert(key);
        }
        let come = expected(&differing(&now, &self.mirrored));
        touched.extend(come.keys().cloned());
        self.expected.extend(come);
        self.mirrored = now;
    }

    fn take_mirrors(&mut self, what: &What, touched: &mut BTreeSet<MirrorKey>) {
        let Some(resource) = resource(what) else { return };
        let keys: BTreeSet<String> = if let What::Api(change) = what {
            BTreeSet::from([object_key(&change.object)])
        } else {
            let before = self.mirrors.keys().filter(|(of, _)| of == resource);
            let before = before.map(|(_, key)| key.clone());
            before.chain(self.view.names(resource).map(str::to_owned)).collect()
        };
        for key in keys {
            let now = self.view.mirror(resource, &key);
            let place = (resource.to_owned(), key);
            let before = self.mirrors.remove(&place);
            if before != now {
                touched.extend([&before, &now].into_iter().flatten().map(|one| one.key.clone()));
            }
            if let Some(before) = before
                && let Some(places) = self.places.get_mut(&before.key)
            {
                places.remove(&place);
            }
            if let Some(now) = now {
                self.places.entry(now.key.clone()).or_default().insert(place.clone());
                self.mirrors.insert(place, now);
            }
        }
    }

    fn compared(&self, key: MirrorKey) -> Comparison {
        let places = self.places.get(&key).into_iter().flatten();
        let seen: Vec<_> = places.filter_map(|place| self.mirrors.get(place)).cloned().collect();
        let expected = self.expected.get(&key).cloned();
        let wanted = expected.iter().map(|fields| (key.clone(), fields.clone())).collect();
        let differences = self.view.compare(&wanted, &seen);
        Comparison { key, expected, seen, differences }
    }
}

/// The resource whose objects a record shows.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other record shows objects of the API")]
fn resource(what: &What) -> Option<&str> {
    match what {
        What::Api(change) => Some(&change.resource),
        What::Listed { resource, .. } => Some(resource),
        _ => None,
    }
}

/// What `state` has that `other` has not, or has otherwise.
fn differing(state: &EngineState, other: &EngineState) -> EngineState {
    EngineState {
        containers: but(&state.containers, &other.containers),
        images: but(&state.images, &other.images),
        volumes: but(&state.volumes, &other.volumes),
    }
}

fn but<T: Clone + PartialEq>(
    these: &BTreeMap<String, T>,
    those: &BTreeMap<String, T>,
) -> BTreeMap<String, T> {
    let differs = |(key, value): &(&String, &T)| those.get(*key) != Some(*value);
    these.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect()
}
