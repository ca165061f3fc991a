//! The timeline page in a real browser, with clicks and keys.

use std::collections::BTreeSet;

use racetrap::timeline::{Beside, timeline_page};
use racetrap_history::{Blame, Record, What, judge};
use rstest::rstest;
use serde_json::{Value, json};
use thirtyfour::prelude::Key;

use crate::browser::Browser;
use crate::histories::{Builder, PLAIN, Texts, gap, header, long};

fn page(history: &[Record]) -> String {
    timeline_page(history, &judge(history), &Beside::default())
}

async fn opened(history: &[Record]) -> Browser {
    let mut browser = Browser::start().await;
    browser.open(&page(history)).await;
    browser
}

/// The first record whose JSON contains a text.
fn record<'a>(history: &'a [Record], word: &str) -> &'a Record {
    let has = |record: &&Record| serde_json::to_string(record).unwrap().contains(word);
    history.iter().find(has).unwrap()
}

/// The number and the JSON of the record that the panel shows.
async fn shown(browser: &Browser) -> (u64, Value) {
    let title = browser.text("#record h2").await;
    let number = title.split_whitespace().nth(1).unwrap().parse().unwrap();
    let payload = browser.text("#record pre").await;
    (number, serde_json::from_str(&payload).unwrap())
}

/// The position of an instant in the first row of a lane, if no stretch is shortened and the whole
/// run is visible.
async fn place(browser: &Browser, lane: &str, at_us: u64, end_us: u64) -> (f64, f64) {
    let script = format!(
        "(() => {{ const lane = [...document.querySelectorAll('.lane')] \
           .find((one) => one.querySelector('b').textContent === '{lane}'); \
         const row = lane.querySelector('div div').getBoundingClientRect(); \
         const plot = document.querySelector('#chart canvas').getBoundingClientRect(); \
         return [plot.left, plot.width, row.top + row.height / 2]; }})()"
    );
    let found = browser.value(&script).await;
    let number = |index: usize| found[index].as_f64().unwrap();
    let part = (at_us as f64 / end_us as f64 + 0.01) / 1.06;
    (number(0) + part * number(1), number(2))
}

// The texts must be those of the history. The button must copy the command.
#[tokio::test]
async fn the_first_line_has_verdict_finding_and_the_command_to_repeat_the_run() {
    let mut browser = opened(&gap(PLAIN)).await;
    assert_eq!(browser.text("header .verdict").await, "fail");
    assert_eq!(browser.text("h1").await, "1-A what comes in the gap is never seen");
    assert_eq!(browser.text("#again").await, PLAIN.again);
    assert!(browser.text(".seen").await.contains("volume late: in the engine, but has no mirror"));
    assert!(browser.text(".story").await.contains("create volume late"));
    browser.click("#copy").await;
    // The clipboard is asynchronous, so this waits until the button changes.
    let answered = "(() => { const button = document.querySelector('#copy'); \
                     return button.textContent !== 'Copy' || new Promise((done) => \
                     new MutationObserver(() => done(true)).observe(button, { childList: true })); })()";
    browser.value(answered).await;
    assert_eq!(browser.text("#copy").await, "Copied");
    // An old journal has no command, so there is nothing to copy.
    browser.open(&page(&gap(Texts { again: "", ..PLAIN }))).await;
    assert!(browser.value("document.querySelector('.again').hidden").await.as_bool().unwrap());
    browser.end().await;
}

// A click in the list and a click on the chart must both show the complete JSON of that record.
#[tokio::test]
async fn a_click_on_a_record_shows_its_payload() {
    let history = gap(PLAIN);
    let browser = opened(&history).await;
    let event = record(&history, r#""what":"engine""#);
    browser.click("#search").await;
    browser.press("create late").await;
    browser.click(&format!("#line{}", event.seq)).await;
    assert_eq!(shown(&browser).await, (event.seq, json!(event)));
    // Another record first, so that the click on the chart changes the selection.
    browser.click("#whole").await;
    browser.value("select(0)").await;
    assert_eq!(shown(&browser).await.0, 0);
    browser.press("q").await;
    let (x, y) = place(&browser, "engine", event.at_us, history.last().unwrap().at_us).await;
    browser.point_at(x, y).await;
    assert!(browser.text("#tip").await.contains("volume create late"));
    browser.click_at(x, y).await;
    assert_eq!(shown(&browser).await, (event.seq, json!(event)));
    browser.end().await;
}

// At three instants the result differs: before the App should run there must be no mirrors, then
// engine and daemon both have one volume, and then the engine has a second one.
#[tokio::test]
async fn the_scrubber_shows_the_mirrors_of_its_instant() {
    let history = gap(PLAIN);
    let browser = opened(&history).await;
    let end = history.last().unwrap().at_us;
    browser.press("q").await;
    let box_of = "(() => { const box = document.querySelector('#scrubber').getBoundingClientRect(); \
                  return box.top + box.height / 2; })()";
    let y = browser.value(box_of).await.as_f64().unwrap();
    let truths = || history.iter().filter(|record| json!(record)["what"] == "truth");
    let late = truths().nth(1).unwrap();
    let held = record(&history, r#""wire":"held""#);
    for (at_us, title, listed) in [
        (late.at_us, "1 of 2 differ", "missing volume late"),
        (held.at_us, "all as in the engine", "equal volume early"),
        (700_000, "none", ""),
    ] {
        // A click on the thumb would not move it, so it is moved away first.
        browser.press(Key::End).await;
        let (x, _) = place(&browser, "engine", at_us, end).await;
        browser.click_at(x + 1.0, y).await;
        let found = browser.text("#mirrors h2").await;
        assert!(found.ends_with(title), "at {at_us}: {found}");
        let first = browser.value("document.querySelector('#mirrors li')?.textContent ?? ''").await;
        assert!(first.as_str().unwrap().starts_with(listed), "at {at_us}: {first}");
        let (seq, _) = shown(&browser).await;
        assert!(history[usize::try_from(seq).unwrap()].at_us <= at_us + 3_000);
    }
    browser.end().await;
}

// The panel must name the gate while it holds the message, and neither before nor after.
#[tokio::test]
async fn the_panel_names_a_gate_for_as_long_as_it_holds_a_message() {
    let history = gap(PLAIN);
    let mut browser = Browser::start().await;
    browser.open(&page(&history)).await;
    let held = record(&history, r#""wire":"held""#).seq;
    let released = record(&history, r#""wire":"released""#).seq;
    for (seq, stands) in [(held - 1, false), (held, true), (released - 1, true), (released, false)]
    {
        browser.value(&format!("location.hash = '#r{seq}'")).await;
        // The browser handles the new hash in a task of its own, before this timer.
        browser.value("new Promise((done) => setTimeout(done))").await;
        assert_eq!(shown(&browser).await.0, seq);
        let is_named = browser.text("#standing").await.contains("HELD at events");
        assert_eq!(is_named, stands, "record {seq}");
    }
    browser.end().await;
}

// The page of a failed run opens at its first violation. From any other record, a link and a key
// lead back to it.
#[tokio::test]
async fn a_link_and_a_key_lead_to_the_violation() {
    let history = gap(PLAIN);
    let violated = judge(&history).violations[0].seq;
    let browser = opened(&history).await;
    assert_eq!(shown(&browser).await.0, violated);
    browser.press(Key::Home).await;
    assert_eq!(shown(&browser).await.0, 0);
    browser.click(".seen a").await;
    assert_eq!(shown(&browser).await.0, violated);
    assert_eq!(browser.value("location.hash").await, json!(format!("#r{violated}")));
    assert_eq!(browser.text(".line[aria-selected=true] .number").await, violated.to_string());
    browser.press(Key::Home).await;
    browser.press("n").await;
    assert_eq!(shown(&browser).await.0, violated);
    browser.end().await;
}

// Without a violation, the page opens at the record that has made the run unknown.
#[tokio::test]
async fn the_page_of_an_unknown_run_opens_at_its_reason() {
    let mut history = Builder::default();
    history.add(header(PLAIN));
    let why = "`docker stop web` exited 1, not 0".to_owned();
    let failed = history.add(What::StepFailed { index: 0, blame: Blame::Schedule, why });
    history.add(What::Ending);
    history.add(What::Ended);
    let browser = opened(&history.done()).await;
    assert_eq!(shown(&browser).await.0, failed);
    browser.end().await;
}

// Presses the keys of the page's own list, and checks the effect of each.
#[tokio::test]
async fn the_page_can_be_used_with_the_keyboard_alone() {
    let history = gap(PLAIN);
    let browser = opened(&history).await;
    browser.press(Key::Home).await;
    browser.press(Key::Right).await;
    assert_eq!(shown(&browser).await.0, 1);
    browser.press(Key::Down).await;
    browser.press(Key::Left).await;
    assert_eq!(shown(&browser).await.0, 1);
    browser.press(Key::End).await;
    assert_eq!(shown(&browser).await.0, history.last().unwrap().seq);

    // In the search field letters are text and not commands.
    browser.press("/").await;
    browser.press("late").await;
    assert!(browser.text("#count").await.starts_with("2 of"), "{}", browser.text("#count").await);
    browser.press(Key::Escape).await;
    browser.press(Key::Home).await;
    let event = record(&history, r#""what":"step_began","index":3"#);
    assert_eq!(shown(&browser).await.0, event.seq);

    // After zooming in, the same position is another instant. With the whole run visible it is the
    // first one again.
    let (x, y) = place(&browser, "engine", history.last().unwrap().at_us / 4, 1_000_000_000).await;
    let instant = async |browser: &Browser| {
        browser.click_at(x + 300.0, y).await;
        shown(browser).await.0
    };
    let far = instant(&browser).await;
    browser.press(Key::Home).await;
    browser.press("+++++").await;
    assert_ne!(instant(&browser).await, far);
    browser.press("0").await;
    assert_eq!(instant(&browser).await, far);

    browser.press("?").await;
    assert!(browser.value("document.querySelector('#keys').open").await.as_bool().unwrap());
    browser.press(Key::Escape).await;
    assert!(!browser.value("document.querySelector('#keys').open").await.as_bool().unwrap());

    // The focused element has an outline, and every control has an accessible name.
    browser.press(Key::Tab).await;
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.value(outline).await, json!("solid"));
    let nameless = "[...document.querySelectorAll('input, button, [tabindex]')].filter((one) => \
                    !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length)).length";
    // The JSON and the list of mirrors are named by their content.
    assert_eq!(browser.value(nameless).await, json!(0));
    browser.end().await;
}

// Every text of this history tries to end its element and to run a script.
#[tokio::test]
async fn no_text_of_a_history_becomes_markup() {
    const HOSTILE: &str = "</script><!--<script>document.title='broken'</script>\
                           <img src=x onerror=document.title='broken'> ]]> \u{2028} \0 \" ' &lt;";
    let mut all = Builder::default();
    for record in gap(Texts { title: HOSTILE, again: HOSTILE }) {
        all.add(record.what);
    }
    let note = all.add(racetrap_history::What::Note { text: HOSTILE.to_owned() });
    all.add(crate::histories::engine_event(HOSTILE));
    all.add(crate::histories::truth(&[HOSTILE]));
    let volume = crate::histories::volume(HOSTILE);
    all.add(crate::histories::changed("volumes", racetrap_history::Change::Added, volume));
    all.add(crate::histories::wire(9, crate::histories::request(HOSTILE)));
    let history = all.done();
    let mut judgement = judge(&history);
    judgement.unknowns.push(HOSTILE.to_owned().into());
    let mut browser = Browser::start().await;
    browser.open(&timeline_page(&history, &judgement, &Beside::default())).await;
    for at in 0..history.len() {
        browser.value(&format!("select({at})")).await;
    }
    assert!(browser.value("document.title").await.as_str().unwrap().starts_with("fail: 1-A"));
    assert_eq!((browser.count("img").await, browser.count("script").await), (0, 3));
    assert!(browser.text("h1").await.contains("<img src=x onerror"));
    browser.value(&format!("select({note})")).await;
    let (_, payload) = shown(&browser).await;
    assert_eq!(payload["text"], HOSTILE);
    browser.value(&format!("select({})", history.len() - 1)).await;
    assert!(browser.text("#mirrors").await.contains("<img src=x onerror"));
    browser.end().await;
}

// All records can be selected and found, and the document contains only the visible ones.
#[tokio::test]
async fn fifty_thousand_records_are_a_page_like_any_other() {
    let history = long(50_000);
    let browser = opened(&history).await;
    let count = browser.text("#count").await;
    assert!(count.ends_with(&format!("of {} records", history.len())), "{count}");
    assert!(browser.count("*").await < 2_000);
    browser.press(Key::Home).await;
    assert_eq!(shown(&browser).await.0, 0);
    browser.press(Key::End).await;
    let last = history.last().unwrap();
    assert_eq!(shown(&browser).await, (last.seq, json!(last)));
    assert!(browser.text("#mirrors h2").await.ends_with("200 of 201 differ"));
    browser.click("#search").await;
    browser.press("volumes/data-398 [").await;
    let found = history.iter().filter(|record| {
        let what = json!(record);
        what["wire"] == "request" && what["target"] == "/v1.41/volumes/data-398"
    });
    let found = found.count();
    assert!(found > 10);
    assert!(browser.text("#count").await.starts_with(&format!("{found} of")));
    browser.end().await;
}

// The page must follow a change of the system's colour scheme without a reload.
#[tokio::test]
async fn the_page_is_dark_if_the_system_prefers_dark() {
    let browser = opened(&gap(PLAIN)).await;
    let ground = "getComputedStyle(document.body).backgroundColor";
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.emulate(json!({ "features": [feature] })).await;
        grounds.push(browser.value(ground).await);
    }
    assert_eq!(grounds, [json!("rgb(252, 252, 251)"), json!("rgb(20, 23, 26)")]);
    browser.end().await;
}

// Paper cannot be scrolled, so every record that is not quiet must be listed, and the canvas must
// be hidden.
#[tokio::test]
async fn a_printed_page_lists_the_records() {
    let history = gap(PLAIN);
    let browser = opened(&history).await;
    assert!(browser.print().await.starts_with(b"%PDF"));
    browser.emulate(json!({ "media": "print" })).await;
    let lines = racetrap_history::timeline::lines(&history).len();
    assert_eq!(browser.count("#print tr").await, lines);
    let judgement = judge(&history);
    let violated: BTreeSet<_> =
        judgement.violations.iter().map(|violation| violation.seq).collect();
    assert_eq!(browser.count("#print .violated").await, violated.len());
    let sizes = "[document.querySelector('#chart').offsetHeight, \
                 document.querySelector('#print').offsetHeight > 200]";
    assert_eq!(browser.value(sizes).await, json!([0, true]));
    browser.end().await;
}

// A history without an end, one without a header and an empty one must give a page, too, which
// shows the reasons for the verdict.
#[rstest]
#[case::unknown(gap(PLAIN).drain(..1).collect(), "the journal has no end")]
#[case::headless(gap(PLAIN).split_off(1), "volume late")]
#[case::empty(Vec::new(), "the journal has no end")]
#[tokio::test]
async fn an_odd_history_is_a_page_too(#[case] mut history: Vec<Record>, #[case] said: &str) {
    for (seq, record) in (0..).zip(&mut history) {
        record.seq = seq;
    }
    let browser = opened(&history).await;
    let seen = browser.text(".seen").await;
    assert!(seen.contains(said), "{seen}");
    browser.end().await;
}
