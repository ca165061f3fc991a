"use strict";
// What the page was given. Nothing of it is ever put into the page as markup: all texts are set as text.

const byId = (id) => document.getElementById(id);

// Lanes, texts and comparisons; see data.rs for their form.
const drawn = JSON.parse(byId("drawn").textContent);
// A record's time in microseconds, source, text, and whether it says little by itself.
const [AT, SOURCE, TEXT, QUIET] = [0, 1, 2, 3];
const entries = drawn.entries;
// An item's look, label, first time and record; a bar's last ones too.
const [TONE, LABEL, FROM, SEQ, TO, TO_SEQ] = [0, 1, 2, 3, 4, 5];
const violations = [...new Set(drawn.violations)].sort((a, b) => a - b);
const violated = new Set(violations);

let lines = null;

// A record as it is in the journal. Most are never asked for, so none is parsed before.
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

// The index of the first element for which `holds` is true, where it is so for all behind it.
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

// The one thing that all parts of the page share: which record is looked at.
const watchers = [];
let current = 0;

// Looks at a record; `reveal` brings it into sight where it is not.
function select(seq, reveal = true) {
  current = Math.max(0, Math.min(entries.length - 1, seq));
  for (const watcher of watchers) watcher(reveal);
}
