//! The daemon's API: its health, what it serves, all objects of it, and the progress of the
//! harness's watches.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Map, Value, json};

use super::watches::Watches;
use crate::bundle::collect::Collector;
use crate::bundle::kubernetes::{can_list, resource_name, root_path};
use crate::bundle::layout::{API_DISCOVERY, HEALTH_ENDPOINTS, api_health, api_objects};
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::chain::chain;
use crate::daemon::Api;
use crate::mask::DocumentKind;

/// The number of requests in flight at the same time.
const AT_ONCE: usize = 6;

const CONDITIONS: &str = "api/conditions.txt";
const WATCHES: &str = "api/watches.json";

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::asynchronous("api", Duration::from_secs(8), |output| async move {
        // Read first, so that the watches are compared with versions of the same moment or later.
        let watches = Watches::read(&target.journal());
        match connect(&target).await {
            Ok(api) => collect(&api, &output, watches).await,
            Err(why) => output.missing("api", why),
        }
    })
}

async fn connect(target: &CaptureTarget) -> Result<Api, String> {
    let kubeconfig = target.kubeconfig().ok_or("the daemon has not said where its API is")?;
    Api::connect(&kubeconfig).await.map_err(|error| chain(&error))
}

async fn collect(api: &Api, output: &CollectorOutput, watches: Result<Watches, String>) {
    for endpoint in HEALTH_ENDPOINTS {
        let path = api_health(endpoint);
        match api.raw(&format!("/{endpoint}?verbose")).await {
            Ok(text) => output.put(&path, Content::Text(text)),
            Err(error) => output.missing(&path, chain(&error)),
        }
    }
    let (replies, resources) = discover(api, output).await;
    output.put(API_DISCOVERY, Content::Json(Value::Object(replies)));
    let lists = resources.into_iter().map(|resource| async move {
        let list = list(api, &resource).await;
        (resource, list)
    });
    // Each list is stored when it arrives, so that a slow one cannot cost the others.
    let mut lists = std::pin::pin!(futures::stream::iter(lists).buffer_unordered(AT_ONCE));
    let mut conditions = BTreeMap::new();
    let mut versions = BTreeMap::new();
    while let Some((resource, list)) = lists.next().await {
        let path = api_objects(&resource.version, &resource.plural);
        match list {
            Ok(list) => {
                let name = resource_name(&resource.version, &resource.plural);
                conditions.insert(name, conditions_of(&list));
                let version = list["metadata"]["resourceVersion"].clone();
                versions.insert(resource.plural, version);
                output.put(&path, Content::Document(DocumentKind::Kubernetes, list));
            }
            Err(why) => output.missing(&path, why),
        }
    }
    let conditions: String = conditions.into_values().collect();
    let heading = "Object, condition, status, reason, generation, since, message\n";
    output.put(CONDITIONS, Content::Text(format!("{heading}{conditions}")));
    match watches {
        Ok(watches) => output.put(WATCHES, Content::Json(watches.compared_with(&versions))),
        Err(why) => output.missing(WATCHES, why),
    }
}

/// One resource that the API serves and that can be listed.
struct Resource {
    /// `v1`, or `GROUP/VERSION`.
    version: String,
    plural: String,
    kind: String,
}

/// Returns the replies of discovery by request path, and the resources in them.
async fn discover(api: &Api, output: &CollectorOutput) -> (Map<String, Value>, Vec<Resource>) {
    let mut replies = Map::new();
    let mut resources = Vec::new();
    for path in ["/version", "/api", "/apis"] {
        ask(api, output, path, &mut replies).await;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // All versions of the core group, and of each other group only the preferred version: its other
    // versions have the same objects.
    let core = replies.get("/api").and_then(|core| core["versions"].as_array());
    let core = core.into_iter().flatten();
    let groups = replies.get("/apis").and_then(|groups| groups["groups"].as_array());
    let preferred =
        groups.into_iter().flatten().map(|group| &group["preferredVersion"]["groupVersion"]);
    let mut versions: Vec<_> = core.chain(preferred).filter_map(text).collect();
    for version in versions_of_definitions(api, output).await {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    for version in versions {
        let path = root_path(&version);
        ask(api, output, &path, &mut replies).await;
        let served = replies.get(&path).and_then(|served| served["resources"].as_array());
        for entry in served.into_iter().flatten().filter(|entry| can_list(entry)) {
            if let Some((plural, kind)) = text(&entry["name"]).zip(text(&entry["kind"])) {
                resources.push(Resource { version: version.clone(), plural, kind });
            }
        }
    }
    (replies, resources)
}

/// The versions that custom resource definitions serve. The real daemon's `/apis`, in the format of
/// old clients, does not list their groups.
async fn versions_of_definitions(api: &Api, output: &CollectorOutput) -> Vec<String> {
    const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definitions = match get_json(api, PATH).await {
        Ok(definitions) => definitions,
        Err(why) => {
            output.missing(API_DISCOVERY, format!("{PATH}: {why}"));
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

/// Adds the reply for a path to `replies`, or enters the path as missing.
async fn ask(api: &Api, output: &CollectorOutput, path: &str, replies: &mut Map<String, Value>) {
    match get_json(api, path).await {
        Ok(reply) => {
            replies.insert(path.to_owned(), reply);
        }
        Err(why) => output.missing(API_DISCOVERY, format!("{path}: {why}")),
    }
}

async fn get_json(api: &Api, path: &str) -> Result<Value, String> {
    let text = api.raw(path).await.map_err(|error| chain(&error))?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// All objects of a resource as a `kind: List`, which is the form of `kubectl get -o yaml`.
async fn list(api: &Api, resource: &Resource) -> Result<Value, String> {
    let path = format!("{}/{}", root_path(&resource.version), resource.plural);
    let mut list = get_json(api, &path).await?;
    let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let with_type = |mut item: Value| {
        // In its own lists the server leaves out `apiVersion` and `kind`, as all objects have the
        // same.
        if let Some(item) = item.as_object_mut() {
            item.insert("apiVersion".to_owned(), Value::from(resource.version.clone()));
            item.insert("kind".to_owned(), Value::from(resource.kind.clone()));
        }
        item
    };
    let items: Vec<_> = items.into_iter().map(with_type).collect();
    let metadata = list["metadata"].take();
    Ok(json!({ "apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items }))
}

/// The conditions of all objects of a list, one line each.
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
