// The panel beside the chart: the expected mirrors compared with the actual ones, and the JSON of
// one record.

// The most mirrors in the document; those that differ come first.
const MIRRORS_MAX = 300;
// A longer JSON text is shown without colours.
const COLOURED_MAX = 200000;

// The states of a comparison with their words; those that differ come first.
const STATES = { missing: "missing", extra: "too many", differs: "differs", equal: "equal", apart: "apart" };
const ORDER = Object.keys(STATES);
const DIFFERENT = ["missing", "extra", "differs"];
// Fields of a comparison: its key, its state, the reason, and the lines of a diff.
const [KEY, STATE, WHY, LINES] = [0, 1, 2, 3];

// For the run's own daemon and for its neighbour: the comparisons by key, after the first `taken`
// changes.
const folded = drawn.mirrors.map((changes) => ({ changes, taken: 0, wanted: false, now: new Map() }));

// The comparisons after a record. Continues from the record of the last call, or from the start if
// that was later.
function mirrorsAfter(seq, of) {
  if (of.taken > 0 && of.changes[of.taken - 1][0] > seq) {
    of.now.clear();
    of.taken = 0;
    of.wanted = false;
  }
  while (of.taken < of.changes.length && of.changes[of.taken][0] <= seq) {
    const [, wanted, comparisons] = of.changes[of.taken++];
    of.wanted = Boolean(wanted);
    for (const one of comparisons) {
      if (one.length > STATE) of.now.set(one[KEY], one);
      else of.now.delete(one[KEY]);
    }
  }
  return of;
}

function drawMirrors() {
  const box = byId("mirrors");
  const all = [];
  let wanted = false;
  for (const [index, of] of folded.entries()) {
    const after = mirrorsAfter(current, of);
    wanted ||= after.wanted;
    for (const one of after.now.values()) all.push({ one, whose: index ? "neighbour: " : "" });
  }
  all.sort((a, b) => ORDER.indexOf(a.one[STATE]) - ORDER.indexOf(b.one[STATE]) || a.one[KEY] - b.one[KEY]);
  const different = all.filter(({ one }) => DIFFERENT.includes(one[STATE])).length;
  const sum = different ? `${different} of ${all.length} differ` : all.length ? "all as in the engine" : "none";
  box.querySelector("h2").textContent = `Mirrors at ${seconds(entries[current][AT])}: ${sum}`;
  byId("standing").textContent = standing(wanted);
  const shown = all.slice(0, MIRRORS_MAX).map(({ one, whose }) => mirror(one, whose));
  if (all.length > MIRRORS_MAX) shown.push(made("li", "equal", `and ${all.length - MIRRORS_MAX} more`));
  box.querySelector("ul").replaceChildren(...shown);
}

function standing(wanted) {
  const held = [];
  for (const row of rows) {
    for (const item of row.items) {
      if (item[TONE] === "held" && item[SEQ] <= current && current < item[TO_SEQ]) held.push(item[LABEL]);
    }
  }
  const rule = wanted
    ? "A line with - must be there, a line with + is there and must not be."
    : "The App shall not run, so there must be no mirrors.";
  return [rule, ...held].join(" ");
}

function mirror(one, whose) {
  const item = made("li", one[STATE]);
  const state = made("span", "state");
  state.append(term(STATES[one[STATE]]));
  item.append(state, " ", made("span", "key", whose + drawn.keys[one[KEY]]));
  if (one[WHY]) item.append(made("span", "why", one[WHY]));
  if (one[STATE] !== "equal") {
    for (const text of one[LINES]) {
      const sign = { "-": "gone", "+": "come" }[text[0]] ?? "same";
      item.append(made("code", sign, text));
    }
  }
  return item;
}

function drawRecord() {
  const box = byId("record");
  const entry = entries[current];
  box.querySelector("h2").textContent = `Record ${current} at ${seconds(entry[AT], 6)}`;
  const about = [term(drawn.sources[entry[SOURCE]]), " " + entry[TEXT]];
  const bar = barOf(current);
  if (bar) {
    const other = bar[SEQ] === current ? bar[TO_SEQ] : bar[SEQ];
    const jump = made("a", "", `${bar[SEQ] === current ? "until" : "since"} record ${other}`);
    jump.href = "#r" + other;
    about.push(", ", jump, `, ${duration(bar[TO] - bar[FROM])}`);
  }
  byId("about").replaceChildren(...about);
  byId("places").replaceChildren(...placesOf(current));
  box.querySelector("pre").replaceChildren(...coloured(payload(current)));
}

// The bar that begins or ends at a record, unless it does both.
function barOf(seq) {
  for (const row of rows) {
    for (const item of row.items) {
      const isBar = item.length > TO && item[SEQ] !== item[TO_SEQ];
      if (isBar && (item[SEQ] === seq || item[TO_SEQ] === seq)) return item;
    }
  }
  return null;
}

// Indented JSON, with elements for the colours of names, strings and other values.
function coloured(json) {
  const text = JSON.stringify(JSON.parse(json), null, 2);
  if (text.length > COLOURED_MAX) return [text];
  const parts = [];
  let done = 0;
  for (const found of text.matchAll(/("(?:[^"\\]|\\.)*")(:?)|\b(?:true|false|null|-?\d[\d.eE+-]*)\b/g)) {
    if (found.index > done) parts.push(text.slice(done, found.index));
    const kind = found[2] ? "name" : found[1] ? "string" : "plain";
    parts.push(made("span", kind, found[1] ?? found[0]));
    if (found[2]) parts.push(found[2]);
    done = found.index + found[0].length;
  }
  parts.push(text.slice(done));
  return parts;
}
