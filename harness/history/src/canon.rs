//! The mirrored state as text for snapshots. The text is the same on every machine.
//!
//! It contains the scenario's names instead of IDs, its lines are sorted, and it contains no time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::mirror::{Mirror, MirrorKey};
use crate::record::{Record, Stage, What};
use crate::scenario::REGISTRY;
use crate::view::View;

/// The mirrored state at each checkpoint of a history.
#[must_use]
pub fn mirrored_state(history: &[Record]) -> String {
    let mut text = String::new();
    let mut view = View::default();
    // UIDs at the last checkpoint: they are random, so the text only says whether they changed.
    let mut before: BTreeMap<MirrorKey, String> = BTreeMap::new();
    for record in history.iter().filter(|record| !record.neighbour) {
        view.apply(record);
        let What::Checkpoint { number, stage: Stage::Probed } = &record.what else { continue };
        let _ = writeln!(text, "checkpoint {number}");
        let _ = writeln!(text, "  app: {}", app_line(&view));
        let mut lines: Vec<_> = view
            .mirrors()
            .iter()
            .filter(|mirror| !mirror.is_probe() && !mirror.is_foreign())
            .map(|mirror| mirror_line(&view, mirror, &before))
            .collect();
        // Mirrors are in the order of random IDs; the lines contain names instead.
        lines.sort();
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
        for difference in view.differences() {
            let _ = writeln!(text, "  differs: {}", view.named(&difference));
        }
        before = view.mirrors().into_iter().map(|mirror| (mirror.key, mirror.uid)).collect();
    }
    text
}

fn app_line(view: &View) -> String {
    match view.app() {
        None => "absent".to_owned(),
        Some(app) => {
            let wanted = if app.wants_running { "running" } else { "stopped" };
            let ready = app.condition("ContainerEngineReady").map_or_else(
                || "absent".to_owned(),
                |(status, reason)| format!("{status} ({reason})"),
            );
            format!("{wanted}, ContainerEngineReady={ready}")
        }
    }
}

/// A tag with a placeholder for the address of the harness's registry, whose port differs in each run.
fn without_port(tag: &str) -> String {
    let image = tag.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once('/'));
    image.map_or_else(|| tag.to_owned(), |(_port, image)| format!("{REGISTRY}/{image}"))
}

fn mirror_line(view: &View, mirror: &Mirror, before: &BTreeMap<MirrorKey, String>) -> String {
    let what = match &mirror.key {
        MirrorKey::Container(_) => {
            let field = |name: &str| mirror.fields.get(name).map_or("", String::as_str);
            format!(
                "container {}: {}, image {}",
                field("name"),
                field("status"),
                image_name(view, field("image"))
            )
        }
        MirrorKey::Image { id, tag: Some(tag) } => {
            format!("image {}: tagged {}", image_name(view, id), without_port(tag))
        }
        MirrorKey::Image { id, tag: None } => format!("image {}: dangling", image_name(view, id)),
        MirrorKey::Volume(name) => format!("volume {name}"),
        MirrorKey::Blank { resource, .. } => format!("{resource}: a mirror without a status"),
    };
    let identity = match before.get(&mirror.key) {
        None => "",
        Some(uid) if *uid == mirror.uid => ", same mirror",
        Some(_) => ", another mirror",
    };
    let terminating = if mirror.terminating { ", being deleted" } else { "" };
    format!("{what}{identity}{terminating}")
}

fn image_name(view: &View, id: &str) -> String {
    view.image_alias(id).unwrap_or_else(|| "unknown".to_owned())
}
