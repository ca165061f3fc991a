//! That a planted secret of each kind is masked, and that it is found where it is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::manifest::{Cause, MANIFEST, Manifest, State, Trigger};
use super::seal::seal;
use super::shelf::{Content, Store};
use crate::mask::{DocumentKind, Hits, Masker, Place, Rule, canary};

/// Files of a bundle, each with a secret of one kind, as its collector masks them.
fn bundle(place: &Path, masker: &Masker) {
    let home = place.join("home");
    canary::plant_logins(&home, true).expect("room");
    let read = |name: &str| fs::read_to_string(home.join(name)).expect("it was planted");
    let (config, kubeconfig) = (read(".docker/config.json"), read(".kube/config"));
    fs::remove_dir_all(home).expect("it was planted");
    canary::plant_headers(&place.join("engine.log")).expect("room");

    let mut hits = Hits::default();
    let mut environment = [format!("{}={}", canary::VARIABLE, canary::secret("Daemon"))];
    masker.environment(&mut environment, &Place::ROOT, &mut hits);
    let inspect = json!([{ "Id": "1", "Config": { "Env": canary::of_container(true) } }]);
    let said = canary::of_container(true).pop().expect("it sleeps");
    let said = said.split_once('=').expect("a variable").1.to_owned();
    let store = Store::new(place.join("world"), "world", masker.clone());
    let shelf = store.shelf("test");
    shelf.put("processes.json", Content::Masked(environment.join("\n"), hits));
    shelf.put("container-inspect.json", Content::Document(DocumentKind::Docker, inspect));
    let (text, hits) = masker.json(DocumentKind::DockerConfig, config.as_bytes()).expect("one");
    shelf.put("config.json", Content::Masked(text, hits));
    let (text, hits) = masker.yaml(DocumentKind::Kubeconfig, &kubeconfig).expect("one");
    shelf.put("kubeconfig.yaml", Content::Masked(text, hits));
    shelf.put("container.log", Content::Text(format!("stdout T {said}\n")));
    let cause = Cause::new(Trigger::Verdict, "a test");
    let manifest = Manifest { entries: store.entries(), deadline: 1.0, ..Manifest::empty(&cause) };
    manifest.write(place).expect("room");
}

/// The files that a masker leaves a planted secret in; none of them is in the sealed bundle.
async fn leaks(masker: &Masker) -> BTreeSet<String> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = place.path().join("run");
    fs::create_dir(&run).expect("a new directory");
    bundle(&run, masker);
    let found = seal(&run, Cause::new(Trigger::Verdict, "a test"), masker).await.expect("room");
    assert!(canary::files_with(place.path()).expect("it can be read").is_empty());
    let manifest = Manifest::read(&run).expect("it is whole");
    let why = |entry: &super::Entry| entry.why.clone().unwrap_or_default();
    let left_out = manifest.entries.iter().filter(|entry| why(entry).contains("planted"));
    assert!(left_out.clone().all(|entry| entry.state == State::Missing), "{manifest:?}");
    let told: BTreeSet<_> = left_out.filter_map(|entry| entry.path.clone()).collect();
    let found: BTreeSet<_> = found.into_iter().collect();
    assert_eq!(told, found, "the manifest says why they are not there");
    assert!(!found.contains(MANIFEST));
    found
}

// A world that could not be made is told with the end of a log, and a file that cannot be used may be quoted.
#[tokio::test]
async fn what_a_manifest_quotes_is_masked() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = place.path().join("run");
    fs::create_dir(&run).expect("a new directory");
    let quoted = format!("it said: Authorization: Bearer {}", canary::secret("Bearer"));
    let masker = Masker::default();
    let store = Store::new(run.join("world"), "world", masker.clone());
    store.shelf("test").missing("x.txt", &quoted);
    assert!(store.entries()[0].why.as_deref().is_some_and(|why| why.ends_with("Bearer masked-1")));
    let found = seal(&run, Cause::new(Trigger::Unmade, &quoted), &masker).await.expect("room");
    assert_eq!(found, Vec::<String>::new());
    let reason = Manifest::read(&run).expect("it is whole").reason;
    assert_eq!(reason, "it said: Authorization: Bearer masked-1");
}

// The rules of one kind are switched off at a time, with those that would take their place: exactly the files of that
// kind must be found. With all rules nothing is.
#[tokio::test]
async fn a_kind_of_secret_that_is_not_masked_is_found_and_left_out() {
    assert_eq!(leaks(&Masker::default()).await, BTreeSet::new());
    let said = "world/container.log";
    for (off, files) in [
        (&[Rule::Variable][..], &["world/processes.json", "world/container-inspect.json"][..]),
        (&[Rule::NamedValue], &[said]),
        (&[Rule::RegistryAuth, Rule::NamedValue], &["world/config.json", said]),
        (&[Rule::KubeconfigUser, Rule::NamedValue], &["world/kubeconfig.yaml", said]),
        (&[Rule::Header, Rule::Bearer, Rule::EncodedJson, Rule::NamedValue], &["engine.log", said]),
    ] {
        let found = leaks(&Masker::without(off)).await;
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(found, files, "without {off:?}");
    }
}
