//! The index of runs that a command writes.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::browser::Browser;

fn racetrap(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_racetrap"));
    command.args(arguments).current_dir(home).env_clear().env("HOME", home);
    command.env("PATH", std::env::var_os("PATH").expect("tests run where cargo is on PATH"));
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

// The given program is no daemon, so both cells are unknown and their evidence is kept. The page
// must show that, and each cell must link to the timeline of its run.
#[tokio::test]
async fn the_index_of_a_matrix_leads_from_each_cell_to_its_timeline() {
    let home = TempDir::new().unwrap();
    let program = env!("CARGO_BIN_EXE_racetrap");
    let arguments = ["matrix", "295-I6", "--daemon", program, "--evidence", "here"];
    let (code, text) = racetrap(home.path(), &arguments);
    assert_eq!(code, Some(3), "{text}");
    let place = home.path().join("here").canonicalize().unwrap();
    let index = place.join("index.html");
    assert!(text.contains(&format!("Index {}", index.display())), "{text}");
    let mut browser = Browser::start().await;
    browser.open_file(index).await;
    assert_eq!(browser.text("header .verdict").await, "unknown");
    let head =
        browser.value("[...document.querySelectorAll('thead th')].map((one) => one.textContent)");
    let columns = serde_json::json!(["finding", "correct daemon", "without its fault"]);
    assert_eq!(head.await, columns);
    assert!(browser.text("tbody th").await.starts_with("295-I6"));
    assert_eq!(browser.count("a.cell.unknown").await, 2);
    assert_eq!(browser.count("article.unknown").await, 2);
    browser.follow("td:last-child a.cell").await;
    assert!(browser.text("h1").await.starts_with("295-I6"));
    assert_eq!(browser.text("header .verdict").await, "unknown");
    browser.end().await;
}

// An index.html that the harness has not written must stay. One that it has written is replaced.
#[test]
fn an_index_of_another_program_stays_as_it_is() {
    let home = TempDir::new().unwrap();
    let index = home.path().join("index.html");
    std::fs::write(&index, "<h1>mine</h1>").unwrap();
    let arguments =
        ["run", "295-I6", "--daemon", env!("CARGO_BIN_EXE_racetrap"), "--evidence", "."];
    let (code, text) = racetrap(home.path(), &arguments);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("index.html could not be written"), "{text}");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "<h1>mine</h1>");
    std::fs::remove_file(&index).unwrap();
    for _ in ["new", "replaced"] {
        assert_eq!(racetrap(home.path(), &["report", "."]).0, Some(3));
        assert!(std::fs::read_to_string(&index).unwrap().contains("295-I6"));
    }
}

// One run passes, one is unknown, and one finding is run twice. The page must show the facts of the
// command, hide the rows that are right on request, sort the others, and tell rounds apart by their paths.
#[tokio::test]
async fn the_index_can_be_sorted_and_shows_only_what_is_not_right_on_request() {
    let home = TempDir::new().unwrap();
    let run = |arguments: &[&str], expected| {
        let arguments = [&["run", "--evidence", "here"], arguments].concat();
        let (code, text) = racetrap(home.path(), &arguments);
        assert_eq!(code, Some(expected), "{text}");
    };
    run(&["295-I6", "--keep"], 0);
    run(&["295-I3", "--daemon", "/bin/false", "--rounds", "2"], 3);
    let (code, text) = racetrap(home.path(), &["report", "here"]);
    assert_eq!(code, Some(3), "{text}");
    // There is an index of `run`, which is not overwritten.
    let page = home.path().join("here").canonicalize().unwrap().join("report.html");
    let mut browser = Browser::start().await;
    browser.open_file(page).await;
    let rows = "[...document.querySelectorAll('tbody tr')].filter((row) => row.offsetParent !== \
                null).map((row) => row.dataset.name)";
    assert_eq!(browser.value(rows).await, serde_json::json!(["295-I3", "295-I6"]));
    browser
        .value(
            // Which of them really took longer is not certain.
            "(() => { document.querySelector('[data-name=\"295-I6\"]').dataset.seconds = '1000'; \
             const sort = document.querySelector('#sort'); sort.value = 'time'; \
             sort.dispatchEvent(new Event('change')); })()",
        )
        .await;
    assert_eq!(browser.value(rows).await, serde_json::json!(["295-I6", "295-I3"]));
    browser.click("#wrong").await;
    assert_eq!(browser.value(rows).await, serde_json::json!(["295-I3"]));
    assert_eq!(browser.count("td .path").await, 2, "each round has its path");
    let facts = browser.text(".facts").await;
    assert!(facts.contains("written") && facts.contains("report here"), "{facts}");
    assert!(facts.contains("dockerd"), "the engine of the run that passed: {facts}");
    browser.end().await;
}
