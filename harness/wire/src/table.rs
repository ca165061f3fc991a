//! The rules of one point, found by the route that they want.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::call::Call;
use crate::gate::GateCore;
use crate::rule::{Asked, Cause, Decision, Fault, Matcher};

/// What a rule of this point does.
#[derive(Debug)]
pub(crate) enum Action<F> {
    /// Holds the one message that the count names.
    Hold(Arc<GateCore>),
    /// Something else happens, so many times or always.
    Fault { fault: F, left: Option<u32> },
}

#[derive(Debug)]
struct Rule<F> {
    cause: Cause,
    matcher: Matcher,
    action: Action<F>,
    /// Messages that fitted since arming.
    seen: u32,
}

/// Rules in the order of their arming.
#[derive(Debug)]
pub(crate) struct Table<F> {
    rules: BTreeMap<u64, Rule<F>>,
    /// Rules by their route: those for others cost a message nothing.
    named: BTreeMap<String, Vec<u64>>,
    any: Vec<u64>,
    /// Rules that want to look into bodies.
    with_body: usize,
}

impl<F> Default for Table<F> {
    fn default() -> Self {
        Self { rules: BTreeMap::new(), named: BTreeMap::new(), any: Vec::new(), with_body: 0 }
    }
}

impl<F> Table<F> {
    pub(crate) fn insert(&mut self, id: u64, cause: Cause, matcher: Matcher, action: Action<F>) {
        self.with_body += usize::from(!matcher.body.is_empty());
        self.place(matcher.route.as_deref()).push(id);
        self.rules.insert(id, Rule { cause, matcher, action, seen: 0 });
    }

    /// Removes a rule, where it is one of these.
    pub(crate) fn remove(&mut self, id: u64) {
        if let Some(rule) = self.rules.remove(&id) {
            self.with_body -= usize::from(!rule.matcher.body.is_empty());
            self.place(rule.matcher.route.as_deref()).retain(|armed| *armed != id);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Some rule wants to look into the body of this request.
    pub(crate) fn want_body(&self, call: &Call) -> bool {
        let fits = |rule: &Rule<F>| !rule.matcher.body.is_empty() && rule.matcher.fits_head(call);
        self.with_body > 0 && self.rules.values().any(fits)
    }

    fn place(&mut self, route: Option<&str>) -> &mut Vec<u64> {
        match route {
            Some(route) => self.named.entry(route.to_owned()).or_default(),
            None => &mut self.any,
        }
    }

    /// Rules that could fit, in the order of their arming.
    fn candidates(&self, call: &Call) -> Vec<u64> {
        let named = call.route.template.and_then(|template| self.named.get(template));
        let mut ids = self.any.clone();
        ids.extend(named.into_iter().flatten());
        ids.sort_unstable();
        ids
    }
}

impl<F: Fault> Table<F> {
    /// What is to be done; counts the message for every rule that it fits up to the deciding one.
    pub(crate) fn decide(&mut self, call: &Call, asked: Asked<'_>) -> Decision<F> {
        let candidates = self.candidates(call);
        let decision = candidates.into_iter().find_map(|id| {
            let rule = self.rules.get_mut(&id).filter(|rule| rule.fits(call, asked))?;
            rule.apply()
        });
        decision.unwrap_or(Decision::Pass)
    }

    /// What all rules do that the message fits, and which is no more than looking at it.
    pub(crate) fn all(&mut self, call: &Call, asked: Asked<'_>) -> Vec<F> {
        let candidates = self.candidates(call);
        let applied = candidates.into_iter().filter_map(|id| {
            let rule = self.rules.get_mut(&id).filter(|rule| rule.fits(call, asked))?;
            match rule.apply()? {
                Decision::Fault(fault, _) => Some(fault),
                Decision::Pass | Decision::Hold(_) => None,
            }
        });
        applied.collect()
    }
}

impl<F: Fault> Rule<F> {
    fn fits(&self, call: &Call, asked: Asked<'_>) -> bool {
        let can_happen = match &self.action {
            Action::Hold(_) => true,
            Action::Fault { fault, .. } => fault.can_happen(call),
        };
        can_happen && self.matcher.fits_head(call) && self.matcher.fits_content(asked)
    }

    /// Counts the message, and decides where its turn has come.
    fn apply(&mut self) -> Option<Decision<F>> {
        self.seen += 1;
        let nth = self.matcher.nth.unwrap_or(1);
        match &mut self.action {
            Action::Hold(gate) => (self.seen == nth).then(|| Decision::Hold(gate.clone())),
            Action::Fault { fault, left } => {
                if self.seen < nth {
                    return None;
                }
                if let Some(left) = left {
                    *left = left.checked_sub(1)?;
                }
                Some(Decision::Fault(fault.clone(), self.cause.clone()))
            }
        }
    }
}
