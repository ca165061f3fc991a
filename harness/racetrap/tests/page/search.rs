//! The page of searches.

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::json;
use tempfile::TempDir;

use crate::browser::Browser;

/// The state of searches of two daemons; a text in it looks like markup.
const SEARCHED: &str = include_str!("../searched.jsonl");

/// Writes the page of the state, with a replay file and a timeline to link to.
fn page(home: &TempDir) -> PathBuf {
    let path = |name: &str| home.path().join(name);
    let run = "work-volume-life.00000002-20261130T010003Z";
    for directory in ["found", run] {
        std::fs::create_dir(path(directory)).unwrap();
    }
    std::fs::write(path("found/work-volume-life.00000002.yaml"), "finding: x\n").unwrap();
    std::fs::write(path(run).join("timeline.html"), "<!DOCTYPE html><h1>the run</h1>").unwrap();
    std::fs::write(path("search.jsonl"), SEARCHED).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_racetrap"));
    command.args(["report", "."]).current_dir(home.path()).env("HOME", home.path());
    command.assert().code(1);
    home.path().canonicalize().unwrap().join("search.html")
}

// The newer daemon is shown, the older one folded; what is known is apart; each link leads to its file.
#[tokio::test]
async fn the_page_of_searches_shows_what_was_found_and_covered() {
    let home = TempDir::new().unwrap();
    let mut browser = Browser::start().await;
    browser.open_file(page(&home)).await;
    assert_eq!(browser.text("header .verdict").await, "found");
    assert_eq!(browser.count("body > section article.fail").await, 1);
    assert_eq!(browser.count("body > section article.known").await, 1);
    assert_eq!(browser.count("details.subject").await, 1);
    let failure = browser.text("article.fail").await;
    for expected in
        ["convergence 2 times", "mirrored, but the engine has no such object", "3 of 3 runs"]
    {
        assert!(failure.contains(expected), "{expected}: {failure}");
    }
    assert!(browser.text("article.known").await.contains("Known since June: it is slow"));
    let facts = browser.text(".facts").await;
    assert!(facts.contains("v2.0") && facts.contains("6 of 9 pairs"), "{facts}");
    let columns = "[...document.querySelector('.coverage').tHead.rows[0].cells].map((one) => one.textContent)";
    let expected = json!(["place", "request", "response", "frame", "write", "as a whole"]);
    assert_eq!(browser.value(columns).await, expected);
    browser.click(".coverage summary").await;
    assert!(browser.text(".coverage details[open] ul").await.contains("×"));
    assert!(browser.text(".counts").await.contains("40 at a site that not every run has"));
    browser.follow("a.timeline").await;
    assert_eq!(browser.text("h1").await, "the run");
    browser.end().await;
}

// Where a page from disk may not write to the clipboard, the text is selected, so that a key copies it.
#[tokio::test]
async fn a_button_copies_the_token_or_selects_it() {
    let home = TempDir::new().unwrap();
    let mut browser = Browser::start().await;
    browser.open_file(page(&home)).await;
    browser.click(".copied:last-child button").await;
    let said = "new Promise((done) => { \
                const said = () => document.querySelector('.copied:last-child button').textContent; \
                const look = () => said() === 'copy' ? requestAnimationFrame(look) : done(said()); \
                look(); })";
    let said = browser.value(said).await;
    assert!(said == "copied" || said == "selected", "{said}");
    let selected = browser.value("getSelection().toString()").await;
    assert!(selected.as_str().unwrap().starts_with("rt1:"), "{selected}");
    browser.end().await;
}

// On a phone, and in the dark, nothing is wider than the window but what scrolls by itself.
#[tokio::test]
async fn the_page_of_searches_fits_a_phone() {
    let home = TempDir::new().unwrap();
    let mut browser = Browser::start().await;
    browser.resize(400, 800).await;
    let feature = json!({ "name": "prefers-color-scheme", "value": "dark" });
    browser.emulate(json!({ "features": [feature] })).await;
    browser.open_file(page(&home)).await;
    let ground = browser.value("getComputedStyle(document.body).backgroundColor").await;
    assert_eq!(ground, "rgb(20, 23, 26)");
    let wider = "[...document.querySelectorAll('body *')].filter((one) => !one.closest('.scroll') && \
                 one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))";
    assert_eq!(browser.value(wider).await, json!([]));
    browser.end().await;
}
