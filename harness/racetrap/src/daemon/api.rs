//! The daemon's API, asked by plain requests: no cache stands between it and the history.

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

/// The API did not answer, or refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The daemon's kubeconfig cannot be used.
    #[error("the daemon's kubeconfig cannot be used")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// A request failed.
    #[error("the daemon's API failed to {what}")]
    Request {
        /// What was asked.
        what: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Kinds of the contract that are observed (contract 3.6).
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
    /// All of them, in the order in which a reader wants them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Apps,
        Self::LimaVms,
        Self::Containers,
        Self::Images,
        Self::Volumes,
        Self::ContainerNamespaces,
    ];

    /// Those whose whole state is judged, and that a command's promise is about.
    pub(crate) const JUDGED: [Self; 4] =
        [Self::Apps, Self::Containers, Self::Images, Self::Volumes];

    /// The resource of mirrors that has this plural name.
    pub(crate) fn of(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.plural() == plural)
    }

    /// Plural name, as in the API's paths.
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

    fn kind(self) -> (&'static str, &'static str) {
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
        let (group, kind) = self.kind();
        let group = format!("{group}.rancherdesktop.io");
        let kind = GroupVersionKind::gvk(&group, "v1alpha1", kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural())
    }
}

/// A client of one run of the daemon; its token ends with that run.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// Connects by the kubeconfig at `path`.
    pub(crate) async fn connect(path: &Path) -> Result<Self, ApiError> {
        let kubeconfig = Kubeconfig::read_from(path)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        config.proxy_url = None;
        let client = Client::try_from(config).map_err(failed("be connected to"))?;
        Ok(Self { client })
    }

    /// All objects of a resource, in all namespaces.
    pub(crate) fn all(&self, resource: Resource) -> KubeApi<DynamicObject> {
        KubeApi::all_with(self.client.clone(), &resource.descriptor())
    }

    pub(super) fn within(&self, resource: Resource, namespace: &str) -> KubeApi<DynamicObject> {
        KubeApi::namespaced_with(self.client.clone(), namespace, &resource.descriptor())
    }

    /// Where an object is, by the namespace in its metadata; the cluster's, where it has none.
    pub(super) fn place_of(&self, resource: Resource, object: &Value) -> KubeApi<DynamicObject> {
        match object["metadata"]["namespace"].as_str() {
            Some(namespace) => self.within(resource, namespace),
            None => self.all(resource),
        }
    }

    /// Lists a resource and records it; gives the version from which to watch on.
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

    /// What the API server answers to a plain request of a path, as it answers.
    pub(crate) async fn raw(&self, path: &str) -> Result<String, ApiError> {
        let failed = || failed(format!("get {path}"));
        let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError);
        self.client.request_text(request.map_err(failed())?).await.map_err(failed())
    }

    /// Whether the API has this resource at all.
    pub(crate) async fn serves(&self, resource: Resource) -> Result<bool, ApiError> {
        let params = ListParams::default().limit(1);
        match self.all(resource).list(&params).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(failed(format!("list {}", resource.plural()))(error)),
        }
    }

    /// What each manager of the daemon's controllers announces of itself (contract 3.2).
    async fn managers(&self) -> Result<Vec<Value>, ApiError> {
        let api: KubeApi<ConfigMap> = KubeApi::namespaced(self.client.clone(), "rdd-system");
        let what = "get the discovery ConfigMap";
        let discovery = api.get("rdd-controller-manager").await.map_err(failed(what))?;
        let managers = discovery.data.unwrap_or_default().into_values();
        Ok(managers.filter_map(|text| serde_json::from_str(&text).ok()).collect())
    }

    /// Controllers that the daemon's discovery says it runs (contract 3.2).
    pub(crate) async fn enabled_controllers(&self) -> Result<Vec<String>, ApiError> {
        let managers = self.managers().await?;
        Ok(managers.iter().flat_map(|manager| texts(&manager["enabledControllers"])).collect())
    }

    /// Endpoints that controllers offer, by the controller's name, in the order in which they are
    /// announced.
    pub(crate) async fn passthroughs(&self) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
        let managers = self.managers().await?;
        let offered = managers.iter().filter_map(|it| it["enabledPassthroughs"].as_object());
        Ok(offered.flatten().map(|(name, list)| (name.clone(), texts(list).collect())).collect())
    }

    /// The address at which a controller's manager takes what is passed through, if it says so.
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

    /// Applies a configuration of validating webhooks.
    pub(super) async fn set_webhook(&self, configuration: &Value) -> Result<(), ApiError> {
        let api: KubeApi<ValidatingWebhookConfiguration> = KubeApi::all(self.client.clone());
        let name = configuration["metadata"]["name"].as_str().unwrap_or_default();
        let params = PatchParams::apply("racetrap").force();
        let applied = api.patch(name, &params, &Patch::Apply(configuration)).await;
        applied.map_err(failed(format!("apply the webhook {name}")))?;
        Ok(())
    }

    /// Goes through all of a volume's creation but its storing (a dry run).
    pub(super) async fn probe_write(&self, name: &str) -> Result<(), ApiError> {
        let resource = Resource::Volumes;
        let params = PostParams { dry_run: true, ..PostParams::default() };
        let volume = DynamicObject::new(name, &resource.descriptor());
        let created = self.within(resource, "default").create(&params, &volume).await;
        created.map_err(failed(format!("try a write of {} {name}", resource.plural())))?;
        Ok(())
    }

    /// How the daemon takes wishes for a container's state (contract 9: the kind's schema tells).
    pub(crate) async fn protocol(&self) -> Result<Protocol, ApiError> {
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let descriptor = ApiResource::from_gvk_with_plural(&kind, "customresourcedefinitions");
        let api: KubeApi<DynamicObject> = KubeApi::all_with(self.client.clone(), &descriptor);
        let name = "containers.containers.rancherdesktop.io";
        let definition = api.get(name).await.map_err(failed(format!("get {name}")))?;
        let state = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/state";
        let has_state = definition.data.pointer(state).is_some();
        Ok(if has_state { Protocol::State } else { Protocol::Action })
    }

    /// Applies a definition of a kind, and tells whether it is established.
    pub(crate) async fn define(&self, definition: &Value) -> Result<bool, ApiError> {
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let descriptor = ApiResource::from_gvk_with_plural(&kind, "customresourcedefinitions");
        let api: KubeApi<DynamicObject> = KubeApi::all_with(self.client.clone(), &descriptor);
        let name = definition.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let applied = api
            .patch(name, &PatchParams::apply("racetrap").force(), &Patch::Apply(definition))
            .await
            .map_err(failed(format!("define {name}")))?;
        let conditions = applied.data.pointer("/status/conditions").and_then(Value::as_array);
        Ok(conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Established" && condition["status"] == "True"))
    }
}

/// The texts of a list.
fn texts(list: &Value) -> impl Iterator<Item = String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(kube::Error) -> ApiError {
    let what = what.into();
    move |source| ApiError::Request { what, source: Box::new(source) }
}

/// The object as the API sent it, without what no reader of a history wants.
pub(super) fn plain(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    value
}
