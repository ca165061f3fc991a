//! The guest's Kubernetes, as far as the daemon meets it.
//!
//! - `stand_in`: an API server that stands in for the guest's k3s, behind a wire;
//! - `answers`: what that server answers;
//! - `kubeconfig`: records every change of the user's kubeconfig.

mod answers;
mod kubeconfig;
mod stand_in;

pub(crate) use self::stand_in::{StandIn, StandInError};
