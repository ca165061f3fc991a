//! The steps of the scenario, and the commands, writes and reviews of users.

use racetrap_history::{CommandRun, GateName, ReviewOutcome, Step, What};

use super::{At, Item, Row, Source, Tone, pack};

/// The number of rows for steps. Consecutive steps are in different rows, because short ones in one
/// row could not be told apart.
const STEP_ROWS: usize = 3;

/// The steps, each as a bar from its beginning to its end.
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
            // The failure replaces the bar of its step.
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

/// Rows for commands, for writes of objects, and for reviews by the admission.
pub(super) fn users(source: &Source<'_>) -> Vec<Row> {
    let alone = |items: Vec<Item>| items.into_iter().map(|item| vec![item]).collect();
    let mut rows = pack("commands", alone(commands(source)));
    let written = source.marks(|what| matches!(what, What::UserWrite(_)).then_some(Tone::Changed));
    rows.push(Row::new("writes", written));
    rows.extend(pack("admission", alone(reviews(source))));
    rows
}

fn commands(source: &Source<'_>) -> Vec<Item> {
    // The record of a command's end has the program before the arguments, that of its beginning has
    // not. So the two belong together if the longer list ends with the shorter one.
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
                // A command in the foreground has no record of its beginning, only its duration.
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

/// Reviews by the admission: a bar for a write that was held, and a mark for any other one.
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
            // A gate holds one write at a time, so its name is enough to find the bar.
            ReviewOutcome::ReleasedFrom(gate) | ReviewOutcome::GivenUpAt(gate) => {
                match held.iter().position(|(held, _)| *held == gate) {
                    Some(index) => items[held.remove(index).1].to = Some(at),
                    None => items.push(Item::mark(at, Tone::Faint, text)),
                }
            }
            ReviewOutcome::Denied => items.push(Item::mark(at, Tone::Fault, text)),
            ReviewOutcome::Allowed => items.push(Item::mark(at, Tone::Faint, text)),
        }
    }
    items
}
