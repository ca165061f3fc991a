//! What users do to the API.
//!
//! The harness records each write that it makes for a user. `ctl`, the kubectl in the daemon's command, writes
//! past it: its step is known by its arguments, and what it deleted by the changes that the API's watch
//! reports meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::observed::ObservedObject;
use crate::record::{Record, What};
use crate::scenario::{CommandStep, Step};
use crate::steps::Steps;

/// Verbs of kubectl that only read.
const READS: [&str; 10] = [
    "api-resources",
    "api-versions",
    "auth",
    "config",
    "describe",
    "diff",
    "explain",
    "get",
    "version",
    "wait",
];

/// The steps that run `ctl`.
pub(super) struct CtlSteps<'a>(Vec<CtlStep<'a>>);

/// A step that runs `ctl`.
struct CtlStep<'a> {
    /// Its first record, and the last record of the step after it: what a command that waits for nothing
    /// has written may be reported only then.
    records: (u64, u64),
    /// What follows `ctl`.
    words: &'a [String],
}

/// An object that a user deleted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deletion<'a> {
    /// Plural name of the kind.
    pub(super) resource: &'a str,
    pub(super) name: &'a str,
    pub(super) uid: &'a str,
}

/// Everything that users deleted, by the record that shows it.
pub(super) struct UserDeletions<'a>(BTreeMap<u64, Vec<Deletion<'a>>>);

impl<'a> CtlSteps<'a> {
    pub(super) fn from_history(history: &'a [Record]) -> Self {
        let steps = Steps::from_history(history);
        let found = history.iter().filter_map(|record| {
            let Some(Step::Command(CommandStep::RunCommand(command))) = steps.begun(record) else {
                return None;
            };
            let (_, words) =
                command.arguments.split_first().filter(|(first, _)| *first == "ctl")?;
            let is_end = |record: &&Record| {
                matches!(record.what, What::StepDone { .. } | What::StepFailed { .. })
            };
            let mut ends = history.iter().filter(|later| later.seq > record.seq).filter(is_end);
            let end = ends.nth(1).map_or(u64::MAX, |end| end.seq);
            Some(CtlStep { records: (record.seq, end), words })
        });
        Self(found.collect())
    }

    /// Whether a user may have written an object of this kind when the record was made.
    pub(super) fn may_write(&self, resource: &str, seq: u64) -> bool {
        self.at(seq).any(|step| {
            !step.verb().is_some_and(|verb| READS.contains(&verb)) && step.is_about(resource)
        })
    }

    /// Whether a user may have deleted an object of this kind when the record was made.
    fn may_delete(&self, resource: &str, seq: u64) -> bool {
        self.at(seq).any(|step| {
            matches!(step.verb(), Some("delete" | "replace")) && step.is_about(resource)
        })
    }

    fn at(&self, seq: u64) -> impl Iterator<Item = &CtlStep<'a>> {
        self.0.iter().filter(move |step| step.records.0 <= seq && seq <= step.records.1)
    }
}

impl CtlStep<'_> {
    fn verb(&self) -> Option<&str> {
        self.words.iter().map(String::as_str).find(|word| !word.starts_with('-'))
    }

    /// Whether the command names this kind, or a file, which may have objects of any kind.
    fn is_about(&self, resource: &str) -> bool {
        let singular = resource.strip_suffix('s').unwrap_or(resource);
        self.words.iter().any(|word| {
            let is_file = word.starts_with("-f") || word.starts_with("--filename");
            // `volume`, `volumes.GROUP`, `volume/NAME` and `volumes,images` name volumes.
            let mut kinds = word.split(',').filter_map(|part| part.split(['/', '.']).next());
            is_file || kinds.any(|kind| kind == resource || kind == singular)
        })
    }
}

impl<'a> UserDeletions<'a> {
    pub(super) fn from_history(history: &'a [Record]) -> Self {
        let ctl = CtlSteps::from_history(history);
        let mut deletions: BTreeMap<u64, Vec<Deletion<'a>>> = BTreeMap::new();
        let mut ends: BTreeSet<&str> = BTreeSet::new();
        for record in history {
            if let What::UserWrite(write) = &record.what
                && write.deleted
            {
                let (resource, name, uid) = (&write.resource, &write.name, &write.uid);
                let deletion = Deletion { resource, name, uid };
                deletions.entry(record.seq).or_default().push(deletion);
            }
            for seen in ObservedObject::in_record(&record.what) {
                let (resource, name, uid) = (seen.resource, seen.name(), seen.uid());
                // A watch may report the deletion again and again until the finalizers are gone.
                if seen.is_terminating() && ends.insert(uid) && ctl.may_delete(resource, record.seq)
                {
                    let deletion = Deletion { resource, name, uid };
                    deletions.entry(record.seq).or_default().push(deletion);
                }
            }
        }
        Self(deletions)
    }

    /// What the record with this number shows to be deleted by a user.
    pub(super) fn at(&self, seq: u64) -> &[Deletion<'a>] {
        self.0.get(&seq).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everything that the records before this number show to be deleted by users.
    pub(super) fn before(&self, seq: u64) -> impl Iterator<Item = &Deletion<'a>> {
        self.0.range(..seq).flat_map(|(_, deletions)| deletions)
    }
}
