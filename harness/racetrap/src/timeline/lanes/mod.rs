//! A history as lanes on one clock: what the timeline page draws, and what the trace holds.
//!
//! A lane has rows, a row has items. An item is a mark at one record, or a bar from one record to
//! another. Two bars of a row never overlap, but for those that lie wholly within another one.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a lane looks only at the records that it shows"
)]

mod conditions;
mod engine;
mod judged;
mod mirrors;
mod steps;
mod wire;

pub(super) use mirrors::{Changed, changes};
use racetrap_history::timeline::{self, Entry};
use racetrap_history::{Judgement, LogLevel, ProcessState, Record, Steps, What};

/// How an item looks, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something that went on.
    Plain,
    /// What another item tells too.
    Faint,
    /// Something that is there, or holds.
    Good,
    /// Something that is off, and may be so.
    Off,
    /// A warning, or neither of the two.
    Doubt,
    /// A broken promise, a failure, an end that nobody wanted.
    Bad,
    /// What the scenario does to bring the finding about.
    Fault,
    /// A message that stands still.
    Held,
    /// Something new.
    Added,
    /// Something that changed.
    Changed,
    /// Something that went.
    Removed,
}

impl Tone {
    /// As the page's style and script know it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Faint => "faint",
            Self::Good => "good",
            Self::Off => "off",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
            Self::Fault => "fault",
            Self::Held => "held",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// A record's number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// The record's number.
    pub(super) seq: u64,
    /// Microseconds since the run began.
    pub(super) us: u64,
}

impl From<&Record> for At {
    fn from(record: &Record) -> Self {
        Self { seq: record.seq, us: record.at_us }
    }
}

/// A mark, or a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) tone: Tone,
    pub(super) label: String,
    pub(super) from: At,
    /// Where a bar ends; none for a mark.
    pub(super) to: Option<At>,
}

impl Item {
    fn mark(at: At, tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into(), from: at, to: None }
    }

    fn bar(from: At, to: At, tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into(), from, to: Some(to) }
    }
}

/// What is drawn at one height.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) title: String,
    /// In the order of their beginnings; of two that begin together, the longer one first.
    pub(super) items: Vec<Item>,
}

impl Row {
    fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        let mut row = Self { title: title.into(), items };
        row.items.sort_by_key(|item| {
            let to = item.to.map_or(item.from.seq, |to| to.seq);
            (item.from.us, item.from.seq, std::cmp::Reverse(to))
        });
        row
    }
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// What is made of a history for every way to draw it.
pub(super) struct Chart {
    /// Every record as a person reads it.
    pub(super) entries: Vec<Entry>,
    /// What became of the comparisons of mirrors: those of the run's own daemon, and of its neighbour.
    pub(super) changes: [Vec<Changed>; 2],
    /// In the order in which they are drawn; none is without an item.
    pub(super) lanes: Vec<Lane>,
    /// The last record.
    pub(super) end: At,
}

impl Chart {
    pub(super) fn of(history: &[Record], judgement: &Judgement) -> Self {
        let entries = timeline::entries(history);
        let end = history.last().map_or(At { seq: 0, us: 0 }, At::from);
        let apart = [false, true].map(|neighbour| {
            let of_it = history.iter().filter(|record| record.neighbour == neighbour);
            of_it.collect::<Vec<_>>()
        });
        let changes = [changes(&apart[0]), changes(&apart[1])];
        let mut lanes = vec![Lane {
            title: "verdict".to_owned(),
            rows: judged::rows(history, &entries, judgement),
        }];
        for (index, records) in apart.into_iter().enumerate() {
            let (entries, changes) = (&entries[..], &changes[index][..]);
            let source = Source { records, steps: Steps::of(history), entries, changes, end };
            lanes.extend(source.lanes().into_iter().map(|(title, rows)| {
                let title =
                    if index == 0 { title.to_owned() } else { format!("neighbour’s {title}") };
                Lane { title, rows }
            }));
        }
        for lane in &mut lanes {
            lane.rows.retain(|row| !row.items.is_empty());
        }
        lanes.retain(|lane| !lane.rows.is_empty());
        Self { entries, changes, lanes, end }
    }
}

/// What the lanes of one daemon are made of.
struct Source<'a> {
    records: Vec<&'a Record>,
    steps: Steps<'a>,
    entries: &'a [Entry],
    changes: &'a [Changed],
    end: At,
}

impl Source<'_> {
    fn lanes(&self) -> [(&'static str, Vec<Row>); 10] {
        [
            ("steps", steps::rows(self)),
            ("users", steps::users(self)),
            ("wire", wire::rows(self, wire::Which::Engine)),
            ("client wire", wire::rows(self, wire::Which::Clients)),
            ("engine", engine::events(self)),
            ("mirrors", mirrors::rows(self)),
            ("API", engine::watched(self)),
            ("conditions", conditions::rows(self)),
            ("processes", processes(self)),
            ("log", log(self)),
        ]
    }

    /// The text of a record, as a person reads it.
    fn text(&self, record: &Record) -> &str {
        text(self.entries, record)
    }

    /// Marks for the records of which `tone` makes one.
    fn marks(&self, tone: impl Fn(&What) -> Option<Tone>) -> Vec<Item> {
        let marks = self.records.iter().filter_map(|record| {
            Some(Item::mark(At::from(*record), tone(&record.what)?, self.text(record)))
        });
        marks.collect()
    }
}

fn text<'a>(entries: &'a [Entry], record: &Record) -> &'a str {
    let index = usize::try_from(record.seq).unwrap_or(usize::MAX);
    entries.get(index).map_or("", |entry| entry.text.as_str())
}

/// Processes from their beginning to their end, by their part in the world.
fn processes(source: &Source<'_>) -> Vec<Row> {
    let mut parts: Vec<(&str, Vec<(u32, Item)>)> = Vec::new();
    for record in &source.records {
        let What::Process { name, pid, state, .. } = &record.what else { continue };
        let at = At::from(*record);
        let index = parts.iter().position(|(of, _)| of == name).unwrap_or_else(|| {
            parts.push((name, Vec::new()));
            parts.len() - 1
        });
        let items = &mut parts[index].1;
        let begun = items.iter_mut().rfind(|(of, _)| of == pid).map(|(_, item)| item);
        match (state, begun) {
            (ProcessState::Started, _) | (_, None) => {
                let bar = Item::bar(at, source.end, Tone::Plain, format!("{name} {pid}"));
                items.push((*pid, bar));
            }
            (ProcessState::Stopped, Some(item)) => item.to = Some(at),
            (ProcessState::Died { exit }, Some(item)) => {
                item.to = Some(at);
                item.tone = Tone::Bad;
                item.label = format!("{name} {pid}: {exit}");
            }
        }
    }
    let rows = parts.into_iter().flat_map(|(name, items)| {
        pack(name, items.into_iter().map(|(_, item)| vec![item]).collect())
    });
    rows.collect()
}

fn log(source: &Source<'_>) -> Vec<Row> {
    let level = |wanted: LogLevel, tone: Tone| {
        source.marks(|what| {
            matches!(what, What::Log { level, .. } if *level == wanted).then_some(tone)
        })
    };
    vec![
        Row::new("panics", level(LogLevel::Panic, Tone::Bad)),
        Row::new("errors", level(LogLevel::Error, Tone::Bad)),
        Row::new("warnings", level(LogLevel::Warning, Tone::Doubt)),
    ]
}

/// Puts groups of items into as few rows as possible, so that no two groups of a row overlap; a
/// group's first item is the one that holds the others. The first row has the title.
fn pack(title: &str, mut groups: Vec<Vec<Item>>) -> Vec<Row> {
    let mut rows: Vec<(u64, Vec<Item>)> = Vec::new();
    groups.sort_by_key(|group| group.first().map(|first| (first.from.us, first.from.seq)));
    for group in groups {
        let Some(first) = group.first() else { continue };
        let from = first.from.us;
        let to = first.to.map_or(from, |to| to.us);
        match rows.iter_mut().find(|(free, _)| *free <= from) {
            Some((free, items)) => {
                *free = to;
                items.extend(group);
            }
            None => rows.push((to, group)),
        }
    }
    let titles = std::iter::once(title).chain(std::iter::repeat(""));
    rows.into_iter().zip(titles).map(|((_, items), title)| Row::new(title, items)).collect()
}
