//! The words of the page: a sentence for each oracle, lane, source and term. The page shows it
//! beside the word, and all of them in its glossary.

use maud::{Markup, html};
use racetrap_history::OracleName;

/// Words of the run and of its summary.
const RUN: [(&str, &str); 25] = [
    ("pass", "Every promise was kept, and the run could show that."),
    ("fail", "At least one promise was broken; “What was seen” lists which."),
    (
        "unknown",
        "The run could not show what it was made for, so it is neither a pass nor a failure.",
    ),
    ("not applicable", "The scenario is not for this daemon; the reason is among the records."),
    ("excused", "An error in the daemon’s log that the schedule itself has caused."),
    ("known", "The run failed as the list of known failures says."),
    ("oracle", "A function from the history to the violations of some promises."),
    ("finding", "An entry of the catalogue: a schedule, and the bug that it shows."),
    (
        "daemon",
        "The program under test, Rancher Desktop’s rdd or the reference daemon, with its API.",
    ),
    (
        "defect",
        "A bug that is switched on in the reference daemon, to prove that the schedule notices it.",
    ),
    (
        "engine",
        "The Docker daemon of this run: its version, its events, and the objects that it holds.",
    ),
    (
        "VM mode",
        "What plays the daemon’s VM: the harness by its API, or a stand-in for the program QEMU.",
    ),
    ("begun", "Calendar time, in UTC, at which the clock of the run was started."),
    ("run in its world", "The world was used by earlier runs, which passed and left it clean."),
    ("lasted", "Time from the first record to the last one."),
    (
        "records",
        "Everything that happened, one record for each thing; the journal has them as JSON.",
    ),
    ("held", "A gate stopped this message on its way, until the schedule released it."),
    ("meanwhile", "Done while the gate held its message: this is the race."),
    ("fault", "Something that the schedule breaks."),
    ("first", "Done before the first gate or fault."),
    ("then", "Done after the fault, or after the gate had let its message go."),
    ("done", "Everything that the schedule does while the App runs."),
    ("repeated", "The lines above come several times in a row."),
    (
        "checkpoint",
        "The instant at which the world is quiet and judged: Level before the probe, Probed after it.",
    ),
    (
        "probe",
        "A volume that the harness creates to prove that the daemon has handled everything before.",
    ),
];

/// The lanes of the chart.
const LANES: [(&str, &str); 10] = [
    ("verdict", "What the oracles found, the checkpoints, and remarks about the run."),
    ("steps", "The schedule: one bar for each step, from its beginning to its end."),
    ("users", "Commands, writes to the API by users, and writes that the harness held or denied."),
    ("client wire", "Requests of clients to the daemon’s API, by way of the harness."),
    (
        "mirrors",
        "Objects of the daemon’s API that stand for objects of the engine: how many differ.",
    ),
    ("conditions", "What the App and its VM say about themselves, over time."),
    ("processes", "Programs of this world, from their start to their end."),
    ("violations", "Broken promises, at the record that made each of them true."),
    ("judged", "The checkpoints, at which the oracles judge the state."),
    ("connections", "Connections that were opened, closed, refused or lost."),
];

/// What the lists of records and mirrors say.
const LISTS: [(&str, &str); 22] = [
    ("run", "The harness: what is run, and when it ends."),
    ("process", "A process has started or ended."),
    ("command", "A command of the daemon has begun or ended."),
    ("api", "A change in the daemon’s API, as the harness’s own watch received it."),
    ("docker", "A change in the docker command’s configuration."),
    ("step", "A step of the schedule begins, ends or fails."),
    ("log", "A line of the daemon’s log."),
    ("note", "A remark of the harness, for people."),
    ("wire", "A message between the daemon and its engine, by way of the harness."),
    (
        "kubernetes",
        "The guest’s Kubernetes, a request to it, or a change in the user’s kubeconfig.",
    ),
    ("clients", "A message between clients and the daemon’s API, by way of the harness."),
    ("judge", "A checkpoint."),
    ("logs", "A client of the daemon’s log endpoints, or what the daemon needs for such clients."),
    ("user", "What a user of the API or of the docker command does."),
    ("write", "A write to the daemon’s API, which the harness lets pass, holds or denies."),
    ("leak", "Something that was left when all parts of the world were told to end."),
    ("missing", "The engine has the object, and the API has no mirror of it."),
    ("too many", "There is a mirror that must not exist."),
    ("differs", "There is a mirror, and it does not say what the engine’s object says."),
    ("equal", "The mirror says what the engine’s object says."),
    ("apart", "Nothing requires this mirror, and nothing forbids it."),
    ("quiet", "Records that say little by themselves: another record says the same."),
];

/// What an oracle demands of a daemon, in a sentence.
pub(crate) fn meaning(oracle: OracleName) -> &'static str {
    match oracle {
        OracleName::Convergence => {
            "At each checkpoint, the mirrors in the API equal the objects of the engine."
        }
        OracleName::Identity => {
            "An object that exists all the time keeps its mirror, and the mirror keeps its UID."
        }
        OracleName::TruthfulConditions => {
            "If a condition is true or a command returns 0, the state that it promises is reached."
        }
        OracleName::NoLostUpdate => {
            "What a user has written, created or deleted in the API is not undone by the daemon."
        }
        OracleName::BoundedWork => {
            "The daemon sends no more requests and writes than its work needs, and none when idle."
        }
        OracleName::Counts => {
            "The mirror of an object is created once and deleted once, however often it changes."
        }
        OracleName::ObjectForm => {
            "Objects of the daemon’s API have the names, versions, times and conditions that the \
             contract promises."
        }
        OracleName::EngineRequests => {
            "The daemon asks the engine in the promised words and in the promised order."
        }
        OracleName::CommandLine => {
            "A command of the daemon prints what it promises, and ends with the promised exit code."
        }
        OracleName::Hygiene => "A stopped daemon leaves no processes, sockets or files behind.",
        OracleName::VmLifecycle => {
            "A VM has one hostagent, stops in time and leaves nothing, and no other process is \
             signalled."
        }
        OracleName::DockerConfigIntegrity => {
            "The docker command’s configuration is complete at every instant, and keeps what the \
             user has set."
        }
        OracleName::KubeconfigIntegrity => {
            "The user’s kubeconfig leads to Kubernetes while that is ready, and keeps what the user has \
             set."
        }
        OracleName::LogFidelity => {
            "A client of a log receives exactly what the engine has sent, and costs nothing after \
             it has left."
        }
        OracleName::QuietLogs => {
            "The daemon’s log has no panic and no secret, and an error only if something failed."
        }
        OracleName::Liveness => {
            "What is requested is reached before the deadline, and the daemon keeps running."
        }
        OracleName::Healing => "A restart of the daemon in a quiet world changes nothing.",
        OracleName::CleanRuns => {
            "A disturbance that is over leaves no trace: all is as in runs without it."
        }
    }
}

/// The end of an element's id, the same as in the script.
fn key(word: &str) -> String {
    word.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn is_explained(word: &str) -> bool {
    let word = key(word);
    [&RUN[..], &LANES, &LISTS].into_iter().flatten().any(|(known, _)| key(known) == word)
}

/// A word with its sentence, if it has one: a button that shows the sentence while the pointer is on
/// it or it has the focus, and leads to the glossary.
pub(super) fn term(word: &str) -> Markup {
    html! { @if is_explained(word) { (explained(word)) } @else { (word) } }
}

/// The name of an oracle with its sentence.
pub(super) fn oracle(name: OracleName) -> Markup {
    explained(&name.to_string())
}

fn explained(word: &str) -> Markup {
    let id = format!("w-{}", key(word));
    html! { button.term type="button" data-term=(id) aria-describedby=(id) { (word) } }
}

/// The glossary, as a dialog.
pub(super) fn glossary() -> Markup {
    let oracles = OracleName::ALL.map(|name| (name.to_string(), meaning(name)));
    let oracles = oracles.iter().map(|(name, meaning)| (name.as_str(), *meaning));
    html! {
        dialog #words aria-label="Words" {
            h2 { "The run" }
            (entries(RUN))
            h2 { "Oracles" }
            (entries(oracles))
            h2 { "Lanes of the chart" }
            (entries(LANES))
            h2 { "Records and mirrors" }
            (entries(LISTS))
            form method="dialog" { button { "Close" } }
        }
    }
}

fn entries<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        dl { @for (word, meaning) in words { dt { (word) } dd id={ "w-" (key(word)) } { (meaning) } } }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use racetrap_history::OracleName;

    use super::{LANES, LISTS, RUN, key, meaning};

    // A word that two lists have would be two elements with one id.
    #[test]
    fn each_word_is_explained_once_by_a_sentence() {
        let lists = [&RUN[..], &LANES, &LISTS].into_iter().flatten().copied();
        let words = lists.map(|(word, meaning)| (key(word), meaning));
        let oracles = OracleName::ALL.map(|name| (key(&name.to_string()), meaning(name)));
        let mut seen = BTreeSet::new();
        for (word, meaning) in words.chain(oracles) {
            assert!(meaning.ends_with('.') && meaning.len() > 12, "{word}: {meaning}");
            assert!(seen.insert(word.clone()), "{word} is explained twice");
        }
    }
}
