//! The rules for one kind of message, indexed by the route that they want.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::call::Call;
use crate::rules::fault::{Cause, Decision, Fault};
use crate::rules::latch::Latch;
use crate::rules::line::Line;
use crate::rules::matcher::{Matcher, Message};

/// What a rule does.
#[derive(Debug)]
pub(crate) enum RuleAction<F> {
    /// Holds the one message that the matcher's count selects.
    Hold(Arc<Latch>),
    /// Holds each message.
    HoldEach(Arc<Line>),
    /// Applies a fault; `left` says how many times more, without a value always.
    Fault { fault: F, left: Option<u32> },
}

#[derive(Debug)]
struct Rule<F> {
    cause: Cause,
    matcher: Matcher,
    action: RuleAction<F>,
    /// Number of messages that have matched since the rule was armed.
    matched: u32,
}

/// The rules for one kind of message.
///
/// A rule is found by the route of a message, so that rules for other routes cost a message
/// nothing.
#[derive(Debug)]
pub(crate) struct RulesByRoute<F> {
    /// All rules by their ID. IDs grow, so the order of IDs is the order of arming.
    rules: BTreeMap<u64, Rule<F>>,
    /// IDs of the rules that want one route, by its template.
    one_route: BTreeMap<String, Vec<u64>>,
    /// IDs of the rules that want any route.
    any_route: Vec<u64>,
    /// Number of rules that match the body of the request.
    matching_body: usize,
}

impl<F> Default for RulesByRoute<F> {
    fn default() -> Self {
        Self {
            rules: BTreeMap::new(),
            one_route: BTreeMap::new(),
            any_route: Vec::new(),
            matching_body: 0,
        }
    }
}

impl<F> RulesByRoute<F> {
    pub(crate) fn insert(
        &mut self,
        id: u64,
        cause: Cause,
        matcher: Matcher,
        action: RuleAction<F>,
    ) {
        self.matching_body += usize::from(!matcher.body.is_empty());
        self.ids_of(matcher.route.as_deref()).push(id);
        self.rules.insert(id, Rule { cause, matcher, action, matched: 0 });
    }

    /// Removes the rule with this ID, if it is here.
    pub(crate) fn remove(&mut self, id: u64) {
        if let Some(rule) = self.rules.remove(&id) {
            self.matching_body -= usize::from(!rule.matcher.body.is_empty());
            self.ids_of(rule.matcher.route.as_deref()).retain(|armed| *armed != id);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether a rule needs the body of this request to decide.
    pub(crate) fn need_body(&self, call: &Call) -> bool {
        let needs =
            |rule: &Rule<F>| !rule.matcher.body.is_empty() && rule.matcher.matches_call(call);
        self.matching_body > 0 && self.rules.values().any(needs)
    }

    fn ids_of(&mut self, route: Option<&str>) -> &mut Vec<u64> {
        match route {
            Some(route) => self.one_route.entry(route.to_owned()).or_default(),
            None => &mut self.any_route,
        }
    }

    /// IDs of the rules whose route matches, in the order of arming.
    fn candidates(&self, call: &Call) -> Vec<u64> {
        let same_route = call.route.template.and_then(|template| self.one_route.get(template));
        let mut ids = self.any_route.clone();
        ids.extend(same_route.into_iter().flatten());
        // Each of the two lists is sorted, their concatenation is not.
        ids.sort_unstable();
        ids
    }
}

impl<F: Fault> RulesByRoute<F> {
    /// The decision of the first rule that wants the message. Every matching rule up to this one
    /// counts the message; the rules behind it do not.
    pub(crate) fn decide(&mut self, call: &Call, message: Message<'_>) -> Decision<F> {
        let candidates = self.candidates(call);
        let decision = candidates.into_iter().find_map(|id| {
            let rule = self.rules.get_mut(&id).filter(|rule| rule.matches(call, message))?;
            rule.count_and_decide(call, message)
        });
        decision.unwrap_or(Decision::Forward)
    }

    /// The faults of all rules that want the message. For rules that only observe: they do not
    /// exclude one another.
    pub(crate) fn all(&mut self, call: &Call, message: Message<'_>) -> Vec<F> {
        let candidates = self.candidates(call);
        let faults = candidates.into_iter().filter_map(|id| {
            let rule = self.rules.get_mut(&id).filter(|rule| rule.matches(call, message))?;
            match rule.count_and_decide(call, message)? {
                Decision::Fault(fault, _) => Some(fault),
                Decision::Forward | Decision::Hold(_) => None,
            }
        });
        faults.collect()
    }
}

impl<F: Fault> Rule<F> {
    fn matches(&self, call: &Call, message: Message<'_>) -> bool {
        let can_happen = match &self.action {
            RuleAction::Hold(_) | RuleAction::HoldEach(_) => true,
            RuleAction::Fault { fault, .. } => fault.can_happen(call),
        };
        can_happen && self.matcher.matches_call(call) && self.matcher.matches_content(message)
    }

    /// Counts the message. None if the rule leaves it to later rules: because the n-th message has
    /// not come yet, or because the rule has been applied as often as it may.
    fn count_and_decide(&mut self, call: &Call, message: Message<'_>) -> Option<Decision<F>> {
        self.matched += 1;
        let nth = self.matcher.nth.unwrap_or(1);
        match &mut self.action {
            RuleAction::HoldEach(line) => Some(Decision::Hold(line.latch(call, message))),
            RuleAction::Hold(latch) => (self.matched == nth).then(|| Decision::Hold(latch.clone())),
            RuleAction::Fault { fault, left } => {
                if self.matched < nth {
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
