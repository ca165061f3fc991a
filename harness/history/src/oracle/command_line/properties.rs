//! A command that is to refuse a property ends with the code for that (contract 1.4.3 to 1.4.5).
//!
//! The table of properties is that of the contract. A version of Kubernetes is refused by the API, as
//! far as its form shows that no daemon supports it.

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
        // A version begins with its number, with or without `v`; the rest are channels.
        "kubernetes.version" => {
            let number = value.trim_start_matches('v').starts_with(|it: char| it.is_ascii_digit());
            let channel = ["", "stable", "latest"].contains(&value);
            if number || channel { Fate::Taken } else { Fate::RefusedByApi }
        }
        // It is accepted by the newest revision, and not listed.
        "namespace" => Fate::Taken,
        _ => Fate::RefusedHere,
    }
}
