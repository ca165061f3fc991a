//! A planted secret of each kind is masked, and a file in which it is not masked is found and
//! removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::manifest::{Cause, MANIFEST, Manifest, State, Trigger};
use super::output::{Content, Store};
use super::seal::seal;
use crate::mask::{DocumentKind, Hits, Location, Masker, Rule, canary};

/// Writes the files of a bundle, each with a planted secret of one kind, masked as its collector
/// does it.
fn bundle(place: &Path, masker: &Masker) {
    let home = place.join("home");
    canary::plant_logins(&home, true).expect("room");
    let read = |name: &str| fs::read_to_string(home.join(name)).expect("it was planted");
    let (config, kubeconfig) = (read(".docker/config.json"), read(".kube/config"));
    // Only the masked copies belong to the bundle.
    fs::remove_dir_all(home).expect("it was planted");
    canary::plant_headers(&place.join("engine.log")).expect("room");

    let mut hits = Hits::default();
    let mut environment = [format!("{}={}", canary::VARIABLE, canary::secret("Daemon"))];
    masker.environment(&mut environment, &Location::ROOT, &mut hits);
    let inspect = json!([{ "Id": "1", "Config": { "Env": canary::container_variables(true) } }]);
    // A sleeping container prints its last variable to its log.
    let printed = canary::container_variables(true).pop().expect("it sleeps");
    let printed = printed.split_once('=').expect("a variable").1.to_owned();
    let store = Store::new(place.join("world"), "world", masker.clone());
    let output = store.output("test");
    output.put("processes.json", Content::Masked(environment.join("\n"), hits));
    output.put("container-inspect.json", Content::Document(DocumentKind::Docker, inspect));
    let (text, hits) = masker.json(DocumentKind::DockerConfig, config.as_bytes()).expect("one");
    output.put("config.json", Content::Masked(text, hits));
    let (text, hits) = masker.yaml(DocumentKind::Kubeconfig, &kubeconfig).expect("one");
    output.put("kubeconfig.yaml", Content::Masked(text, hits));
    output.put("container.log", Content::Text(format!("stdout T {printed}\n")));
    let cause = Cause::new(Trigger::Verdict, "a test");
    let manifest = Manifest { entries: store.entries(), deadline: 1.0, ..Manifest::empty(&cause) };
    manifest.write(place).expect("room");
}

/// Seals a bundle that was masked by `masker`, and returns the files in which a planted secret was
/// left. None of them may be in the sealed bundle.
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
    let entered: BTreeSet<_> = left_out.filter_map(|entry| entry.path.clone()).collect();
    let found: BTreeSet<_> = found.into_iter().collect();
    assert_eq!(entered, found, "the manifest says why they are not there");
    assert!(!found.contains(MANIFEST));
    found
}

// The reason of a world that did not start quotes the end of a log, and the reason of a missing
// file may quote the file.
#[tokio::test]
async fn a_secret_that_the_manifest_quotes_is_masked() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = place.path().join("run");
    fs::create_dir(&run).expect("a new directory");
    let quoted = format!("it said: Authorization: Bearer {}", canary::secret("Bearer"));
    let masker = Masker::default();
    let store = Store::new(run.join("world"), "world", masker.clone());
    store.output("test").missing("x.txt", &quoted);
    assert!(store.entries()[0].why.as_deref().is_some_and(|why| why.ends_with("Bearer masked-1")));
    let found = seal(&run, Cause::new(Trigger::Unmade, &quoted), &masker).await.expect("room");
    assert_eq!(found, Vec::<String>::new());
    let reason = Manifest::read(&run).expect("it is whole").reason;
    assert_eq!(reason, "it said: Authorization: Bearer masked-1");
}

// With all rules no file is found. Then the rules for one kind of secret are switched off, together
// with the rules that would also mask it: exactly the files with that kind of secret must be found.
#[tokio::test]
async fn a_kind_of_secret_that_is_not_masked_is_found_and_left_out() {
    assert_eq!(leaks(&Masker::default()).await, BTreeSet::new());
    let log = "world/container.log";
    for (off, files) in [
        (&[Rule::Variable][..], &["world/processes.json", "world/container-inspect.json"][..]),
        (&[Rule::NamedValue], &[log]),
        (&[Rule::RegistryAuth, Rule::NamedValue], &["world/config.json", log]),
        (&[Rule::KubeconfigUser, Rule::NamedValue], &["world/kubeconfig.yaml", log]),
        (&[Rule::Header, Rule::Bearer, Rule::EncodedJson, Rule::NamedValue], &["engine.log", log]),
    ] {
        let found = leaks(&Masker::without(off)).await;
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(found, files, "without {off:?}");
    }
}
