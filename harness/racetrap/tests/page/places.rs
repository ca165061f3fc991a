//! Where the page leads: files, lines in them, and times on the calendar.

use std::collections::BTreeMap;

use racetrap::timeline::{Beside, timeline_page};
use racetrap_history::{Record, judge};
use serde_json::json;

use crate::browser::Browser;
use crate::histories::{PLAIN, gap, timed};

const SCHEDULE: &str = "finding: 1-A\nsteps:\n- hold: {}\n- app: {}\n- reached: events\n\
                        - create_volume:\n    name: late\n- release: events\n- settle\n";

const DAEMON_LOG: &str = "something else\nsomething is odd\n";

const ENGINE_LOG: &str = "time=\"2026-01-01T00:00:00.600Z\" level=info msg=one\n\
                          time=\"2026-01-01T00:00:01.300Z\" level=info msg=two\n\
                          time=\"2026-01-01T00:00:09Z\" level=info msg=three\n";

fn beside() -> Beside {
    let texts = [
        ("scenario.yaml", SCHEDULE),
        ("daemon-rdd.stderr.log", DAEMON_LOG),
        ("engine.log", ENGINE_LOG),
    ];
    let mut names: Vec<_> = texts.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.extend(["trace.json", "journal.jsonl", "world/"].map(str::to_owned));
    let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Beside { names, texts: BTreeMap::from(texts) }
}

async fn opened(history: &[Record]) -> Browser {
    let mut browser = Browser::start().await;
    browser.open(&timeline_page(history, &judge(history), &beside())).await;
    browser
}

fn seq(history: &[Record], word: &str) -> u64 {
    let has = |record: &&Record| serde_json::to_string(record).unwrap().contains(word);
    history.iter().find(has).unwrap().seq
}

// A file is linked if it is there, and the index always: it is written after the page.
#[tokio::test]
async fn the_page_leads_to_the_index_and_to_each_file_of_the_run() {
    let browser = opened(&gap(PLAIN)).await;
    let links = "[...document.querySelectorAll('nav a')].map((one) => one.getAttribute('href'))";
    let expected = [
        "../index.html",
        "./scenario.yaml",
        "./daemon-rdd.stderr.log",
        "./engine.log",
        "./trace.json",
        "./journal.jsonl",
        "./world/",
    ];
    assert_eq!(browser.value(links).await, json!(expected));
    browser.end().await;
}

// The line of the log is the one with the record's text, that of the engine the last one before the
// record, and that of the step the one on which the schedule has it.
#[tokio::test]
async fn a_record_has_its_time_on_the_calendar_and_its_lines_in_other_files() {
    let history = timed(gap(PLAIN));
    let browser = opened(&history).await;
    let log = seq(&history, "something is odd");
    let step = seq(&history, r#""what":"step_began","index":4"#);
    let event = seq(&history, r#""what":"engine""#);
    for (record, file) in [
        (log, "daemon-rdd.stderr.log:2 · journal"),
        (step, "scenario.yaml:8 · journal"),
        (event, "engine.log:2 (the last line before) · journal"),
    ] {
        browser.value(&format!("select({record})")).await;
        let text = browser.text("#places").await;
        // The header is the first record, and was written when the clock said what it says.
        let at_us = history[usize::try_from(record).unwrap()].at_us - history[0].at_us + 500_000;
        let time = format!("2026-01-01T00:00:0{}.{:03}Z", at_us / 1_000_000, at_us / 1_000 % 1_000);
        let expected = format!("{time} · {file}.jsonl:{}", record + 1);
        assert_eq!(text, expected);
        assert!(browser.text(&format!("#line{record}")).await.len() > 3);
        let title = browser.value(&format!("byId('line{record}').title")).await;
        assert!(title.as_str().unwrap().starts_with(&time), "{title}");
    }
    browser.end().await;
}

// The link carries the beginning of the line, so the browser scrolls to it.
#[tokio::test]
async fn the_link_to_the_journal_opens_it_at_the_record() {
    let history = gap(PLAIN);
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<_> =
        history.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    // The lines of this history alone would fit into the window.
    let journal = format!("{}{}", lines.join("\n"), "\n".repeat(200));
    std::fs::write(directory.path().join("journal.jsonl"), journal).unwrap();
    let page = directory.path().join("timeline.html");
    std::fs::write(&page, timeline_page(&history, &judge(&history), &beside())).unwrap();
    let mut browser = Browser::start().await;
    browser.open_file(page).await;
    browser.value(&format!("select({})", history.len() - 1)).await;
    browser.follow("#places a[href*='journal']").await;
    // WebDriver waits for the promise, and fails after 30 s.
    let scrolled = "new Promise((done) => {
      const look = () => (scrollY > 0 ? done(location.pathname) : requestAnimationFrame(look));
      look();
    })";
    let shown = browser.value(scrolled).await;
    assert!(shown.as_str().unwrap().ends_with("/journal.jsonl"), "{shown}");
    browser.end().await;
}

// All steps are there in words, each with its line, and with the record in which it begins.
#[tokio::test]
async fn every_step_leads_to_its_record_and_to_its_line_in_the_schedule() {
    let history = gap(PLAIN);
    let browser = opened(&history).await;
    browser.click(".steps summary").await;
    assert_eq!(browser.count(".steps li").await, 6);
    assert!(
        browser
            .text(".steps li:nth-child(4)")
            .await
            .ends_with("create volume late scenario.yaml:6")
    );
    browser.click(".steps li:nth-child(4) a").await;
    let begun = seq(&history, r#""what":"step_began","index":3"#);
    assert!(browser.text("#record h2").await.starts_with(&format!("Record {begun} ")));
    browser.end().await;
}

// An old journal knows the second of its beginning, and no more.
#[tokio::test]
async fn a_time_that_is_not_exact_says_so() {
    let browser = opened(&gap(PLAIN)).await;
    browser.value("select(3)").await;
    assert!(browser.text("#places").await.starts_with("2026-01-01T00:00:00Z, within a second"));
    browser.end().await;
}
