//! What the scenario does, and what users do.

use racetrap_history::{CommandRun, GateName, ReviewOutcome, Step, What};

use super::{At, Item, Row, Source, Tone, pack};

/// Over how many rows steps are spread, so that those which follow each other at once can be told apart.
const STEP_ROWS: usize = 3;

/// The steps, each from its beginning to its end.
pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let mut items: Vec<Item> = Vec::new();
    for record in &source.records {
        let at = At::from(*record);
        if let What::StepBegan { index } = &record.what {
            let is_fault = source.steps.get(*index).is_some_and(Step::is_of_the_fault);
            let tone = if is_fault { Tone::Fault } else { Tone::Plain };
            items.push(Item::bar(at, source.end, tone, source.text(record)));
        } else if let What::StepDone { .. } = &record.what {
            let Some(step) = items.last_mut() else { continue };
            step.to = Some(at);
        } else if let What::StepFailed { .. } = &record.what {
            let step = items.pop().map_or(at, |step| step.from);
            items.push(Item::bar(step, at, Tone::Bad, source.text(record)));
        }
    }
    let mut rows: [Vec<Item>; STEP_ROWS] = Default::default();
    for (index, item) in items.into_iter().enumerate() {
        rows[index % STEP_ROWS].push(item);
    }
    rows.into_iter().map(|items| Row::new("", items)).collect()
}

/// Commands from their beginning to their end, writes of objects, and reviews.
pub(super) fn users(source: &Source<'_>) -> Vec<Row> {
    let alone = |items: Vec<Item>| items.into_iter().map(|item| vec![item]).collect();
    let mut rows = pack("commands", alone(commands(source)));
    let written = source.marks(|what| matches!(what, What::UserWrite(_)).then_some(Tone::Changed));
    rows.push(Row::new("writes", written));
    rows.extend(pack("admission", alone(reviews(source))));
    rows
}

fn commands(source: &Source<'_>) -> Vec<Item> {
    // What is known of a command when it begins is how its arguments end.
    let mut begun: Vec<(&[String], At)> = Vec::new();
    let mut items = Vec::new();
    for record in &source.records {
        let at = At::from(*record);
        if let What::CommandBegan { arguments, .. } = &record.what {
            begun.push((arguments, at));
        } else if let What::Command(command) = &record.what {
            let CommandRun { arguments, exit, took_ms, .. } = command;
            let from = match begun.iter().position(|(of, _)| arguments.ends_with(of)) {
                Some(index) => begun.remove(index).1,
                None => At { us: at.us.saturating_sub(took_ms * 1_000), ..at },
            };
            let tone = if exit.is_success() { Tone::Plain } else { Tone::Doubt };
            items.push(Item::bar(from, at, tone, source.text(record)));
        }
    }
    for (arguments, from) in begun {
        let label = format!("`{}` has not ended", arguments.join(" "));
        items.push(Item::bar(from, source.end, Tone::Doubt, label));
    }
    items
}

/// Writes that the daemon's API asked about; one that was held is a bar.
fn reviews(source: &Source<'_>) -> Vec<Item> {
    let mut held: Vec<(&GateName, usize)> = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    for record in &source.records {
        let What::Review(review) = &record.what else { continue };
        let (at, text) = (At::from(*record), source.text(record));
        match &review.outcome {
            ReviewOutcome::HeldAt(gate) => {
                held.push((gate, items.len()));
                items.push(Item::bar(at, source.end, Tone::Held, text));
            }
            ReviewOutcome::ReleasedFrom(gate) | ReviewOutcome::GivenUpAt(gate) => {
                match held.iter().position(|(held, _)| *held == gate) {
                    Some(index) => items[held.remove(index).1].to = Some(at),
                    // A journal of which the beginning is missing.
                    None => items.push(Item::mark(at, Tone::Faint, text)),
                }
            }
            ReviewOutcome::Denied => items.push(Item::mark(at, Tone::Fault, text)),
            ReviewOutcome::Allowed => items.push(Item::mark(at, Tone::Faint, text)),
        }
    }
    items
}
