//! Requests to the daemon's API. Nothing is cached: the history gets each object as the API server
//! sent it.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{
    Api as KubeApi, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, Config};
use racetrap_history::{Protocol, What};
use serde_json::Value;

use crate::recorder::Recorder;

/// A request to the daemon's API failed, or could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The daemon's kubeconfig cannot be used.
    #[error("the daemon's kubeconfig cannot be used")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// A request failed.
    #[error("a request to the daemon's API failed ({what})")]
    Request {
        /// What the request was for.
        what: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

/// The resources of the daemon's API that the harness follows (contract 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Apps,
    LimaVms,
    Containers,
    Images,
    Volumes,
    ContainerNamespaces,
}

impl Resource {
    /// All of them, in the order in which reports show them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Apps,
        Self::LimaVms,
        Self::Containers,
        Self::Images,
        Self::Volumes,
        Self::ContainerNamespaces,
    ];

    /// Those whose whole state the oracles judge, and which `set` waits for.
    pub(crate) const JUDGED: [Self; 4] =
        [Self::Apps, Self::Containers, Self::Images, Self::Volumes];

    /// The resource with this plural name.
    pub(crate) fn from_plural(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.plural() == plural)
    }

    /// The plural name, as in the API's paths.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::LimaVms => "limavms",
            Self::Containers => "containers",
            Self::Images => "images",
            Self::Volumes => "volumes",
            Self::ContainerNamespaces => "containernamespaces",
        }
    }

    fn group_and_kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Apps => ("app", "App"),
            Self::LimaVms => ("lima", "LimaVM"),
            Self::Containers => ("containers", "Container"),
            Self::Images => ("containers", "Image"),
            Self::Volumes => ("containers", "Volume"),
            Self::ContainerNamespaces => ("containers", "ContainerNamespace"),
        }
    }

    pub(super) fn descriptor(self) -> ApiResource {
        let (group, kind) = self.group_and_kind();
        let group = format!("{group}.rancherdesktop.io");
        let kind = GroupVersionKind::gvk(&group, "v1alpha1", kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural())
    }
}

/// A client of the API of one run of the daemon. The next run has another token, and needs another
/// client.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// Connects with the server, authority and token of the kubeconfig at `path`.
    pub(crate) async fn connect(path: &Path) -> Result<Self, ApiError> {
        let kubeconfig = Kubeconfig::read_from(path)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        // A proxy that the machine is configured for cannot reach the daemon on the loopback
        // interface.
        config.proxy_url = None;
        let client = Client::try_from(config).map_err(failed("set up the connection"))?;
        Ok(Self { client })
    }

    /// All objects of a resource, in all namespaces.
    pub(crate) fn all(&self, resource: Resource) -> KubeApi<DynamicObject> {
        KubeApi::all_with(self.client.clone(), &resource.descriptor())
    }

    /// All objects of a resource in one namespace.
    pub(super) fn within(&self, resource: Resource, namespace: &str) -> KubeApi<DynamicObject> {
        KubeApi::namespaced_with(self.client.clone(), namespace, &resource.descriptor())
    }

    /// The API of the namespace that the metadata of `object` names; of the cluster if it names
    /// none.
    pub(super) fn scope_of(&self, resource: Resource, object: &Value) -> KubeApi<DynamicObject> {
        match object["metadata"]["namespace"].as_str() {
            Some(namespace) => self.within(resource, namespace),
            None => self.all(resource),
        }
    }

    /// Lists a resource, records the list, and returns its resource version, from which a watch
    /// goes on.
    pub(crate) async fn list(
        &self,
        resource: Resource,
        recorder: &Recorder,
    ) -> Result<String, ApiError> {
        let what = format!("list {}", resource.plural());
        let listed = self.all(resource).list(&ListParams::default()).await.map_err(failed(what))?;
        let from = listed.metadata.resource_version.unwrap_or_default();
        recorder.append(What::Listed {
            resource: resource.plural().to_owned(),
            version: from.parse().unwrap_or_default(),
            objects: listed.items.iter().map(plain).collect(),
        });
        Ok(from)
    }

    /// The body of the API server's answer to `GET path`.
    pub(crate) async fn raw(&self, path: &str) -> Result<String, ApiError> {
        let failed = || failed(format!("get {path}"));
        let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError);
        self.client.request_text(request.map_err(failed())?).await.map_err(failed())
    }

    /// Whether the API server knows the resource.
    pub(crate) async fn serves(&self, resource: Resource) -> Result<bool, ApiError> {
        // One object is enough to see whether the API server knows the resource.
        let params = ListParams::default().limit(1);
        match self.all(resource).list(&params).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(failed(format!("list {}", resource.plural()))(error)),
        }
    }

    /// The entries of the discovery ConfigMap, one for each controller manager (contract 3.2).
    async fn managers(&self) -> Result<Vec<Value>, ApiError> {
        let api: KubeApi<ConfigMap> = KubeApi::namespaced(self.client.clone(), "rdd-system");
        let what = "get the discovery ConfigMap";
        let discovery = api.get("rdd-controller-manager").await.map_err(failed(what))?;
        let managers = discovery.data.unwrap_or_default().into_values();
        Ok(managers.filter_map(|text| serde_json::from_str(&text).ok()).collect())
    }

    /// The controllers that run according to the discovery ConfigMap.
    pub(crate) async fn enabled_controllers(&self) -> Result<Vec<String>, ApiError> {
        let managers = self.managers().await?;
        Ok(managers.iter().flat_map(|manager| texts(&manager["enabledControllers"])).collect())
    }

    /// The passthrough endpoints of each controller, by its name, in the order of the discovery
    /// ConfigMap.
    pub(crate) async fn passthroughs(&self) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
        let managers = self.managers().await?;
        let offered = managers.iter().filter_map(|it| it["enabledPassthroughs"].as_object());
        Ok(offered.flatten().map(|(name, list)| (name.clone(), texts(list).collect())).collect())
    }

    /// The address of the manager that serves the passthrough of `controller`. If no manager
    /// announces that controller, the first manager's: a request there shows what the daemon
    /// answers to it.
    pub(crate) async fn passthrough_endpoint(
        &self,
        controller: &str,
    ) -> Result<Option<String>, ApiError> {
        let managers = self.managers().await?;
        let offers = |manager: &&Value| !manager["enabledPassthroughs"][controller].is_null();
        let offering = managers.iter().find(offers).or(managers.first());
        let endpoint = offering.and_then(|manager| manager["passthroughEndpoint"].as_str());
        Ok(endpoint.map(str::to_owned))
    }

    /// Merges `status` into the status of an object.
    pub(crate) async fn patch_status(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        status: &Value,
    ) -> Result<(), ApiError> {
        let patch = Patch::Merge(serde_json::json!({ "status": status }));
        self.within(resource, namespace)
            .patch_status(name, &PatchParams::default(), &patch)
            .await
            .map_err(failed(format!("patch the status of {} {name}", resource.plural())))?;
        Ok(())
    }

    /// Applies (server-side) a configuration of validating webhooks.
    pub(super) async fn set_webhook(&self, configuration: &Value) -> Result<(), ApiError> {
        let api: KubeApi<ValidatingWebhookConfiguration> = KubeApi::all(self.client.clone());
        let name = configuration["metadata"]["name"].as_str().unwrap_or_default();
        let params = PatchParams::apply("racetrap").force();
        let applied = api.patch(name, &params, &Patch::Apply(configuration)).await;
        applied.map_err(failed(format!("apply the webhook {name}")))?;
        Ok(())
    }

    /// Creates a volume as a dry run: the API server asks its webhooks, and stores nothing.
    pub(super) async fn probe_write(&self, name: &str) -> Result<(), ApiError> {
        let resource = Resource::Volumes;
        let params = PostParams { dry_run: true, ..PostParams::default() };
        let volume = DynamicObject::new(name, &resource.descriptor());
        let created = self.within(resource, "default").create(&params, &volume).await;
        created.map_err(failed(format!("create {} {name} as a dry run", resource.plural())))?;
        Ok(())
    }

    /// How clients request a container's state: the schema of the kind shows it (contract 9).
    pub(crate) async fn protocol(&self) -> Result<Protocol, ApiError> {
        let name = "containers.containers.rancherdesktop.io";
        let definition =
            self.definitions().get(name).await.map_err(failed(format!("get {name}")))?;
        let state = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/state";
        // Older kinds have the field `state`; newer ones take an annotation for each action
        // instead.
        let has_state = definition.data.pointer(state).is_some();
        Ok(if has_state { Protocol::State } else { Protocol::Action })
    }

    /// Applies a CustomResourceDefinition. Returns whether the API server has established it.
    pub(crate) async fn define(&self, definition: &Value) -> Result<bool, ApiError> {
        let name = definition.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let applied = self
            .definitions()
            .patch(name, &PatchParams::apply("racetrap").force(), &Patch::Apply(definition))
            .await
            .map_err(failed(format!("define {name}")))?;
        let conditions = applied.data.pointer("/status/conditions").and_then(Value::as_array);
        Ok(conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Established" && condition["status"] == "True"))
    }

    fn definitions(&self) -> KubeApi<DynamicObject> {
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let descriptor = ApiResource::from_gvk_with_plural(&kind, "customresourcedefinitions");
        KubeApi::all_with(self.client.clone(), &descriptor)
    }
}

/// The strings of a JSON list.
fn texts(list: &Value) -> impl Iterator<Item = String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
}

/// Makes the error of a request, whose purpose is `what`.
pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(kube::Error) -> ApiError {
    let what = what.into();
    move |source| ApiError::Request { what, source: Box::new(source) }
}

/// The object as JSON, without `managedFields`: they are long, and no oracle reads them.
pub(super) fn plain(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    value
}
