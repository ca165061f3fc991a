//! Words and colours of the page.

use racetrap::timeline::{Beside, timeline_page};
use racetrap_history::{Change, Record, judge};
use serde_json::{Value, json};
use thirtyfour::prelude::Key;

use crate::browser::Browser;
use crate::histories::{Builder, PLAIN, changed, crowd, gap, volume};

async fn opened(history: &[Record]) -> Browser {
    let mut browser = Browser::start().await;
    browser.open(&timeline_page(history, &judge(history), &Beside::default())).await;
    browser
}

// A word of the chart, of the list and of the summary that has no sentence would be listed here.
#[tokio::test]
async fn every_lane_source_and_label_has_a_sentence() {
    let browser = opened(&crowd(3)).await;
    let dumb = "[...document.querySelectorAll('.lane > b, #sources button, .story dt, .facts dt, \
                 .verdict, .seen b, #mirrors .state')].filter((one) => !document.getElementById(\
                 (one.dataset.term ? one : one.querySelector('[data-term]'))?.dataset.term)\
                 ).map((one) => one.textContent)";
    assert_eq!(browser.value(dumb).await, json!([]));
    browser.end().await;
}

// With the keyboard alone: the focus shows the sentence, and Enter leads to the glossary.
#[tokio::test]
async fn a_word_shows_its_sentence_and_leads_to_the_glossary() {
    let browser = opened(&gap(PLAIN)).await;
    browser.value("document.querySelector('.seen .term').focus()").await;
    // The first violation is of this oracle.
    let sentence = browser.text("#w-truthful-conditions").await;
    assert!(sentence.contains("condition"));
    assert_eq!(browser.text("#tip").await, sentence);
    assert!(!browser.value("byId('tip').hidden").await.as_bool().unwrap());
    browser.press(Key::Enter).await;
    assert_eq!(browser.text("#words[open] .sought").await, sentence);
    browser.press(Key::Escape).await;
    assert!(!browser.value("words.open").await.as_bool().unwrap());
    browser.press("w").await;
    assert!(browser.value("words.open").await.as_bool().unwrap());
    browser.end().await;
}

// The engine has a volume without a mirror, and there is a mirror without a volume. Both are
// differences, so both must have the same colour, in their label and in each of their lines.
#[tokio::test]
async fn what_is_missing_and_what_is_too_many_have_one_colour() {
    let mut all = Builder::after(gap(PLAIN));
    all.add(changed("volumes", Change::Added, volume("ghost")));
    let history = all.done();
    let browser = opened(&history).await;
    browser.value(&format!("select({})", history.len() - 1)).await;
    let states = "[...document.querySelectorAll('#mirrors .state')].map((one) => one.textContent)";
    assert_eq!(browser.value(states).await, json!(["missing", "too many", "equal"]));
    let colours = "[...new Set([...document.querySelectorAll('#mirrors :is(.missing, .extra) .state, \
                   #mirrors .gone, #mirrors .come')].map((one) => getComputedStyle(one).backgroundColor))]";
    let colours = browser.value(colours).await;
    assert_eq!(colours.as_array().unwrap().len(), 1, "{colours}");
    assert!(browser.count("#mirrors .gone").await > 0 && browser.count("#mirrors .come").await > 0);
    browser.end().await;
}

/// Every text of the page whose contrast to its background is less than 4.5 (WCAG 2, AA).
const FAINT: &str = "(() => {
  const channel = (one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const read = (colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const contrast = (one, other) => {
    const [high, low] = [light(read(one)), light(read(other))].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    const colour = element ? getComputedStyle(element).backgroundColor : 'white';
    return !element || read(colour)[3] === 255 ? colour : ground(element.parentElement);
  };
  const wrong = [];
  const check = (what, one, other) => {
    if (contrast(one, other) < 4.5) wrong.push(`${what}: ${one} on ${other} is ${contrast(one, other).toFixed(2)}`);
  };
  let checked = 0;
  for (const element of document.body.querySelectorAll('*')) {
    const isText = [...element.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
    if (!isText || !element.checkVisibility() || element.closest('script, style')) continue;
    checked++;
    check(element.tagName + '.' + element.className, getComputedStyle(element).color, ground(element));
  }
  const search = document.querySelector('#search');
  check('placeholder', getComputedStyle(search, '::placeholder').color, ground(search));
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const tones = [...document.querySelectorAll('.legend .tone')].map((one) => one.classList[1]);
  for (const tone of tones) check('label on ' + tone, token('text'), token(tone + '-soft'));
  for (const name of ['text', 'faint']) for (const on of ['ground', 'raised']) check('label', token(name), token(on));
  check('label of a faint bar', ink.faint, ink['faint-soft']);
  check('flag', token('ground'), token('accent'));
  for (const verdict of ['pass', 'fail', 'unknown', 'known', 'applicable']) {
    const badge = document.querySelector('.verdict');
    badge.className = 'verdict ' + verdict;
    check(verdict, getComputedStyle(badge).color, getComputedStyle(badge).backgroundColor);
  }
  return { wrong, checked };
})()";

// In both schemes, with the mirrors that differ, a selected and a violated line, each dialog, and the
// colours that only the canvas has.
#[tokio::test]
async fn every_text_has_enough_contrast_in_both_schemes() {
    let mut all = Builder::after(crowd(4));
    all.add(changed("volumes", Change::Added, volume("ghost")));
    let browser = opened(&all.done()).await;
    for scheme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.emulate(json!({ "features": [feature] })).await;
        for prepared in ["select(20)", "(quiet.click(), select(0))", "openGlossary('w-pass')"] {
            browser.value(prepared).await;
            let Value::Object(found) = browser.value(FAINT).await else { panic!("an object") };
            assert_eq!(found["wrong"], json!([]), "{scheme}, {prepared}");
            assert!(found["checked"].as_u64().unwrap() > 80, "{scheme}: {}", found["checked"]);
        }
        browser.press(Key::Escape).await;
        browser.value("quiet.click()").await;
    }
    browser.end().await;
}
