//! The reports for programs: one JSON object per command, as docs/formats.md describes it.

use std::path::{Path, PathBuf};

use racetrap_history::{
    DaemonKind, Excused, FindingId, Judgement, OracleName, Platform, PromiseNumber, Replayed,
    Scenario, Unknown, Unshown, Verdict, Violation, VmMode,
};
use serde::Serialize;

use super::RunReport;
use super::case::State;
use super::check::{Check, CheckState};
use super::recorded::{Recorded, differences};
use super::survey::Compared;
use crate::contract::Coverage;
use crate::known::KnownFailure;
use crate::matrix::Cell;
use crate::workloads::{Group, SurfaceCoverage};

/// Version of objects without a verdict. docs/formats.md says what a version promises.
const VERSION: u32 = 1;

/// Version of objects with verdicts.
const VERDICTS: u32 = 2;

/// The daemon that was run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DaemonFacts {
    /// Path of its program.
    pub(crate) program: String,
    /// The version that its program prints.
    pub(crate) version: String,
    /// Whether it can switch defects on, as only a reference daemon can.
    pub(crate) knows_defects: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a FindingId,
    title: &'a str,
    source: &'a str,
    broken: &'a str,
    correct: &'a str,
    oracle: OracleName,
    defect: &'a str,
    unrelated: &'a str,
    promises: &'a [PromiseNumber],
    platforms: &'a [Platform],
    covers: &'a [FindingId],
}

#[derive(Serialize)]
struct Run<'a> {
    finding: &'a FindingId,
    defects: &'a [String],
    vm: Option<VmMode>,
    engine: Option<&'a str>,
    verdict: Verdict,
    oracles: Vec<OracleName>,
    right: Option<bool>,
    cell: Option<DaemonKind>,
    violations: &'a [Violation],
    unknowns: &'a [Unknown],
    excused: &'a [Excused],
    not_applicable: Option<&'a str>,
    known: &'a [KnownFailure],
    repaired: &'a [KnownFailure],
    seconds: f64,
    evidence: Option<String>,
    #[serde(flatten)]
    replayed: Option<&'a Replayed>,
    again: &'a str,
}

impl<'a> Run<'a> {
    fn new(report: &'a RunReport) -> Self {
        Self {
            finding: &report.finding,
            defects: &report.defects,
            vm: report.vm,
            engine: report.engine.as_deref(),
            verdict: report.judgement.verdict,
            oracles: report.judgement.oracles(),
            violations: &report.judgement.violations,
            unknowns: &report.judgement.unknowns,
            excused: &report.judgement.excused,
            right: State::of_run(report).is_right(),
            cell: report.cell.map(|(daemon, _)| daemon),
            not_applicable: report.judgement.not_applicable.as_deref(),
            known: &report.known.matched,
            repaired: &report.known.repaired,
            seconds: report.seconds,
            evidence: report.evidence.as_ref().map(|path| path.display().to_string()),
            replayed: report.replayed.as_ref(),
            again: &report.again,
        }
    }
}

/// The object of `list`.
pub(crate) fn list_json<'a>(
    entries: impl Iterator<Item = &'a Scenario>,
    unshown: impl Iterator<Item = &'a Unshown>,
) -> String {
    #[derive(Serialize)]
    struct List<'a> {
        version: u32,
        findings: Vec<Entry<'a>>,
        unshown: Vec<&'a Unshown>,
    }
    let findings = entries
        .filter_map(|entry| {
            let about = entry.about.as_ref()?;
            Some(Entry {
                id: &entry.finding,
                title: &about.title,
                source: &about.source,
                broken: &about.broken,
                correct: &about.correct,
                oracle: about.oracle,
                defect: &about.defect,
                unrelated: &about.unrelated,
                promises: &about.promises,
                platforms: &about.platforms,
                covers: &about.covers,
            })
        })
        .collect();
    text(&List { version: VERSION, findings, unshown: unshown.collect() })
}

/// The object of `promises`.
pub(crate) fn promises_json(coverage: &Coverage<'_>) -> String {
    #[derive(Serialize)]
    struct Promise<'a> {
        number: PromiseNumber,
        section: &'a str,
        text: &'a str,
        oracles: &'a [OracleName],
        #[serde(skip_serializing_if = "Option::is_none")]
        why_not: Option<&'static str>,
        findings: &'a [&'a FindingId],
        defects: &'a [&'a str],
    }
    #[derive(Serialize)]
    struct Promises<'a> {
        version: u32,
        promises: Vec<Promise<'a>>,
        judged: usize,
        exercised: usize,
        not_judged: usize,
    }
    let promises = coverage.promises.iter().map(|promise| Promise {
        number: promise.number,
        section: promise.section,
        text: promise.text,
        oracles: &promise.oracles,
        why_not: promise.why_not,
        findings: &promise.findings,
        defects: &promise.defects,
    });
    text(&Promises {
        version: VERSION,
        promises: promises.collect(),
        judged: coverage.judged(),
        exercised: coverage.exercised(),
        not_judged: coverage.not_judged(),
    })
}

/// The object of `workloads`.
pub(crate) fn workloads_json(coverage: &SurfaceCoverage<'_>) -> String {
    #[derive(Serialize)]
    struct Workload<'a> {
        id: &'a FindingId,
        steps: usize,
    }
    #[derive(Serialize)]
    struct Item<'a> {
        group: Group,
        name: &'a str,
        workloads: &'a [&'a FindingId],
        #[serde(skip_serializing_if = "Option::is_none")]
        why_not: Option<&'static str>,
    }
    #[derive(Serialize)]
    struct Workloads<'a> {
        version: u32,
        workloads: Vec<Workload<'a>>,
        surface: Vec<Item<'a>>,
        touched: usize,
        untouched: usize,
        out_of_reach: usize,
    }
    let workloads = coverage.workloads.iter().map(|(id, steps)| Workload { id, steps: *steps });
    let surface = coverage.items.iter().map(|covered| Item {
        group: covered.item.group,
        name: &covered.item.name,
        workloads: &covered.workloads,
        why_not: covered.why_not,
    });
    let untouched = coverage.items.iter().filter(|covered| covered.workloads.is_empty()).count();
    text(&Workloads {
        version: VERSION,
        workloads: workloads.collect(),
        surface: surface.collect(),
        touched: coverage.items.len() - untouched,
        untouched,
        out_of_reach: coverage.with_reason(),
    })
}

/// The object of `run`.
pub(crate) fn runs_json(daemon: &DaemonFacts, reports: &[RunReport]) -> String {
    #[derive(Serialize)]
    struct Runs<'a> {
        version: u32,
        daemon: &'a DaemonFacts,
        runs: Vec<Run<'a>>,
    }
    text(&Runs { version: VERDICTS, daemon, runs: reports.iter().map(Run::new).collect() })
}

/// The object of `survey`.
pub(crate) fn survey_json(revisions: &[Compared]) -> String {
    #[derive(Serialize)]
    struct Revision<'a> {
        revision: &'a str,
        daemon: &'a DaemonFacts,
        runs: Vec<Run<'a>>,
    }
    #[derive(Serialize)]
    struct Survey<'a> {
        version: u32,
        revisions: Vec<Revision<'a>>,
    }
    let revisions = revisions.iter().map(|one| Revision {
        revision: &one.name,
        daemon: &one.daemon,
        runs: one.reports.iter().map(Run::new).collect(),
    });
    text(&Survey { version: VERDICTS, revisions: revisions.collect() })
}

/// The object of `lanes`. All engines run with the same daemon.
pub(crate) fn lanes_json(engines: &[Compared]) -> String {
    #[derive(Serialize)]
    struct Lane<'a> {
        engine: &'a str,
        runs: Vec<Run<'a>>,
    }
    #[derive(Serialize)]
    struct Lanes<'a> {
        version: u32,
        daemon: Option<&'a DaemonFacts>,
        lanes: Vec<Lane<'a>>,
    }
    let lanes = engines
        .iter()
        .map(|one| Lane { engine: &one.name, runs: one.reports.iter().map(Run::new).collect() });
    let daemon = engines.first().map(|one| &one.daemon);
    text(&Lanes { version: VERDICTS, daemon, lanes: lanes.collect() })
}

/// The object of `report`. `unread` lists journals that cannot be used, with the reason.
pub(crate) fn rebuilt_json(reports: &[RunReport], unread: &[(PathBuf, String)]) -> String {
    #[derive(Serialize)]
    struct Unread<'a> {
        journal: String,
        why: &'a str,
    }
    #[derive(Serialize)]
    struct Rebuilt<'a> {
        version: u32,
        runs: Vec<Run<'a>>,
        unread: Vec<Unread<'a>>,
    }
    let unread = unread.iter();
    let unread = unread.map(|(path, why)| Unread { journal: path.display().to_string(), why });
    let runs = reports.iter().map(Run::new).collect();
    text(&Rebuilt { version: VERDICTS, runs, unread: unread.collect() })
}

/// The object of `judge`.
pub(crate) fn judged_json(report: &RunReport, recorded: &Recorded) -> String {
    #[derive(Serialize)]
    struct Judged<'a> {
        version: u32,
        run: Run<'a>,
        recorded: Option<&'a Judgement>,
        differences: Vec<String>,
    }
    let known = match recorded {
        Recorded::Verdict(judgement) => Some(judgement),
        Recorded::Nothing(_) => None,
    };
    let differences = differences(&report.judgement, recorded);
    text(&Judged { version: VERDICTS, run: Run::new(report), recorded: known, differences })
}

/// The object of `open`.
pub(crate) fn opened_json(kubeconfig: Option<&Path>, docker_host: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Opened<'a> {
        version: u32,
        kubeconfig: Option<String>,
        docker_host: Option<&'a str>,
    }
    let kubeconfig = kubeconfig.map(|path| path.display().to_string());
    text(&Opened { version: VERSION, kubeconfig, docker_host })
}

/// The object of `repro`.
pub(crate) fn repro_json(daemon: &DaemonFacts, report: &RunReport) -> String {
    #[derive(Serialize)]
    struct Repro<'a> {
        version: u32,
        daemon: &'a DaemonFacts,
        run: Run<'a>,
        timeline: &'a [String],
    }
    let timeline = &report.timeline;
    text(&Repro { version: VERDICTS, daemon, run: Run::new(report), timeline })
}

/// The object of `matrix`.
pub(crate) fn matrix_json(daemon: &DaemonFacts, cells: &[Cell]) -> String {
    #[derive(Serialize)]
    struct OneCell<'a> {
        #[serde(flatten)]
        cell: &'a Cell,
        right: Option<bool>,
        known: &'a [KnownFailure],
        repaired: &'a [KnownFailure],
    }
    #[derive(Serialize)]
    struct Matrix<'a> {
        version: u32,
        daemon: &'a DaemonFacts,
        cells: Vec<OneCell<'a>>,
    }
    let cells = cells.iter().map(|cell| OneCell {
        cell,
        right: State::of_cell(cell).is_right(),
        known: &cell.known.matched,
        repaired: &cell.known.repaired,
    });
    text(&Matrix { version: VERDICTS, daemon, cells: cells.collect() })
}

/// The object of `doctor`.
pub(crate) fn doctor_json(checks: &[Check]) -> String {
    #[derive(Serialize)]
    struct Doctor<'a> {
        version: u32,
        ready: bool,
        checks: &'a [Check],
    }
    let ready = checks.iter().all(|check| check.state != CheckState::Missing);
    text(&Doctor { version: VERSION, ready, checks })
}

fn text(object: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(object);
    text.expect("structs of text and numbers are JSON") + "\n"
}
