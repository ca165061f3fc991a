//! Which promises of the contract each oracle judges.
//!
//! An oracle names a promise only if its code reports a violation when the promise is broken in a way
//! that a history can show. What an oracle merely relies on, such as the name of a mirror, is not named.

use crate::scenario::OracleName;

/// Numbers of the promises (docs/contract.md) that an oracle judges, in rising order.
#[must_use]
pub fn promises(oracle: OracleName) -> &'static [&'static str] {
    match oracle {
        OracleName::Convergence => &CONVERGENCE,
        OracleName::Identity => &IDENTITY,
        OracleName::TruthfulConditions => &TRUTHFUL_CONDITIONS,
        OracleName::NoLostUpdate => &NO_LOST_UPDATE,
        OracleName::BoundedWork => &BOUNDED_WORK,
        OracleName::Counts => &COUNTS,
        OracleName::ObjectForm => &OBJECT_FORM,
        OracleName::EngineRequests => &ENGINE_REQUESTS,
        OracleName::CommandLine => &COMMAND_LINE,
        OracleName::Hygiene => &HYGIENE,
        OracleName::VmLifecycle => &VM_LIFECYCLE,
        OracleName::DockerConfigIntegrity => &DOCKER_CONFIG_INTEGRITY,
        OracleName::KubeconfigIntegrity => &KUBECONFIG_INTEGRITY,
        OracleName::LogFidelity => &LOG_FIDELITY,
        OracleName::QuietLogs => &QUIET_LOGS,
        OracleName::Liveness => &LIVENESS,
        OracleName::Healing => &["4.5.7"],
        OracleName::CleanRuns => &["4.5.8"],
    }
}

/// Compares all mirrors with the engine's objects at each checkpoint.
#[rustfmt::skip]
const CONVERGENCE: [&str; 47] = [
    // Each daemon is compared with its own engine, whichever program runs the controllers.
    "2.2.5", "3.3.4",
    // A mirror's fields, and how they follow from the engine's.
    "3.6.9", "3.6.10", "3.6.11", "3.6.12",
    // A mirror has one tag, the values of its own object, and `<none>:<none>` is not a tag.
    "3.6.13", "3.6.14", "3.6.24", "3.6.25", "3.6.30",
    // What a full sync leaves.
    "4.1.5", "4.1.6", "4.1.7", "4.1.10", "4.1.11", "4.1.12", "4.1.13", "4.1.14", "4.1.15", "4.1.16",
    // What events leave.
    "4.2.1", "4.2.2", "4.2.4", "4.2.5", "4.2.6", "4.2.8", "4.2.9", "4.2.10", "4.2.11", "4.2.12",
    // What no event reports, or an event without a name; and a stream that carries nothing.
    "4.2.14", "4.2.15", "4.2.20", "4.2.21",
    // Which mirrors may still be marked for deletion.
    "4.3.1", "4.3.7",
    // What faults, stops and switches leave.
    "4.5.3", "4.5.5", "4.5.6", "4.6.1", "4.6.2", "4.6.6", "4.6.7", "4.7.1", "4.7.2", "4.7.4",
];

/// Follows the UIDs of mirrors from one checkpoint to the next.
#[rustfmt::skip]
const IDENTITY: [&str; 6] = [
    "4.1.16", "4.2.16", "4.5.1", "4.5.2", "4.5.4", "4.7.3",
];

/// Compares conditions and exit codes with the state that they promise.
#[rustfmt::skip]
const TRUTHFUL_CONDITIONS: [&str; 29] = [
    // Exit codes and what a command waits for.
    "1.2.7", "1.5.1", "1.5.4",
    // The reasons of `ContainerEngineReady` and `Settled`; `Connected` after a stop.
    "3.7.5", "3.7.6", "3.7.7", "3.7.8", "3.7.9", "3.7.11", "3.7.12", "3.7.13", "3.7.14",
    // The table of `Settled`, and what it implies.
    "3.7.16", "3.7.17", "3.7.18", "3.7.19", "3.7.20", "3.7.21", "3.7.22", "3.7.23", "3.7.24", "3.7.25", "3.7.26",
    // The guest's Kubernetes.
    "3.8.3", "3.8.4", "3.8.5",
    // A sync that skips what is gone is not a failed one.
    "4.1.11",
    // `Settled` of a stopped App, and mirrors that are still there or come back.
    "4.6.1", "4.6.4",
];

/// Follows what users wrote, created and deleted.
#[rustfmt::skip]
const NO_LOST_UPDATE: [&str; 11] = [
    // Fields of mirrors.
    "3.6.23",
    // Deletions by users, and what the engine was asked to remove.
    "4.3.2", "4.3.3", "4.3.6", "4.3.7", "4.3.10", "4.3.11",
    // Objects that are not mirrors, and the annotation of an action.
    "4.3.12", "4.4.3", "4.6.2", "4.6.3",
];

/// Counts log lines, requests and writes against what may have caused them.
#[rustfmt::skip]
const BOUNDED_WORK: [&str; 6] = [
    "4.3.8", "4.6.5", "4.8.1", "4.8.2", "4.8.3", "4.8.4",
];

/// Counts the mirrors of one life of an object.
#[rustfmt::skip]
const COUNTS: [&str; 2] = [
    "4.1.18", "4.2.13",
];

/// Compares each state of an object with the one before, and with what its mirror promises.
#[rustfmt::skip]
const OBJECT_FORM: [&str; 11] = [
    // Versions, generations, and what stays.
    "3.1.7", "3.1.9",
    // Names of mirrors, and how they are created.
    "3.6.17", "3.6.18", "3.6.19", "3.6.20", "3.6.21", "3.6.22",
    // Conditions of containers; generations and times of conditions.
    "3.7.27", "3.7.29", "3.7.30",
];

/// Reads each request of the daemon on the wires.
#[rustfmt::skip]
const ENGINE_REQUESTS: [&str; 15] = [
    // `Connected` follows a full sync and an answered subscription.
    "3.7.6",
    // What a daemon that connects asks for, and in which order.
    "4.1.1", "4.1.2", "4.1.3", "4.1.5", "4.1.6", "4.1.7", "4.1.8", "4.1.9",
    // The words of deletions and actions, and how often an action is sent.
    "4.3.1", "4.3.2", "4.3.3", "4.4.1", "4.4.7",
    // A probe that a newer one replaces.
    "5.2.13",
];

/// Reads what each command of the daemon printed, and how it ended.
#[rustfmt::skip]
const COMMAND_LINE: [&str; 23] = [
    // Data, messages and their levels.
    "1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.1.5",
    // Codes.
    "1.2.3", "1.2.8",
    // `svc status`, `svc config`, `svc paths`.
    "1.3.9", "1.3.10", "1.3.12",
    // Properties that are set or refused, and the lines of a wait.
    "1.4.1", "1.4.2", "1.4.3", "1.4.4", "1.4.5", "1.4.6", "1.4.7", "1.5.2",
    // The paths themselves, and the kubeconfig.
    "2.2.1", "2.2.2", "2.2.3", "2.2.4", "3.1.3",
];

/// Reports what a stopped daemon left.
#[rustfmt::skip]
const HYGIENE: [&str; 2] = [
    "1.3.6", "3.9.2",
];

/// Follows the processes and files of VMs.
#[rustfmt::skip]
const VM_LIFECYCLE: [&str; 18] = [
    // A daemon that is started after a kill.
    "4.6.8",
    // One hostagent, in a group of its own; what it reports; what follows a crash or a killed daemon.
    "7.1.5", "7.3.1", "7.3.3", "7.3.4", "7.3.5",
    // Nobody else is signalled, and the keys are whole.
    "7.3.6", "7.3.7", "7.3.8",
    // Time limits, and what a stop leaves.
    "7.4.1", "7.4.2", "7.4.3", "7.4.4", "7.4.5", "7.4.7",
    // The distribution of WSL: how it ends and goes, and how long a call may take.
    "7.5.4", "7.5.5", "7.5.6",
];

/// Judges each change of the docker command's configuration.
#[rustfmt::skip]
const DOCKER_CONFIG_INTEGRITY: [&str; 33] = [
    // Its errors are logged.
    "2.5.6",
    // The daemon's own context.
    "5.1.1", "5.1.3", "5.1.4", "5.1.5",
    // The current context.
    "5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.6", "5.2.7", "5.2.9", "5.2.10", "5.2.11", "5.2.12",
    // `config.json`.
    "5.3.1", "5.3.2", "5.3.3", "5.3.4", "5.3.5", "5.3.6", "5.3.7", "5.3.8", "5.3.9", "5.3.10",
    "5.3.11", "5.3.12", "5.3.13",
    // Contexts of the user.
    "5.3.14",
    // What is left after a stop.
    "5.4.2", "5.4.3", "5.4.4",
];

/// Judges each change of the user's kubeconfig.
#[rustfmt::skip]
const KUBECONFIG_INTEGRITY: [&str; 4] = [
    "3.8.2", "3.8.6", "3.8.7", "3.8.8",
];

/// Compares what clients of logs received with what the engine has sent for them.
#[rustfmt::skip]
const LOG_FIDELITY: [&str; 29] = [
    // Failures are logged, a client without a token is refused, endpoints are announced in order.
    "2.5.5", "3.1.5", "3.2.5",
    // Bytes and answers.
    "6.1.1", "6.1.2", "6.1.3", "6.1.4", "6.1.5", "6.1.7", "6.1.8", "6.1.9", "6.1.10", "6.1.11", "6.1.12", "6.1.13",
    "6.1.14", "6.1.15",
    // The stream, its end, and its cost.
    "6.1.17", "6.1.18", "6.1.19", "6.1.20", "6.1.21", "6.1.22", "6.1.23", "6.1.24", "6.1.25",
    "6.1.28", "6.1.31",
    // The way through the API server.
    "6.2.1",
];

/// Reads each line of the daemon's log.
#[rustfmt::skip]
const QUIET_LOGS: [&str; 5] = [
    "2.5.1", "2.5.2", "2.5.3", "2.5.4",
    // A file that the docker command accepts is no error.
    "5.3.11",
];

/// Judges missed deadlines, wrong exit codes, dead processes and forgotten requests.
#[rustfmt::skip]
const LIVENESS: [&str; 52] = [
    // Commands end as promised, and print what a schedule expects.
    "1.2.1", "1.2.2", "1.2.4", "1.2.5", "1.2.6", "1.3.7", "1.3.11", "1.5.3", "1.6.1", "1.6.3",
    "1.6.4", "1.6.5", "1.6.6", "1.6.7",
    // One engine for each daemon.
    "2.2.5",
    // What kubectl is refused, and what it prints; programs that run controllers.
    "3.2.2", "3.2.3", "3.3.4", "3.5.2", "3.5.4", "3.5.5", "3.5.6", "3.5.7", "3.6.2", "3.6.3",
    "3.6.4", "3.6.6", "3.6.7", "3.6.8", "3.7.28",
    // The guest's Kubernetes becomes ready.
    "3.8.1",
    // The daemon reaches what a schedule waits for.
    "3.9.1", "3.9.3", "3.9.4", "4.1.4",
    // Requests that the engine never answers.
    "4.1.17",
    // Actions, and deletions beside them.
    "4.3.4", "4.3.9", "4.4.1", "4.4.2", "4.4.5", "4.4.6",
    // A silent stream; the App runs again while its mirrors are kept, or stops during a sync.
    "4.5.6", "4.6.4", "4.6.9",
    // The daemon's context becomes the current one; clients that do not read are dropped.
    "5.2.3", "5.2.4", "5.2.5", "6.1.26",
    // A handler that fails; a LimaVM that follows its App.
    "6.2.3", "7.1.2",
    // `spec.state` of revision R0.
    "9.1.1",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::promises;
    use crate::{Check, OracleName, PromiseNumber};

    // A check that belongs to no promise of its oracle judges something that the contract does not say.
    #[test]
    fn each_check_has_a_name_of_its_own_which_begins_with_a_promise_or_a_section() {
        let mut names = BTreeSet::new();
        for check in Check::ALL {
            let (number, kind) = check.name().split_once('-').expect("a number and a kind");
            let judges = |promise: &&str| {
                let own: PromiseNumber = promise.parse().expect(promise);
                **promise == *number || own.section() == number
            };
            assert!(promises(check.oracle()).iter().any(judges), "{check}");
            assert!(kind.bytes().all(|it| it == b'-' || it.is_ascii_lowercase()), "{check}");
            assert!(names.insert(check.name()), "{check} is the name of two checks");
            let json = serde_json::to_value(check).expect("JSON");
            assert_eq!(json, check.name());
        }
        let oracles: BTreeSet<_> = Check::ALL.iter().map(|check| check.oracle()).collect();
        assert_eq!(oracles.len(), OracleName::ALL.len());
    }

    // Judgements of an older racetrap name a line of its source.
    #[test]
    fn a_violation_of_an_unknown_check_is_read_without_it() {
        let read = |check: &str| {
            let text = format!(r#"{{"oracle":"counts","seq":1,"check":"{check}","text":"t"}}"#);
            serde_json::from_str::<crate::Violation>(&text).expect("a violation").check
        };
        assert_eq!(read("4.2.13-created-again"), Some(Check::CreatedAgain));
        assert_eq!(read("counts.rs:160"), None);
    }

    // The order is that of numbers, so that a number that is named twice is found too.
    #[test]
    fn every_oracle_names_valid_numbers_in_rising_order() {
        for oracle in OracleName::ALL {
            let numbers: Vec<PromiseNumber> =
                promises(oracle).iter().map(|text| text.parse().expect(text)).collect();
            assert!(!numbers.is_empty(), "{oracle}");
            assert!(numbers.is_sorted_by(|a, b| a < b), "{oracle}: {numbers:?}");
        }
    }
}
