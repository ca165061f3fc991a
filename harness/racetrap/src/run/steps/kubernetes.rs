//! The guest's Kubernetes.

use racetrap_history::{KubernetesState, KubernetesStep, View};

use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// Brings the guest's Kubernetes into a state. The daemon chooses where it can be reached, so this waits
/// until the daemon has done so.
pub(in crate::run) async fn step(
    scene: &mut Scene,
    step: &KubernetesStep,
) -> Result<(), StepError> {
    let KubernetesStep::Kubernetes(state) = *step;
    let port_of = |view: &View| view.app().and_then(|app| app.kubernetes_port);
    if state != KubernetesState::Absent {
        let what = "the App's status.kubernetesPort".to_owned();
        scene.until(what, |view| port_of(view).is_some()).await?;
    }
    let port = scene.recorder().with_view(port_of).unwrap_or_default();
    let config = scene.world.daemon.guest_kubeconfig()?.to_owned();
    let kubernetes = scene.world.kubernetes.as_mut();
    let kubernetes = kubernetes.expect("the schedule was checked: the guest has a Kubernetes");
    Ok(kubernetes.set(state, port, &config).await?)
}
