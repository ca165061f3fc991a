//! Histories that the tests build themselves: a short one that fails, and long ones.

use std::collections::BTreeMap;

use racetrap_history::{
    ApiChange, Change, EngineEvent, EngineState, EngineVolume, LogLevel, Phase, Point,
    ProcessState, Record, RunHeader, Stage, VmMode, What, WireMessage, WireWhat,
};
use serde_json::{Value, json};

/// The time between two records, in microseconds.
const PACE_US: u64 = 1_000;

/// Numbers records, and gives each its time.
#[derive(Default)]
pub(crate) struct Builder {
    records: Vec<Record>,
    now_us: u64,
}

impl Builder {
    pub(crate) fn add(&mut self, what: What) -> u64 {
        self.now_us += PACE_US;
        let seq = self.records.len() as u64;
        self.records.push(Record { seq, at_us: self.now_us, neighbour: false, what });
        seq
    }

    fn quiet(&mut self, us: u64) {
        self.now_us += us;
    }

    /// Continues a history.
    pub(crate) fn after(records: Vec<Record>) -> Self {
        let now_us = records.last().map_or(0, |last| last.at_us);
        Self { records, now_us }
    }

    pub(crate) fn done(self) -> Vec<Record> {
        self.records
    }
}

/// Texts for the header of a history.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) title: &'a str,
    pub(crate) again: &'a str,
}

pub(crate) const PLAIN: Texts<'static> = Texts {
    title: "what comes in the gap is never seen",
    again: "racetrap repro 1-A --defect 1-A",
};

pub(crate) fn header(texts: Texts<'_>) -> What {
    What::Run(RunHeader {
        format: 2,
        harness: "0.1.0".to_owned(),
        finding: "1-A".parse().unwrap(),
        scenario: serde_json::from_value(json!({
            "finding": "1-A",
            "about": {
                "title": texts.title, "source": "a review", "broken": "It misses what comes.",
                "correct": "It mirrors all of it.", "oracle": "convergence", "defect": "1-A",
                "unrelated": "1-B",
            },
            "steps": [
                { "hold": { "gate": "events", "at": "request", "on": { "route": "/events" } } },
                { "app": { "running": true, "wait": false } },
                { "reached": "events" },
                { "create_volume": { "name": "late" } },
                { "release": "events" },
                "settle",
            ],
        }))
        .unwrap(),
        daemon: "/bin/rdd".to_owned(),
        defects: vec!["1-A".to_owned()],
        vm: VmMode::Api,
        started: "2026-01-01T00:00:00Z".to_owned(),
        reused: 0,
        again: texts.again.to_owned(),
        low_limit: None,
        cell: None,
    })
}

pub(crate) fn volume(name: &str) -> Value {
    json!({
        "metadata": { "name": format!("vol-{name}"), "namespace": "default", "uid": name,
                      "finalizers": ["engine.rancherdesktop.io/mirror"] },
        "status": { "name": name, "driver": "local", "mountpoint": "/v" },
    })
}

pub(crate) fn changed(resource: &str, change: Change, object: Value) -> What {
    What::Api(ApiChange { resource: resource.to_owned(), change, object })
}

pub(crate) fn app(status: &str) -> What {
    let condition = |kind: &str| {
        json!({ "type": kind, "status": status, "reason": "Because", "message": "m",
                "observedGeneration": 1 })
    };
    let object = json!({
        "metadata": { "name": "app", "generation": 1 },
        "spec": { "running": true, "containerEngine": { "name": "moby" } },
        "status": { "conditions": [condition("ContainerEngineReady"), condition("Settled")] },
    });
    changed("apps", Change::Modified, object)
}

pub(crate) fn truth(names: &[&str]) -> What {
    let volume = || EngineVolume {
        driver: "local".to_owned(),
        mountpoint: "/v".to_owned(),
        labels: BTreeMap::new(),
        details: None,
    };
    let volumes = names.iter().map(|name| ((*name).to_owned(), volume())).collect();
    What::Truth(EngineState { volumes, ..EngineState::default() })
}

pub(crate) fn engine_event(id: &str) -> What {
    What::Engine(EngineEvent {
        object: "volume".to_owned(),
        action: "create".to_owned(),
        id: id.to_owned(),
        container: None,
        time_ns: 0,
    })
}

pub(crate) fn wire(exchange: u64, event: WireWhat) -> What {
    What::Wire(WireMessage { connection: 0, exchange, event })
}

pub(crate) fn request(target: &str) -> WireWhat {
    WireWhat::Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        route: Some(target.to_owned()),
        phase: Phase::Bootstrap,
    }
}

fn step(builder: &mut Builder, index: usize, within: impl FnOnce(&mut Builder)) {
    builder.add(What::StepBegan { index });
    within(builder);
    builder.add(What::StepDone { index });
}

/// The engine has two volumes. One was created while the daemon's request was held, and the daemon
/// never mirrors it, so the oracle of convergence finds a violation.
pub(crate) fn gap(texts: Texts<'_>) -> Vec<Record> {
    let mut all = Builder::default();
    let process = |state| What::Process { name: "daemon".to_owned(), pid: 7, started: 1, state };
    let held = || WireWhat::Held { gate: "events".to_owned(), point: Point::Request };
    all.add(header(texts));
    all.add(process(ProcessState::Started));
    all.add(What::Facts {
        daemon_version: "1.2".to_owned(),
        engine: "dockerd 28".to_owned(),
        controllers: vec!["engine".to_owned()],
    });
    all.quiet(800_000);
    step(&mut all, 0, |_| {});
    step(&mut all, 1, |all| {
        all.add(app("False"));
        all.add(truth(&["early"]));
    });
    all.add(wire(0, request("/v1.41/volumes")));
    all.add(wire(0, WireWhat::Response { status: 200 }));
    all.add(wire(0, WireWhat::Finished { bytes: 10 }));
    all.add(changed("volumes", Change::Added, volume("early")));
    all.add(wire(1, request("/v1.41/events?filters=x")));
    step(&mut all, 2, |all| {
        all.add(wire(1, held()));
    });
    step(&mut all, 3, |all| {
        all.add(engine_event("late"));
        all.add(truth(&["early", "late"]));
    });
    step(&mut all, 4, |_| {});
    all.add(wire(1, WireWhat::Released { gate: "events".to_owned() }));
    all.add(wire(1, WireWhat::Response { status: 200 }));
    all.add(app("True"));
    all.add(What::Log { level: LogLevel::Error, text: "something is odd".to_owned() });
    step(&mut all, 5, |all| {
        all.quiet(1_500_000);
        all.add(What::Checkpoint { number: 1, stage: Stage::Level });
        all.add(What::Checkpoint { number: 1, stage: Stage::Probed });
    });
    all.add(process(ProcessState::Stopped));
    all.add(What::Ended);
    all.done()
}

/// Many requests, two at a time, with their events and mirrors. The last requests do not end, and
/// neither does the run.
pub(crate) fn long(records: usize) -> Vec<Record> {
    let mut all = Builder::default();
    all.add(header(PLAIN));
    all.add(app("True"));
    let mut exchange = 0;
    while all.records.len() < records {
        let name = format!("data-{}", exchange % 400);
        let object = volume(&name);
        all.add(wire(exchange, request("/v1.41/volumes")));
        all.add(engine_event(&name));
        all.add(wire(exchange + 1, request(&format!("/v1.41/volumes/{name}"))));
        all.add(wire(exchange, WireWhat::Response { status: 200 }));
        all.add(wire(exchange, WireWhat::Finished { bytes: 20 }));
        all.add(wire(exchange + 1, WireWhat::Response { status: 200 }));
        all.add(changed("volumes", Change::Added, object.clone()));
        all.add(changed("volumes", Change::Modified, object));
        all.add(wire(exchange + 1, WireWhat::Finished { bytes: 20 }));
        exchange += 2;
    }
    all.add(truth(&["data-0", "lost"]));
    for stage in [Stage::Level, Stage::Probed] {
        all.add(What::Checkpoint { number: 1, stage });
    }
    all.done()
}

/// A daemon that answers many requests at the same time, and warns of each in the same words.
pub(crate) fn crowd(requests: u64) -> Vec<Record> {
    let mut all = Builder::after(gap(PLAIN));
    for exchange in 10..10 + requests {
        all.add(wire(exchange, request("/v1.41/containers/json")));
        let text = format!("time=\"2026-01-01T00:00:{exchange}Z\" level=warning msg=\"slow\"");
        all.add(What::Log { level: LogLevel::Warning, text });
    }
    all.done()
}

/// A history whose clock is known to the millisecond.
pub(crate) fn timed(mut history: Vec<Record>) -> Vec<Record> {
    if let Some(What::Run(header)) = history.first_mut().map(|record| &mut record.what) {
        header.started = "2026-01-01T00:00:00.500Z".to_owned();
    }
    history
}
