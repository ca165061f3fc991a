//! The schedule of a scenario in a few lines: which messages were held, what was done meanwhile,
//! and which faults were injected.

use racetrap_history::{CommandStep, GateName, GateStep, Scenario, Step};

use super::messages::{message, write};
use super::step::{Told, told};

/// One line of a story: a label, and what happened.
pub(crate) type StoryLine = (&'static str, String);

/// The story of a scenario. Steps before the first gate or fault only set the scene, so they are
/// left out; clients of logs are not, because a later gate or fault is about them. A scenario
/// without any gate or fault gets one line with everything that it does while the App runs.
pub(crate) fn story(scenario: &Scenario) -> Vec<StoryLine> {
    let mut lines = Vec::new();
    let mut done: Vec<String> = Vec::new();
    let mut standing: Vec<&GateName> = Vec::new();
    for step in &scenario.steps {
        // A gate holds a message from the step that waits for it, and not from the step that arms
        // it.
        if let Step::Gate(GateStep::Reached(gate)) = step {
            flush(&mut lines, &mut done, &standing);
            standing.push(gate);
            lines.push(("held", held(scenario, gate)));
            continue;
        }
        if let Step::Gate(GateStep::Release(gate)) = step {
            // Before the gate leaves the list, so that earlier actions are labelled "meanwhile".
            flush(&mut lines, &mut done, &standing);
            standing.retain(|standing| *standing != gate);
            continue;
        }
        match told(step) {
            Told::Fault(fault) => {
                flush(&mut lines, &mut done, &standing);
                lines.push(("fault", fault));
            }
            Told::Action(action) if is_of_story(step, &lines, &standing) => done.push(action),
            Told::Action(_) | Told::Aside(_) => {}
        }
    }
    flush(&mut lines, &mut done, &standing);
    if !lines.iter().any(|(label, _)| ["held", "fault"].contains(label)) {
        // Earlier steps prepare the engine, before the daemon watches it.
        let prepared = scenario.steps.iter().position(starts_app).unwrap_or_default();
        let shown =
            scenario.steps.iter().enumerate().filter_map(|(index, step)| match told(step) {
                Told::Action(action) if index >= prepared || is_of_client(step) => Some(action),
                Told::Fault(_) | Told::Action(_) | Told::Aside(_) => None,
            });
        lines = vec![("done", shown.collect::<Vec<_>>().join("; "))];
    }
    folded(&lines)
}

/// Whether an action is more than a preparation.
fn is_of_story(step: &Step, lines: &[StoryLine], standing: &[&GateName]) -> bool {
    let is_disturbed = lines.iter().any(|(label, _)| *label == "fault");
    !standing.is_empty() || is_disturbed || is_of_client(step)
}

fn is_of_client(step: &Step) -> bool {
    matches!(step.for_neighbour().unwrap_or(step), Step::Log(_))
}

/// Folds one or several lines that come at least three times in a row into their first time, and a
/// line that counts the others.
fn folded(lines: &[StoryLine]) -> Vec<StoryLine> {
    let mut folded = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let times =
            |length| rest.chunks_exact(length).take_while(|it| *it == &rest[..length]).count();
        let mut cycles = (1..=rest.len() / 3).map(|length| (length, times(length)));
        // The shortest cycle with at least three rounds.
        let (length, times) = cycles.find(|(_, times)| *times > 2).unwrap_or((1, 1));
        folded.extend_from_slice(&rest[..length]);
        if times > 1 {
            let what = if length == 1 { "the same".to_owned() } else { format!("these {length}") };
            folded.push(("repeated", format!("{what}, {} times more", times - 1)));
        }
        rest = &rest[length * times..];
    }
    folded
}

/// Adds a line for the actions since the last line. `standing` are the gates that hold a message
/// now.
fn flush(lines: &mut Vec<StoryLine>, done: &mut Vec<String>, standing: &[&GateName]) {
    if !done.is_empty() {
        let label = match (lines.is_empty(), standing.is_empty()) {
            (true, true) => "first",
            (false, true) => "then",
            (_, false) => "meanwhile",
        };
        lines.push((label, done.join("; ")));
        done.clear();
    }
}

fn starts_app(step: &Step) -> bool {
    matches!(step, Step::Command(CommandStep::App(app)) if app.running)
}

fn held(scenario: &Scenario, gate: &GateName) -> String {
    let mut held = scenario.steps.iter().filter_map(|step| armed(step, gate));
    // The check of a scenario ensures that each gate is armed, so this is only for journals of
    // other versions.
    held.next().unwrap_or_else(|| gate.to_string())
}

/// What this step holds at a gate, if it arms that gate.
fn armed(step: &Step, gate: &GateName) -> Option<String> {
    let Step::Gate(step) = step else { return None };
    match step {
        GateStep::Hold(hold) => (hold.gate == *gate).then(|| message(hold)),
        GateStep::HoldWrite(hold) => (hold.gate == *gate).then(|| write(&hold.on)),
        GateStep::Reached(_) | GateStep::Release(_) | GateStep::Serial(_) | GateStep::Free => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{StoryLine, folded};

    // Each letter stands for a line. Two equal lines are not folded. The shortest cycle is folded,
    // and lines after it stay as they are, even if they begin the cycle once more.
    #[rstest]
    #[case::nothing("", "")]
    #[case::twice("aab", "aab")]
    #[case::one_line("caaaab", "ca(the same, 3 times more)b")]
    #[case::two_lines("abababac", "ab(these 2, 2 times more)ac")]
    #[case::shortest("aaaaaa", "a(the same, 5 times more)")]
    fn what_comes_again_and_again_is_told_once(#[case] lines: &str, #[case] told: &str) {
        let lines: Vec<StoryLine> = lines.chars().map(|line| ("fault", line.to_string())).collect();
        let text = folded(&lines).into_iter().map(|(label, text)| match label {
            "repeated" => format!("({text})"),
            _ => text,
        });
        assert_eq!(text.collect::<String>(), told);
    }
}
