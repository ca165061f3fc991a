//! Which controllers a daemon runs, if it is new enough for the contract's newest forms.
//!
//! Older revisions name mirrors differently and have conditions without a generation (contract 9.1).
//! A daemon is new enough if its App has the condition `Settled` and its discovery lists controllers.

use std::collections::BTreeSet;

use super::observed::ObservedObject;
use crate::record::{Record, What};
use crate::view::AppView;

/// The controllers of a daemon that has the contract's newest forms; `None` if the daemon is older, or
/// if the history does not say.
pub(super) fn controllers(history: &[Record]) -> Option<BTreeSet<&str>> {
    let listed = history.iter().find_map(|record| match &record.what {
        What::Facts { controllers, .. } if !controllers.is_empty() => Some(controllers),
        _ => None,
    })?;
    let has_settled = |seen: &ObservedObject<'_>| {
        seen.resource == "apps" && AppView::read(seen.object).condition("Settled").is_some()
    };
    let is_new = history
        .iter()
        .any(|record| ObservedObject::in_record(&record.what).iter().any(has_settled));
    is_new.then(|| listed.iter().map(String::as_str).collect())
}
