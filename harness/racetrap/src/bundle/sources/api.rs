//! The daemon's API: what it serves, every object of it, and how far the harness's watches have come.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use racetrap_history::{What, journal};
use serde_json::{Map, Value, json};

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::chain::chain;
use crate::daemon::Api;
use crate::mask::DocumentKind;

/// How many requests there are at once.
const AT_ONCE: usize = 6;

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::asks("api", Duration::from_secs(8), |shelf| async move {
        let position = position(&patient.journal());
        match connect(&patient).await {
            Ok(api) => ask(&api, &shelf, position).await,
            Err(why) => shelf.missing("api", why),
        }
    })
}

async fn connect(patient: &Patient) -> Result<Api, String> {
    let kubeconfig = patient.kubeconfig().ok_or("the daemon has not said where its API is")?;
    Api::connect(&kubeconfig).await.map_err(|error| chain(&error))
}

async fn ask(api: &Api, shelf: &Shelf, position: Result<Position, String>) {
    for path in ["readyz", "livez"] {
        let name = format!("api/{path}.txt");
        match api.raw(&format!("/{path}?verbose")).await {
            Ok(text) => shelf.put(&name, Content::Text(text)),
            Err(error) => shelf.missing(&name, chain(&error)),
        }
    }
    let (discovery, resources) = discover(api, shelf).await;
    shelf.put("api/discovery.json", Content::Json(Value::Object(discovery)));
    let lists = resources.into_iter().map(|resource| async move {
        let list = list(api, &resource).await;
        (resource, list)
    });
    let mut lists = std::pin::pin!(futures::stream::iter(lists).buffer_unordered(AT_ONCE));
    let mut conditions = BTreeMap::new();
    let mut versions = BTreeMap::new();
    while let Some((resource, list)) = lists.next().await {
        let name = format!("api/objects/{}.yaml", resource.name());
        match list {
            Ok(list) => {
                conditions.insert(resource.name(), conditions_of(&list));
                let version = list["metadata"]["resourceVersion"].clone();
                versions.insert(resource.plural, version);
                shelf.put(&name, Content::Document(DocumentKind::Kubernetes, list));
            }
            Err(why) => shelf.missing(&name, why),
        }
    }
    let conditions: String = conditions.into_values().collect();
    let heading = "Object, condition, status, reason, generation, since, message\n";
    shelf.put("api/conditions.txt", Content::Text(format!("{heading}{conditions}")));
    match position {
        Ok(position) => shelf.put("api/watches.json", Content::Json(position.against(&versions))),
        Err(why) => shelf.missing("api/watches.json", why),
    }
}

/// One resource that the API serves.
struct Served {
    /// `v1`, or `GROUP/VERSION`.
    version: String,
    plural: String,
    kind: String,
}

impl Served {
    /// `PLURAL.GROUP`; the core group has no name.
    fn name(&self) -> String {
        match self.version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.clone(),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}", root_of(&self.version), self.plural)
    }
}

fn root_of(version: &str) -> String {
    if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") }
}

/// What the API says that it serves, by path, and the resources that it lists.
async fn discover(api: &Api, shelf: &Shelf) -> (Map<String, Value>, Vec<Served>) {
    let mut said = Map::new();
    let mut resources = Vec::new();
    for path in ["/version", "/api", "/apis"] {
        note(api, shelf, path, &mut said).await;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let core = said.get("/api").and_then(|core| core["versions"].as_array()).into_iter().flatten();
    let groups = said.get("/apis").and_then(|groups| groups["groups"].as_array());
    let preferred =
        groups.into_iter().flatten().map(|group| &group["preferredVersion"]["groupVersion"]);
    let mut versions: Vec<_> = core.chain(preferred).filter_map(text).collect();
    for version in defined(api, shelf).await {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    for version in versions {
        let path = root_of(&version);
        note(api, shelf, &path, &mut said).await;
        let served = said.get(&path).and_then(|served| served["resources"].as_array());
        for resource in served.into_iter().flatten() {
            let verbs = resource["verbs"].as_array();
            let lists = verbs.is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
            let names = text(&resource["name"]).zip(text(&resource["kind"]));
            if let Some((plural, kind)) = names.filter(|_| lists) {
                resources.push(Served { version: version.clone(), plural, kind });
            }
        }
    }
    (said, resources)
}

/// Versions of the groups whose kinds are defined by objects: a real daemon's list of groups, in its old
/// form, leaves them out.
async fn defined(api: &Api, shelf: &Shelf) -> Vec<String> {
    const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let reply = api.raw(PATH).await.map_err(|error| chain(&error));
    let reply: Result<Value, _> =
        reply.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    let definitions = match reply {
        Ok(reply) => reply,
        Err(why) => {
            shelf.missing("api/discovery.json", format!("{PATH}: {why}"));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for definition in definitions["items"].as_array().into_iter().flatten() {
        let group = definition["spec"]["group"].as_str().unwrap_or_default();
        let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
        let served = versions.filter(|version| version["served"] == true);
        let names = served.filter_map(|version| version["name"].as_str());
        found.extend(names.map(|version| format!("{group}/{version}")));
    }
    found
}

async fn note(api: &Api, shelf: &Shelf, path: &str, said: &mut Map<String, Value>) {
    let reply = api.raw(path).await.map_err(|error| chain(&error));
    match reply.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(reply) => {
            said.insert(path.to_owned(), reply);
        }
        Err(why) => shelf.missing("api/discovery.json", format!("{path}: {why}")),
    }
}

/// All objects of a resource, as `kubectl get -o yaml` gives them.
async fn list(api: &Api, resource: &Served) -> Result<Value, String> {
    let text = api.raw(&resource.path()).await.map_err(|error| chain(&error))?;
    let mut list: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let whole = |mut item: Value| {
        // A list leaves out what all of its objects have in common.
        if let Some(item) = item.as_object_mut() {
            item.insert("apiVersion".to_owned(), Value::from(resource.version.clone()));
            item.insert("kind".to_owned(), Value::from(resource.kind.clone()));
        }
        item
    };
    let items: Vec<_> = items.into_iter().map(whole).collect();
    let metadata = list["metadata"].take();
    Ok(json!({ "apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items }))
}

/// The conditions of objects, a line each.
fn conditions_of(list: &Value) -> String {
    let mut text = String::new();
    for object in list["items"].as_array().into_iter().flatten() {
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (kind, name) = (word(&object["kind"]), word(&object["metadata"]["name"]));
        for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
            let [what, status, reason, since, message] =
                ["type", "status", "reason", "lastTransitionTime", "message"]
                    .map(|key| word(&condition[key]));
            let generation = &condition["observedGeneration"];
            let line = writeln!(
                text,
                "{kind}/{name} {what} {status} {reason} {generation} {since} {message}"
            );
            line.expect("writing to a string succeeds");
        }
    }
    text
}

/// How far the harness's watches have come, by plural name.
struct Position(BTreeMap<String, Watched>);

#[derive(Default)]
struct Watched {
    listed: u64,
    seen: u64,
    lost: Option<String>,
}

impl Position {
    /// Beside what the server said just now.
    fn against(&self, versions: &BTreeMap<String, Value>) -> Value {
        let row = |(plural, watched): (&String, &Watched)| {
            let row = json!({
                "listed": watched.listed, "seen": watched.seen, "lost": watched.lost,
                "server": versions.get(plural),
            });
            (plural.clone(), row)
        };
        Value::Object(self.0.iter().map(row).collect())
    }
}

/// Reads the journal for it: what the harness was told is there, whoever reads.
#[expect(clippy::wildcard_enum_match_arm, reason = "only watches are asked for")]
fn position(path: &Path) -> Result<Position, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let records = journal::read(BufReader::new(file)).map_err(|error| chain(&error))?.records;
    let mut watches: BTreeMap<String, Watched> = BTreeMap::new();
    for record in records {
        match record.what {
            What::Listed { resource, version, .. } => {
                watches.insert(resource, Watched { listed: version, ..Watched::default() });
            }
            What::Api(change) => {
                let version = change.object["metadata"]["resourceVersion"].as_str();
                let watched = watches.entry(change.resource).or_default();
                watched.seen = version.and_then(|text| text.parse().ok()).unwrap_or(watched.seen);
            }
            What::WatchLost { resource, reason } => {
                watches.entry(resource).or_default().lost = Some(reason);
            }
            _ => {}
        }
    }
    Ok(Position(watches))
}
