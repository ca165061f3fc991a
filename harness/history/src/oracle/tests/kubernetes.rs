//! What the daemon reports of the guest's Kubernetes, and what it does to the user's kubeconfig.

use rstest::rstest;
use serde_json::json;

use super::build::*;
use crate::oracle::{kubeconfig_integrity, truthful_conditions};
use crate::record::{
    FileChange, Kubeconfig, KubeconfigContent, Record, What, WireMessage, WireWhat,
};
use crate::scenario::{KubernetesState, Phase};

/// An App that wants Kubernetes, with this reason of its condition.
fn wanting(reason: &str) -> What {
    let status = if reason == "Ready" { "True" } else { "False" };
    let settled = if reason == "Ready" { "Settled" } else { reason };
    let mut app = app(
        1,
        true,
        &[
            ("Running", "True", "Started", 1),
            ("ContainerEngineReady", "True", "Connected", 1),
            ("KubernetesReady", status, reason, 1),
            ("Settled", status, settled, 1),
        ],
    );
    app["spec"]["kubernetes"] = json!({ "enabled": true });
    app_is(app)
}

fn message(exchange: u64, event: WireWhat) -> What {
    What::KubernetesWire(WireMessage { connection: exchange, exchange, event })
}

fn asked(exchange: u64, route: &str) -> What {
    let (method, route) = ("GET".to_owned(), Some(route.to_owned()));
    let target = "/t".to_owned();
    message(exchange, WireWhat::Request { method, target, route, phase: Phase::Bootstrap })
}

fn is(state: KubernetesState) -> What {
    What::Kubernetes { state }
}

/// One letter for each record: `r`, `n` and `a` for the state ready, not ready and absent; `H` and `N` for
/// health and nodes that are answered, `h` for a health that is not, `5` for one that is answered 503;
/// `+` and `-` for the condition that is True, or False with `Probing`.
fn records(letters: &str) -> Vec<What> {
    let mut whats = Vec::new();
    for (exchange, letter) in (0..).zip(letters.chars()) {
        let answer = |status| message(exchange, WireWhat::Response { status });
        match letter {
            'r' => whats.push(is(KubernetesState::Ready)),
            'n' => whats.push(is(KubernetesState::NotReady)),
            'a' => whats.push(is(KubernetesState::Absent)),
            'H' => whats.extend([asked(exchange, "/healthz"), answer(200)]),
            'N' => whats.extend([asked(exchange, "/api/v1/{plural}"), answer(200)]),
            'h' => whats.push(asked(exchange, "/healthz")),
            '5' => whats.extend([asked(exchange, "/healthz"), answer(503)]),
            '+' => whats.push(wanting("Ready")),
            _ => whats.push(wanting("Probing")),
        }
    }
    whats
}

#[rstest]
#[case::ready_after_both_answers("-rHN+", "")]
#[case::unasked("-r+", "not answered that it is healthy")]
#[case::nodes_unasked("-rH+", "not answered which nodes")]
#[case::no_ready_node("-nHN+", "no node of Kubernetes was ready")]
#[case::answers_from_before_the_failure("-rHN+5-+", "not answered that it is healthy")]
#[case::one_silence("-rHN+h-", "left 1 probes without an answer")]
#[case::two_silences("-rHN+hh-", "left 2 probes without an answer")]
#[case::three_silences("-rHN+hhh-", "")]
#[case::four_silences("-rHN+hhhh-", "")]
#[case::silences_that_are_not_in_a_row("-rHN+hhHhh-", "left 2 probes without an answer")]
#[case::unhealthy("-rHN+5-", "")]
#[case::refused("-rHN+a-", "")]
#[case::node_lost("-rHN+nHN-", "")]
fn the_condition_follows_from_what_was_answered(#[case] letters: &str, #[case] expected: &str) {
    let found = complaints(truthful_conditions, records(letters));
    match expected {
        "" => assert_eq!(found, Vec::<String>::new()),
        text => assert!(found.len() == 1 && found[0].contains(text), "{found:#?}"),
    }
}

// The condition stays True after Kubernetes is gone: in time, too late, and with a Kubernetes that is back.
#[rstest]
#[case::in_time("-rHN+a", 20, false)]
#[case::late("-rHN+a", 26, true)]
#[case::back_in_time("-rHN+ar", 26, false)]
#[case::node_lost("-rHN+n", 26, false)]
fn a_refusal_must_be_noticed(#[case] letters: &str, #[case] seconds: u64, #[case] is_late: bool) {
    let mut history = history(records(letters));
    let seq = history.len() as u64;
    let what = What::Note { text: "later".to_owned() };
    history.push(Record { seq, at_us: seconds * 1_000_000, neighbour: false, what });
    let found = truthful_conditions(&history).violations;
    assert_eq!(found.len(), usize::from(is_late), "{found:#?}");
}

/// A kubeconfig with the user's entries, and the daemon's if it has a current context of the daemon.
fn kubeconfig(how: FileChange, current: &str, users: &[&str], own: &[&str]) -> What {
    let users = users.iter().map(|name| ((*name).to_owned(), "1".to_owned()));
    let own = own.iter().map(|list| (format!("{list}/rancher-desktop-7"), "2".to_owned()));
    let members = users.chain(own).collect();
    let holds = KubeconfigContent::Config { current: current.to_owned(), members };
    What::Kubeconfig(Kubeconfig { how, mode: 0o600, holds })
}

const OWN: [&str; 3] = ["clusters", "contexts", "users"];

/// The kubeconfig of a user, and then another one, in an App whose condition has this reason.
fn judged(reason: &str, after: What) -> Vec<String> {
    let before = kubeconfig(FileChange::Found, "", &USERS, &[]);
    let whats = [vec![before, wanting(reason), after], checkpoint(1).into()].concat();
    complaints(kubeconfig_integrity, whats)
}

const OURS: &str = "rancher-desktop-7";

const USERS: [&str; 2] = ["clusters/a", "kind"];

#[rstest]
#[case::merged("Ready", kubeconfig(FileChange::Replaced, OURS, &USERS, &OWN), "")]
#[case::in_place("Ready", kubeconfig(FileChange::Written, OURS, &USERS, &OWN), "")]
#[case::lost(
    "Ready",
    kubeconfig(FileChange::Replaced, OURS, &USERS[1..], &OWN),
    "clusters/a of the user are lost"
)]
#[case::missing(
    "Ready",
    kubeconfig(FileChange::Replaced, OURS, &USERS, &OWN[..2]),
    "in users is missing"
)]
#[case::not_current(
    "Ready",
    kubeconfig(FileChange::Replaced, "", &USERS, &OWN),
    "no context is current"
)]
#[case::removed("NotRunning", kubeconfig(FileChange::Replaced, "", &USERS, &[]), "")]
#[case::left(
    "NotRunning",
    kubeconfig(FileChange::Replaced, "", &USERS, &OWN[..1]),
    "clusters/rancher-desktop-7 is left"
)]
#[case::current_left(
    "NotApplicable",
    kubeconfig(FileChange::Replaced, OURS, &USERS, &[]),
    "current-context is left"
)]
fn the_kubeconfig_is_the_users(#[case] reason: &str, #[case] after: What, #[case] expected: &str) {
    let found = judged(reason, after);
    match expected {
        "" => assert_eq!(found, Vec::<String>::new()),
        text => assert!(found.len() == 1 && found[0].contains(text), "{found:#?}"),
    }
}

// A broken file loses every entry as well, and a removed one too.
#[test]
fn a_kubeconfig_is_never_broken() {
    let holds = KubeconfigContent::Broken { bytes: 1 };
    let broken = Kubeconfig { how: FileChange::Replaced, mode: 0o644, holds };
    let found = judged("Probing", What::Kubeconfig(broken)).join("\n");
    for text in ["is broken", "the mode was 0600, and is 0644", "of the user are lost"] {
        assert!(found.contains(text), "{found}");
    }
}

// The daemon truncates the file and writes it again. It must be whole at the next checkpoint, not before.
#[rstest]
#[case::whole(&USERS, 0)]
#[case::lost(&USERS[1..], 1)]
fn a_file_that_is_written_in_place_is_judged_when_it_is_whole(
    #[case] users: &[&str],
    #[case] expected: usize,
) {
    let written = |users| kubeconfig(FileChange::Written, "", users, &[]);
    let before = kubeconfig(FileChange::Found, "", &USERS, &[]);
    let mut whats = vec![before, wanting("Probing"), written(&[]), written(users)];
    whats.extend(checkpoint(1));
    assert_eq!(complaints(kubeconfig_integrity, whats).len(), expected);
}
