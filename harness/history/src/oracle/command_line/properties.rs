//! A command that is to refuse a property ends with the code for that (contract 1.4.3 to 1.4.5).
//!
//! The table of properties is that of the contract. Of the versions of Kubernetes it names the channels
//! (contract 3.6.5); whether another version of Kubernetes 1 is a bundled one is not judged.

use crate::record::CommandRun;

/// The code of a command that refuses its own arguments.
const REFUSED_HERE: i32 = 1;

/// The code of a command that the API has refused.
const REFUSED_BY_API: i32 = 3;

/// Spellings of a boolean.
const BOOLEANS: [&str; 12] =
    ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];

/// What the daemon has to do with one property.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    RefusedHere,
    RefusedByApi,
    /// The contract does not say.
    Open,
}

pub(super) fn judge(command: &CommandRun, words: &[&str]) -> Option<String> {
    let (verb, properties) = words.split_first()?;
    if *verb != "set" || properties.is_empty() || command.interrupted {
        return None;
    }
    let fates: Vec<_> = properties.iter().map(|property| fate(property)).collect();
    // The command looks at all of its arguments before it asks the API.
    let wanted = if fates.contains(&Fate::RefusedHere) {
        REFUSED_HERE
    } else if fates.contains(&Fate::RefusedByApi) {
        REFUSED_BY_API
    } else if fates.contains(&Fate::Open) {
        return None;
    } else {
        let refused = command.exit.code() == Some(REFUSED_BY_API);
        return refused.then(|| format!("was refused: {}", command.stderr.trim()));
    };
    let exit = &command.exit;
    (exit.code() != Some(wanted)).then(|| format!("ended with {exit}, not with code {wanted}"))
}

fn fate(property: &str) -> Fate {
    let Some((name, value)) = property.split_once('=') else { return Fate::RefusedHere };
    let taken = |is_taken: bool| if is_taken { Fate::Taken } else { Fate::RefusedHere };
    match name {
        "running" | "kubernetes.enabled" => taken(BOOLEANS.contains(&value)),
        "containerEngine.name" => taken(["moby", "containerd"].contains(&value)),
        "kubernetes.version" => fate_of_version(value),
        // It is accepted by the newest revision, and not listed.
        "namespace" => Fate::Taken,
        _ => Fate::RefusedHere,
    }
}

fn fate_of_version(value: &str) -> Fate {
    if ["", "stable", "latest"].contains(&value) {
        return Fate::Taken;
    }
    let mut parts = value.strip_prefix('v').unwrap_or(value).split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (number(), number(), parts.next()) {
        (Some(1), Some(32..=35), None) => Fate::Taken,
        (Some(1), Some(_), _) => Fate::Open,
        _ => Fate::RefusedByApi,
    }
}
