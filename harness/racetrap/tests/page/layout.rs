//! The room on the page: rows, labels, panes, repeated warnings, and small screens.

use racetrap::timeline::{Beside, timeline_page};
use racetrap_history::{Record, judge};
use rstest::rstest;
use serde_json::json;
use thirtyfour::prelude::Key;

use crate::browser::Browser;
use crate::histories::{PLAIN, Texts, crowd, gap, long};

async fn opened(history: &[Record]) -> Browser {
    let mut browser = Browser::start().await;
    browser.open(&timeline_page(history, &judge(history), &Beside::default())).await;
    browser
}

/// The number of rows that the lane of the wire shows.
const ROWS: &str = "[...document.querySelectorAll('.lane')].find((one) => \
                    one.querySelector('b').textContent === 'wire').querySelectorAll(':scope > div > div').length";

// 40 requests are open at the same time, and the row with the held one is among those that stay.
#[tokio::test]
async fn a_lane_shows_eight_rows_until_all_are_asked_for() {
    let browser = opened(&crowd(40)).await;
    let all =
        browser.value("rows.filter((row) => drawn.lanes[row.number].title === 'wire').length");
    let all = all.await.as_u64().unwrap();
    assert!(all > 40, "{all} rows");
    assert_eq!(browser.value(ROWS).await, json!(8));
    assert_eq!(browser.text(".more").await, format!("+ {} more", all - 8));
    let held =
        "rows.some((row) => row.y !== null && row.items.some((item) => item[TONE] === 'held'))";
    assert_eq!(browser.value(held).await, json!(true));
    let tall = browser.value("labels.scrollHeight").await.as_u64().unwrap();
    assert!(tall < 600, "{tall} pixels");
    browser.value("document.querySelector('.more').focus()").await;
    browser.press(Key::Enter).await;
    assert_eq!(browser.value(ROWS).await, json!(all));
    assert_eq!(browser.text(".more:focus").await, "only 8 rows");
    browser.press(Key::Enter).await;
    assert_eq!(browser.value(ROWS).await, json!(8));
    browser.end().await;
}

// Keys, links and the list select records of every row, so the row of such a record takes the place of another.
#[tokio::test]
async fn the_row_of_the_selected_record_is_always_shown() {
    let browser = opened(&crowd(40)).await;
    let hidden = browser.value("rows.find((row) => row.y === null).items[0][SEQ]").await;
    browser.value(&format!("select({hidden})")).await;
    assert_eq!(browser.value("rowOf.get(current).y !== null").await, json!(true));
    assert_eq!(browser.value(ROWS).await, json!(8));
    browser.end().await;
}

/// Pairs of texts on chart or axis that overlap, drawn by the page's own functions.
const OVERLAPS: &str = "(() => {
  const drawnTexts = [];
  const original = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const wide = this.measureText(text).width;
    const left = this.textAlign === 'center' ? x - wide / 2 : this.textAlign === 'right' ? x - wide : x;
    drawnTexts.push({ text, left, right: left + wide, y, on: this.canvas });
    return original.apply(this, arguments);
  };
  paint();
  CanvasRenderingContext2D.prototype.fillText = original;
  const wrong = [];
  for (const [index, one] of drawnTexts.entries()) {
    for (const other of drawnTexts.slice(index + 1)) {
      const apart = one.right <= other.left || other.right <= one.left;
      if (one.on === other.on && Math.abs(one.y - other.y) < 9 && !apart) wrong.push([one.text, other.text]);
    }
  }
  return { wrong, count: drawnTexts.length };
})()";

// Every text that the canvas gets is recorded with its box. The selected record is moved over the
// axis, and the chart is zoomed.
#[rstest]
#[case::short(gap(PLAIN))]
#[case::long(long(2_000))]
#[tokio::test]
async fn no_label_is_drawn_over_another_one(#[case] history: Vec<Record>) {
    let browser = opened(&history).await;
    for part in 0..8 {
        browser.value(&format!("select({})", (history.len() - 1) * part / 7)).await;
        if part > 3 {
            browser.press("+").await;
        }
        let found = browser.value(OVERLAPS).await;
        assert_eq!(found["wrong"], json!([]), "part {part}");
        assert!(found["count"].as_u64().unwrap() > 8, "{found}");
    }
    browser.end().await;
}

/// The size of an element in pixels, along the given side.
async fn size(browser: &Browser, selector: &str, side: &str) -> i64 {
    let size =
        format!("Math.round(document.querySelector('{selector}').getBoundingClientRect().{side})");
    browser.value(&size).await.as_i64().unwrap()
}

#[rstest]
#[case::panel("aside", ("aside", "width"), (-60, 0), 60, Key::Left)]
#[case::list("list", ("#records", "height"), (0, -50), 50, Key::Up)]
#[case::names("names", ("#labels", "width"), (40, 0), 40, Key::Right)]
#[case::mirrors("mirrors", ("#mirrors", "height"), (0, 30), 30, Key::Down)]
#[case::summary("summary", ("#findings", "height"), (0, -20), -20, Key::Up)]
#[tokio::test]
async fn a_pane_is_resized_by_its_separator(
    #[case] pane: &str,
    #[case] (element, side): (&str, &str),
    #[case] by: (i64, i64),
    #[case] grows: i64,
    #[case] key: Key,
) {
    let browser = opened(&gap(Texts { title: "short", ..PLAIN })).await;
    let before = size(&browser, element, side).await;
    let middle = format!(
        "(() => {{ const box = byId('pull-{pane}').getBoundingClientRect(); \
         return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
    );
    let middle = browser.value(&middle).await;
    let (x, y) = (middle[0].as_f64().unwrap() as i64, middle[1].as_f64().unwrap() as i64);
    browser.drag((x, y), (x + by.0, y + by.1)).await;
    let dragged = size(&browser, element, side).await;
    assert!((dragged - before - grows).abs() <= 2, "{before} and {by:?} is {dragged}");
    let shown = browser.text("#record h2").await;
    browser.value(&format!("byId('pull-{pane}').focus()")).await;
    browser.press(key).await;
    let pressed = size(&browser, element, side).await;
    assert!((pressed - dragged - 16 * grows.signum()).abs() <= 1, "{dragged} is {pressed}");
    // The key moved the separator, and did not select another record.
    assert_eq!(browser.text("#record h2").await, shown);
    browser.end().await;
}

#[tokio::test]
async fn the_summary_folds() {
    let browser = opened(&gap(PLAIN)).await;
    let chart = size(&browser, "main", "height").await;
    browser.press("s").await;
    assert!(size(&browser, "main", "height").await > chart + 40);
    assert_eq!(browser.text("#fold[aria-expanded=false]").await, "Show summary");
    browser.click("#fold").await;
    assert_eq!(size(&browser, "main", "height").await, chart);
    browser.end().await;
}

// The warnings differ in their times alone. With the quiet records, each is listed for itself.
#[tokio::test]
async fn the_same_warning_is_listed_once_with_its_number() {
    let browser = opened(&crowd(34)).await;
    browser.click("#search").await;
    browser.press("slow").await;
    assert!(browser.text("#count").await.starts_with("1 of"));
    assert!(browser.text(".line .text").await.starts_with("× 34 "));
    browser.click("#quiet").await;
    assert!(browser.text("#count").await.starts_with("34 of"));
    assert_eq!(browser.count(".line .times").await, 0);
    browser.end().await;
}

// On a phone nothing is wider than the screen, the list comes before the chart, and its lines have
// room for a sentence.
#[tokio::test]
async fn a_phone_shows_summary_and_list() {
    let browser = opened(&gap(PLAIN)).await;
    browser.resize(390, 844).await;
    // The list is drawn again for the new size in a task of its own, before this timer.
    browser.value("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))").await;
    let wide = browser.value("document.documentElement.scrollWidth").await;
    assert!(wide.as_u64().unwrap() <= 390, "{wide}");
    let tops = "['#findings', '#records', 'aside', '#chart'].map((one) => \
                document.querySelector(one).getBoundingClientRect().top)";
    let tops = browser.value(tops).await;
    let tops: Vec<_> = tops.as_array().unwrap().iter().map(|top| top.as_f64().unwrap()).collect();
    assert!(tops.is_sorted(), "{tops:?}");
    assert!(size(&browser, ".line .text", "width").await > 300);
    assert_eq!(size(&browser, ".line", "height").await, 54);
    let cut = "[...document.querySelectorAll('.findings > div')].filter((one) => \
               one.scrollHeight > one.clientHeight + 1).length";
    assert_eq!(browser.value(cut).await, json!(0));
    browser.end().await;
}
