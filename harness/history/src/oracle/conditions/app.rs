//! The App's conditions, and which records show them.

use crate::record::{Record, What};

/// The condition of the daemon's connection to the engine.
pub(super) const READY: &str = "ContainerEngineReady";

/// The condition that the daemon has reached the App's desired state.
pub(super) const SETTLED: &str = "Settled";

/// Whether a manager runs the engine's controller. A history without a list of controllers counts as
/// one in which it runs.
pub(super) fn runs_engine(history: &[Record]) -> bool {
    history.iter().all(|record| match &record.what {
        What::Facts { controllers, .. } if !controllers.is_empty() => {
            controllers.iter().any(|controller| controller == "engine")
        }
        _ => true,
    })
}

/// Whether a record shows the App.
pub(super) fn shows_app(what: &What) -> bool {
    match what {
        What::Api(change) => change.resource == "apps",
        What::Listed { resource, .. } => resource == "apps",
        _ => false,
    }
}
