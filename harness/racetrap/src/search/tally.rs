//! What a state says of one subject, in numbers.

use std::collections::BTreeMap;

use racetrap_history::Verdict;
use racetrap_search::{Policy, Rule, Signature};

use super::state::{KnownNote, Met, Session, Shortened, State, Subject};
use crate::known::KnownFailures;

/// A way in which a subject failed, over all searches.
#[derive(Clone, Debug)]
pub(crate) struct FailureTally<'a> {
    pub(crate) signature: &'a Signature,
    /// How many runs failed like this.
    pub(crate) count: usize,
    /// The first one.
    pub(crate) first: &'a Met,
    /// When the search began that had the first one.
    pub(crate) since: &'a str,
    /// When the last search began that had one.
    pub(crate) last: &'a str,
    /// After how many plans, and after how much time of all searches, it was found.
    pub(crate) after: (usize, f64),
    /// Evidence of the first one of each search.
    pub(crate) evidence: Vec<&'a str>,
    /// Its shortest schedule.
    pub(crate) shortened: Option<&'a Shortened>,
    /// What the list of the last search that has one says of it.
    pub(crate) known: Option<&'a KnownNote>,
}

/// A moment of a search at which it had found or covered more than before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Progressed {
    /// Time of all searches until then.
    pub(crate) seconds: f64,
    pub(crate) failures: usize,
    pub(crate) pairs: usize,
}

/// All searches of one subject.
#[derive(Clone, Debug)]
pub(crate) struct Tally<'a> {
    pub(crate) subject: &'a Subject,
    /// In the order in which they began.
    pub(crate) sessions: Vec<&'a Session>,
    pub(crate) runs: usize,
    /// Time in which plans were run, of all machines together.
    pub(crate) seconds: f64,
    pub(crate) verdicts: BTreeMap<(Policy, Verdict), usize>,
    /// How many runs with a verdict each place had with each disturbance; 0 if it was only planned.
    pub(crate) pairs: BTreeMap<(&'a str, &'a str), usize>,
    /// Why runs showed nothing.
    pub(crate) unknown: BTreeMap<&'a str, usize>,
    /// How many plans each rule removed, of the search that removed most.
    pub(crate) removed: BTreeMap<Rule, usize>,
    /// In the order in which they were found.
    pub(crate) failures: Vec<FailureTally<'a>>,
    pub(crate) curve: Vec<Progressed>,
}

impl State {
    /// The numbers of each subject, the one that was searched last first.
    pub(crate) fn tallies(&self) -> Vec<Tally<'_>> {
        let mut tallies: Vec<Tally<'_>> = Vec::new();
        let mut sessions: Vec<_> = self.sessions.iter().collect();
        sessions.sort_by_key(|session| session.key());
        for session in sessions.iter().rev() {
            if !tallies.iter().any(|tally| *tally.subject == session.began.subject) {
                tallies.push(Tally::new(&session.began.subject));
            }
        }
        for tally in &mut tallies {
            let own = sessions.iter().filter(|it| it.began.subject == *tally.subject);
            own.for_each(|session| tally.add(session));
        }
        tallies
    }
}

impl<'a> Tally<'a> {
    fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            sessions: Vec::new(),
            runs: 0,
            seconds: 0.0,
            verdicts: BTreeMap::new(),
            pairs: BTreeMap::new(),
            unknown: BTreeMap::new(),
            removed: BTreeMap::new(),
            failures: Vec::new(),
            curve: Vec::new(),
        }
    }

    fn add(&mut self, session: &'a Session) {
        for (place, disturbance) in &session.planned.pairs {
            self.pairs.entry((place, disturbance)).or_default();
        }
        for (rule, count) in &session.planned.removed {
            // Every shard removes the same, so these are no parts of a sum.
            let most = self.removed.entry(*rule).or_default();
            *most = (*most).max(*count);
        }
        for ran in &session.ran {
            self.runs += 1;
            *self.verdicts.entry((ran.policy, ran.verdict)).or_default() += 1;
            if ran.verdict == Verdict::Unknown {
                *self.unknown.entry(ran.why.as_deref().unwrap_or_default()).or_default() += 1;
            } else {
                *self.pairs.entry((&ran.place, &ran.disturbance)).or_default() += 1;
            }
            let seconds = self.seconds + ran.seconds;
            if let Some(signature) = &ran.signature {
                self.count_failure(session, signature, seconds);
            }
            self.add_to_curve(seconds);
        }
        for short in &session.shortened {
            if let Some(own) = self.failures.iter_mut().find(|it| *it.signature == short.signature)
            {
                let steps = |short: &Shortened| short.scenario.steps.len();
                if own.shortened.is_none_or(|best| steps(short) <= steps(best)) {
                    own.shortened = Some(short);
                }
            }
        }
        self.seconds += session.seconds();
        self.sessions.push(session);
    }

    fn count_failure(&mut self, session: &'a Session, signature: &'a Signature, seconds: f64) {
        let Some(met) = session.met.iter().find(|met| met.signature == *signature) else { return };
        let at = session.began.at.as_str();
        let known = self.failures.iter_mut().find(|own| own.signature == signature);
        let Some(own) = known else {
            return self.failures.push(FailureTally {
                signature,
                count: 1,
                first: met,
                since: at,
                last: at,
                after: (self.runs, seconds),
                evidence: met.evidence.as_deref().into_iter().collect(),
                shortened: None,
                known: met.known.as_ref(),
            });
        };
        own.count += 1;
        own.last = at;
        own.known = met.known.as_ref();
        let evidence = met.evidence.as_deref();
        own.evidence.extend(evidence.filter(|path| !own.evidence.contains(path)));
    }

    fn add_to_curve(&mut self, seconds: f64) {
        let (failures, pairs) = (self.failures.len(), self.covered());
        let last = self.curve.last().map_or((0, 0), |last| (last.failures, last.pairs));
        if last != (failures, pairs) {
            self.curve.push(Progressed { seconds, failures, pairs });
        }
    }

    /// Whether something failed that is not known: by the list, or without one by that of the searches.
    pub(crate) fn has_failed(&self, list: Option<&KnownFailures>) -> bool {
        let is_known = |failure: &FailureTally<'_>| match list {
            Some(list) => list.of_search(failure.signature).is_some(),
            None => failure.known.is_some(),
        };
        !self.failures.iter().all(is_known)
    }

    /// How many pairs of place and disturbance a run with a verdict had.
    pub(crate) fn covered(&self) -> usize {
        self.pairs.values().filter(|count| **count > 0).count()
    }
}
