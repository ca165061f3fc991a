//! Processes from their start to their end, by their role in the world.

use racetrap_history::{ProcessState, What};

use super::{At, Item, Row, Source, Tone, pack};

pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    // The bars of each role by process ID, with the roles in the order in which they first appear.
    let mut roles: Vec<(&str, Vec<(u32, Item)>)> = Vec::new();
    for record in &source.records {
        let What::Process { name, pid, state, .. } = &record.what else { continue };
        let at = At::from(*record);
        let index = roles.iter().position(|(role, _)| role == name).unwrap_or_else(|| {
            roles.push((name, Vec::new()));
            roles.len() - 1
        });
        let items = &mut roles[index].1;
        // The kernel reuses process IDs, so only the last process with this ID can be meant.
        let started = items.iter_mut().rfind(|(id, _)| id == pid).map(|(_, item)| item);
        match (state, started) {
            // An end without a start is shown too, so that no process is missing.
            (ProcessState::Started, _) | (_, None) => {
                let bar = Item::bar(at, source.end, Tone::Plain, format!("{name} {pid}"));
                items.push((*pid, bar));
            }
            (ProcessState::Stopped, Some(item)) => item.to = Some(at),
            (ProcessState::Died { exit }, Some(item)) => {
                item.to = Some(at);
                item.tone = Tone::Bad;
                item.label = format!("{name} {pid}: {exit}");
            }
        }
    }
    let rows = roles.into_iter().flat_map(|(name, items)| {
        pack(name, items.into_iter().map(|(_, item)| vec![item]).collect())
    });
    rows.collect()
}
