//! Each promise with the oracles that judge it and the findings that exercise it.

use racetrap_history::{FindingId, OracleName, PromiseNumber, Scenario, oracle};

use super::Contract;

/// One promise, with the oracles that judge it and the findings that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covered<'a> {
    pub(crate) number: PromiseNumber,
    /// Title of its section.
    pub(crate) section: &'a str,
    pub(crate) text: &'a str,
    /// Oracles that judge it, in the order of their names.
    pub(crate) oracles: Vec<OracleName>,
    /// Why no oracle judges it; `None` if one does.
    pub(crate) why_not: Option<&'static str>,
    /// Findings that name it, in the order of their ids.
    pub(crate) findings: Vec<&'a FindingId>,
    /// Defects of those findings, each once and in order. A defect breaks at least one promise of its
    /// finding, but not necessarily all of them.
    pub(crate) defects: Vec<&'a str>,
}

/// Promises in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage<'a> {
    pub(crate) promises: Vec<Covered<'a>>,
}

impl<'a> Coverage<'a> {
    /// The promises for whose numbers `chosen` returns true, with the findings among `entries` that name
    /// them.
    pub(crate) fn new(
        contract: &'a Contract,
        entries: impl Iterator<Item = &'a Scenario>,
        chosen: impl Fn(PromiseNumber) -> bool,
    ) -> Self {
        let entries: Vec<_> =
            entries.filter_map(|entry| Some((&entry.finding, entry.about.as_ref()?))).collect();
        // Only `about` names promises, and a replay file may leave it out.
        let covered = |(number, text): (PromiseNumber, &'a str)| {
            let naming = entries.iter().filter(|(_, about)| about.promises.contains(&number));
            let mut defects: Vec<_> =
                naming.clone().map(|(_, about)| about.defect.as_str()).collect();
            // Several findings may share a defect, and `dedup` removes only neighbours.
            defects.sort_unstable();
            defects.dedup();
            Covered {
                number,
                section: contract.title(&number.section()).unwrap_or_default(),
                text,
                oracles: judges(number),
                why_not: why_not(number),
                findings: naming.map(|(finding, _)| *finding).collect(),
                defects,
            }
        };
        let promises = contract.promises().filter(|(number, _)| chosen(*number));
        Self { promises: promises.map(covered).collect() }
    }

    /// How many promises an oracle judges.
    pub(crate) fn judged(&self) -> usize {
        self.promises.iter().filter(|promise| promise.is_judged()).count()
    }

    /// How many promises an oracle judges and a finding exercises.
    pub(crate) fn exercised(&self) -> usize {
        let exercised = |promise: &&Covered<'_>| promise.is_judged() && promise.is_exercised();
        self.promises.iter().filter(exercised).count()
    }

    /// How many promises no oracle judges.
    pub(crate) fn not_judged(&self) -> usize {
        self.promises.len() - self.judged()
    }
}

impl Covered<'_> {
    pub(crate) fn is_judged(&self) -> bool {
        !self.oracles.is_empty()
    }

    pub(crate) fn is_exercised(&self) -> bool {
        !self.findings.is_empty()
    }
}

/// The oracles that judge a promise, in the order of their names.
fn judges(number: PromiseNumber) -> Vec<OracleName> {
    let number = number.to_string();
    let judges = |name: &OracleName| oracle::promises(*name).contains(&number.as_str());
    OracleName::ALL.into_iter().filter(judges).collect()
}

/// Why no oracle judges a promise.
fn why_not(number: PromiseNumber) -> Option<&'static str> {
    let number = number.to_string();
    let mut listed = oracle::not_judged().iter();
    listed.find(|listed| listed.numbers.contains(&number.as_str())).map(|listed| listed.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    // Without this check nobody would notice a misspelt number: it would count for no promise.
    #[test]
    fn every_number_that_an_oracle_or_a_finding_names_is_a_promise() {
        let contract = Contract::embedded().unwrap();
        for name in OracleName::ALL {
            for number in oracle::promises(name) {
                assert!(contract.has(number.parse().unwrap()), "{name}: {number}");
            }
        }
        for entry in Catalogue::embedded().unwrap().entries() {
            let about = entry.about.as_ref().unwrap();
            for number in &about.promises {
                assert!(contract.has(*number), "{}: {number}", entry.finding);
            }
        }
    }

    // A promise that is forgotten would count for one that nobody can judge.
    #[test]
    fn every_promise_is_judged_or_listed_with_the_reason() {
        let contract = Contract::embedded().unwrap();
        let mut listed: Vec<PromiseNumber> = Vec::new();
        for not_judged in oracle::not_judged() {
            assert!(!not_judged.why.contains('\n'), "one line: {}", not_judged.why);
            let numbers: Vec<PromiseNumber> =
                not_judged.numbers.iter().map(|number| number.parse().expect(number)).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
            listed.extend(numbers);
        }
        for (number, _) in contract.promises() {
            let times = listed.iter().filter(|listed| **listed == number).count();
            let expected = usize::from(judges(number).is_empty());
            assert_eq!(
                times, expected,
                "{number}: a reason for what no oracle judges, and only for it"
            );
        }
        listed.retain(|number| !contract.has(*number));
        assert_eq!(listed, [], "the contract has no such promises");
    }

    // The defect of a finding makes its oracle fail, so that oracle must judge one of its promises. If no
    // oracle judges a promise, a finding that exercises it proves nothing about it.
    #[test]
    fn every_finding_names_judged_promises_and_one_of_its_own_oracle() {
        for entry in Catalogue::embedded().unwrap().entries() {
            let (id, about) = (&entry.finding, entry.about.as_ref().unwrap());
            let judges: Vec<_> = about.promises.iter().map(|number| judges(*number)).collect();
            assert!(judges.iter().all(|judges| !judges.is_empty()), "{id}: {:?}", about.promises);
            let by_its_own = judges.iter().any(|judges| judges.contains(&about.oracle));
            assert!(by_its_own, "{id}: {} judges none of its promises", about.oracle);
            assert!(about.promises.is_sorted_by(|a, b| a < b), "{id}: {:?}", about.promises);
        }
    }
}
