//! How a search and a hunt end: they shorten what failed, write the page of their state, and report.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use racetrap_search::Rule;
use tokio::time::Instant;

use super::evidence::hand_over_all;
use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::run::worst;
use super::search::Begun;
use super::search_log::SearchLog;
use super::worlds;
use crate::known::{KnownFailures, KnownSignature};
use crate::report::{self, Found, SearchReport, Terminal};
use crate::search::{Explored, Lesson, Replay, shrink, write_replay};

/// Directory of replay files, below that of the evidence.
pub(super) const REPLAYS: &str = "found";

/// What the end of a search or a hunt needs to know of its beginning.
pub(super) struct Ending<'a> {
    pub(super) begun: &'a Begun,
    pub(super) log: &'a SearchLog,
    pub(super) lessons: &'a [Lesson],
    /// How many plans there were; nothing if there is no end of them.
    pub(super) planned: Option<usize>,
    /// How many plans of this round earlier searches have run.
    pub(super) earlier: usize,
    pub(super) removed: &'a BTreeMap<Rule, usize>,
    pub(super) known: &'a KnownFailures,
    /// How long each failure may be repeated and its schedule be shortened.
    pub(super) shrink_for: Duration,
    pub(super) jobs: NonZeroUsize,
}

impl Ending<'_> {
    /// Ends it. The exit code is `exit`, or a worse one if the worlds could not be closed.
    pub(super) async fn end(
        self,
        explored: &Explored,
        exit: Exit,
        format: Format,
        terminal: Terminal,
    ) -> Result<Exit, Failure> {
        let Self { begun, log, .. } = self;
        let found = shrink_all(explored, self.shrink_for, self.jobs, begun, log).await;
        let closed = worlds::close(&begun.options.pool).await;
        let kept = log.end(explored.took.as_secs_f64(), self.planned);
        let (kept, written) =
            kept.map_or_else(|error| (None, Err(error)), |kept| (Some(kept), Ok(())));
        let report = SearchReport {
            lessons: self.lessons,
            planned: self.planned,
            earlier: self.earlier,
            removed: self.removed,
            explored,
            unseen: unseen(self.known, explored),
            kept,
        };
        let place = &begun.options.evidence;
        let made = report.kept.iter().flat_map(|(state, page)| [state.clone(), page.clone()]);
        hand_over_all(place, made.chain([place.join(REPLAYS)]));
        let told = terminal.write(&match format {
            Format::Human => report::search(&report, &found?, terminal.paint()),
            Format::Json => report::search_json(&begun.daemon, &report, &found?),
        });
        conclude(worst([exit, closed].into_iter()), [told.map_err(Failure::from), written])
    }
}

/// The listed failures that the search has not met.
fn unseen<'a>(known: &'a KnownFailures, explored: &Explored) -> Vec<&'a KnownSignature> {
    let met = |entry: &KnownSignature| {
        explored.failures.iter().any(|failure| entry.is_about(&failure.signature))
    };
    known.signatures().iter().filter(|entry| !met(entry)).collect()
}

/// Repeats and shrinks each failure, and writes its replay file. One that is known, or that an earlier
/// search has shortened, is left as it is.
async fn shrink_all(
    explored: &Explored,
    shrink_for: Duration,
    jobs: NonZeroUsize,
    begun: &Begun,
    log: &SearchLog,
) -> Result<Vec<Found>, Failure> {
    use futures::StreamExt as _;
    let place = begun.options.evidence.join(REPLAYS);
    let defects = &begun.options.defects;
    let found = explored.failures.iter().map(|failure| async {
        let earlier = log.past().times(&failure.signature);
        let before = log.shortened(&failure.signature);
        let is_new = before.is_none();
        let (shrunk, replay) = if let Some((short, path)) = before {
            (None, Replay { path, token: short.token.clone() })
        } else {
            let is_left = shrink_for.is_zero() || failure.known.is_some();
            let shrunk = if is_left {
                None
            } else {
                let until = Instant::now() + shrink_for;
                let scenario = &failure.plan.scenario;
                Some(shrink(scenario, &failure.signature, &begun.options, until).await)
            };
            let scenario =
                shrunk.as_ref().map_or(&failure.plan.scenario, |shrunk| &shrunk.scenario);
            let order = shrunk.as_ref().filter(|shrunk| shrunk.repeated.0 > 0);
            let order = order.map_or(&failure.order[..], |shrunk| &shrunk.order);
            let replay = write_replay(&place, failure, scenario, order)
                .into_diagnostic()
                .wrap_err("a replay file could not be written")
                .map_err(Failure::machine)?;
            (shrunk, replay)
        };
        let again = begun.again.command(&replay.path.to_string_lossy(), defects, false);
        let again_by_token = begun.again.command(&replay.token, defects, false);
        let failure = failure.clone();
        let found = Found { failure, shrunk, replay, again, again_by_token, earlier };
        if is_new {
            log.found(&found);
        }
        Ok(found)
    });
    let found: Vec<Result<Found, Failure>> =
        futures::stream::iter(found).buffered(jobs.get()).collect().await;
    found.into_iter().collect()
}
