//! What searches have done, as a file keeps it from one search to the next.
//!
//! A state is a set of sessions: one for each search that has written to it. Everything that a report
//! counts is computed from the sessions, so that states of several machines can be merged, and merging the
//! same one twice counts nothing twice.

use std::collections::BTreeMap;
use std::fmt;

use racetrap_history::{Scenario, Verdict};
use racetrap_search::{Learned, Plan, Policy, Rule, Signature};
use serde::{Deserialize, Serialize};

/// What was searched: the daemon, and the kind of its worlds. Results of different subjects are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Subject {
    /// The version that the daemon's program prints.
    pub(crate) daemon: String,
    /// SHA-256 of the program: two builds may print the same version.
    pub(crate) sha256: String,
    /// Defects that were switched on.
    pub(crate) defects: Vec<String>,
    /// The engine that was asked for.
    pub(crate) engine: String,
    /// The VM mode that was asked for.
    pub(crate) vm: Option<String>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { daemon, sha256, defects, engine, vm } = self;
        let digest = sha256.get(..12).unwrap_or(sha256);
        write!(f, "{daemon} ({digest}), engine {engine}")?;
        if let Some(vm) = vm {
            write!(f, ", VM mode {vm}")?;
        }
        if !defects.is_empty() {
            write!(f, ", under {}", defects.join(", "))?;
        }
        Ok(())
    }
}

/// How a search began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Began {
    pub(crate) subject: Subject,
    /// Calendar time.
    pub(crate) at: String,
    /// The whole command line.
    pub(crate) command: String,
    /// What decides the plans of a random search.
    pub(crate) seed: Option<u64>,
    /// Which part of the plans, such as `1/4`.
    pub(crate) shard: String,
}

/// What a search was going to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// How many plans there are, those included that earlier searches have run; nothing if there is no end
    /// of them.
    pub(crate) plans: Option<usize>,
    /// How many of them earlier searches have run.
    pub(crate) earlier: usize,
    /// How many plans each rule removed.
    pub(crate) removed: BTreeMap<Rule, usize>,
    /// Every place of the plans with every disturbance of it.
    pub(crate) pairs: Vec<(String, String)>,
}

/// A plan that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ran {
    /// Identity of the plan.
    pub(crate) plan: String,
    pub(crate) policy: Policy,
    pub(crate) place: String,
    pub(crate) disturbance: String,
    pub(crate) verdict: Verdict,
    /// When its run ended, since the beginning of the search.
    pub(crate) seconds: f64,
    /// Why it showed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// How it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<Signature>,
}

/// The first failure of its kind in a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Met {
    pub(crate) signature: Signature,
    pub(crate) plan: Plan,
    /// Broken promises.
    pub(crate) reasons: Vec<String>,
    /// Its evidence, below the directory of the state if it lies there.
    pub(crate) evidence: Option<String>,
    /// What the list of known failures says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<KnownNote>,
}

/// What a list says of a known failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownNote {
    pub(crate) why: String,
    pub(crate) since: String,
}

/// A failure whose schedule was repeated and shortened, and written to a replay file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shortened {
    pub(crate) signature: Signature,
    /// What is left of the schedule.
    pub(crate) scenario: Scenario,
    /// The replay file, below the directory of the state if it lies there.
    pub(crate) replay: String,
    /// The same in one line.
    pub(crate) token: String,
    /// The command that repeats it.
    pub(crate) again: String,
    /// How many steps there were before.
    pub(crate) steps: usize,
    /// In how many of how many repetitions it failed in the same way; nothing if it was not repeated.
    pub(crate) repeated: Option<(usize, usize)>,
    /// Whether each step that is left is needed.
    pub(crate) shortest: bool,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// How long plans were run.
    pub(crate) seconds: f64,
}

/// One thing that a search writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    Began(Box<Began>),
    /// What the runs of a workload without faults have shown.
    Learned(Box<Learned>),
    Planned(Planned),
    Ran(Box<Ran>),
    Met(Box<Met>),
    Shortened(Box<Shortened>),
    Ended(Ended),
}

/// What one search has written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    /// Differs between any two searches.
    pub(crate) id: String,
    pub(crate) began: Began,
    pub(crate) learned: Vec<Learned>,
    pub(crate) planned: Planned,
    /// In the order in which the runs ended.
    pub(crate) ran: Vec<Ran>,
    pub(crate) met: Vec<Met>,
    pub(crate) shortened: Vec<Shortened>,
    /// Missing if the search goes on, or was killed.
    pub(crate) ended: Option<Ended>,
}

impl Session {
    /// How long plans were run, as far as is known.
    pub(crate) fn seconds(&self) -> f64 {
        let last = self.ran.last().map_or(0.0, |ran| ran.seconds);
        self.ended.as_ref().map_or(last, |ended| ended.seconds)
    }

    /// Orders sessions by the time at which they began.
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.began.at, &self.id)
    }

    /// How much is known of it.
    fn entries(&self) -> usize {
        self.ran.len()
            + self.met.len()
            + self.learned.len()
            + self.shortened.len()
            + usize::from(self.ended.is_some())
            + usize::from(self.planned.plans.is_some())
    }

    /// All of it as it is written.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        let Self { began, learned, planned, ran, met, shortened, ended, .. } = self;
        let mut entries = vec![Entry::Began(Box::new(began))];
        entries.extend(learned.into_iter().map(|learned| Entry::Learned(Box::new(learned))));
        entries.push(Entry::Planned(planned));
        entries.extend(ran.into_iter().map(|ran| Entry::Ran(Box::new(ran))));
        entries.extend(met.into_iter().map(|met| Entry::Met(Box::new(met))));
        entries.extend(shortened.into_iter().map(|short| Entry::Shortened(Box::new(short))));
        entries.extend(ended.map(Entry::Ended));
        entries
    }

    /// Rewrites each path of evidence and of replay files.
    pub(crate) fn move_paths(&mut self, moved: impl Fn(&str) -> String) {
        for evidence in self.met.iter_mut().filter_map(|met| met.evidence.as_mut()) {
            *evidence = moved(evidence);
        }
        for short in &mut self.shortened {
            short.replay = moved(&short.replay);
        }
    }
}

/// What some searches have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    /// In the order in which they began to write.
    pub(crate) sessions: Vec<Session>,
}

impl State {
    /// Adds what a search has written. Fails if the search has not begun, or begins twice.
    pub(super) fn add(&mut self, id: String, entry: Entry) -> Result<(), &'static str> {
        let known = self.sessions.iter_mut().rev().find(|session| session.id == id);
        match (entry, known) {
            (Entry::Began(began), None) => self.sessions.push(Session {
                id,
                began: *began,
                learned: Vec::new(),
                planned: Planned::default(),
                ran: Vec::new(),
                met: Vec::new(),
                shortened: Vec::new(),
                ended: None,
            }),
            (Entry::Began(_), Some(_)) => return Err("a search begins twice"),
            (_, None) => return Err("a search that has not begun"),
            (Entry::Learned(learned), Some(session)) => session.learned.push(*learned),
            (Entry::Planned(planned), Some(session)) => session.planned = planned,
            (Entry::Ran(ran), Some(session)) => session.ran.push(*ran),
            (Entry::Met(met), Some(session)) => session.met.push(*met),
            (Entry::Shortened(short), Some(session)) => session.shortened.push(*short),
            (Entry::Ended(ended), Some(session)) => session.ended = Some(ended),
        }
        Ok(())
    }

    /// Adds the sessions of another state. Of one that both have, the one with more in it stays.
    pub(crate) fn merge(&mut self, other: Self) {
        for session in other.sessions {
            match self.sessions.iter_mut().find(|known| known.id == session.id) {
                Some(known) if known.entries() < session.entries() => *known = session,
                Some(_) => {}
                None => self.sessions.push(session),
            }
        }
        // The order must not depend on the order of the files.
        self.sessions.sort_by(|one, other| one.key().cmp(&other.key()));
    }
}
