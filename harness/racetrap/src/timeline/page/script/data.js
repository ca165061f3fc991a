"use strict";
// The data of the page. All of its texts are set as text and never as markup, because anybody may
// have written them.

const byId = (id) => document.getElementById(id);

// Lanes, texts and comparisons; data.rs describes their form.
const drawn = JSON.parse(byId("drawn").textContent);
// Fields of a record: its time in microseconds, its source, its text, and whether it is quiet.
const [AT, SOURCE, TEXT, QUIET] = [0, 1, 2, 3];
const entries = drawn.entries;
// Fields of an item: its tone, its label, the time and number of its first record, and for a bar
// those of its last one.
const [TONE, LABEL, FROM, SEQ, TO, TO_SEQ] = [0, 1, 2, 3, 4, 5];
const violations = [...new Set(drawn.violations)].sort((a, b) => a - b);
const violated = new Set(violations);

let lines = null;

// The JSON of a record. Most records are never shown, so each is parsed only when it is shown.
function payload(seq) {
  lines ??= byId("payloads").textContent.split("\n");
  return lines[seq] ?? "";
}

function seconds(us, digits = 3) {
  return (us / 1e6).toFixed(digits) + " s";
}

function duration(us) {
  if (us < 1000) return us + " µs";
  return us < 1e6 ? (us / 1e3).toFixed(us < 1e4 ? 1 : 0) + " ms" : seconds(us, 2);
}

// The index of the first element for which `holds` is true, by binary search: it must be true for
// all later elements.
function firstThat(list, holds) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

// An element with a class and a text.
function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// The only state that all parts of the page share: the selected record.
const watchers = [];
let current = 0;

// Selects a record. With `reveal`, scrolls so that it is visible.
function select(seq, reveal = true) {
  current = Math.max(0, Math.min(entries.length - 1, seq));
  for (const watcher of watchers) watcher(reveal);
}
