// The list of records as text. Only its visible lines are in the document.

// The height of a line, as in the style sheets: on a phone a record has three lines of text.
const phone = matchMedia("(max-width: 600px)");
const lineHeight = () => (phone.matches ? 54 : 18);
// Warnings and notes of these sources are listed once if they say the same.
const FOLDED = ["log", "note"];

const list = byId("list");
const spacer = list.firstElementChild;
const search = byId("search");
const quiet = byId("quiet");
const hidden = new Set();
// The numbers of the listed records, in ascending order.
let listed = [];
// How often a warning or note was given, by its first record.
const times = new Map();
// The records that repeat an earlier one.
const repeated = new Set();

// Finds the warnings and notes that differ only in their time.
function findRepeated() {
  const first = new Map();
  for (const [seq, entry] of entries.entries()) {
    const source = drawn.sources[entry[SOURCE]];
    if (entry[QUIET] || !FOLDED.includes(source)) continue;
    const said = source + entry[TEXT].replace(/time="[^"]*"|\b[EWF]\d{4} [\d:.]+/, "");
    if (!first.has(said)) first.set(said, seq);
    else repeated.add(seq);
    times.set(first.get(said), (times.get(first.get(said)) ?? 0) + 1);
  }
}

function filter() {
  const wanted = search.value.trim().toLowerCase();
  // Texts have the short form of such a name.
  const isLong = /[0-9a-f]{13}/.test(wanted);
  listed = [];
  for (const [seq, entry] of entries.entries()) {
    if (entry[QUIET] && !quiet.checked && !violated.has(seq)) continue;
    if (hidden.has(entry[SOURCE])) continue;
    if (repeated.has(seq) && !quiet.checked && !violated.has(seq)) continue;
    if (wanted && !entry[TEXT].toLowerCase().includes(wanted) && !(isLong && payload(seq).includes(wanted))) continue;
    listed.push(seq);
  }
  byId("count").textContent = `${listed.length} of ${entries.length} records`;
  spacer.style.height = listed.length * lineHeight() + "px";
  drawList();
}

function drawList() {
  const height = lineHeight();
  const first = Math.max(0, Math.floor(list.scrollTop / height) - 2);
  const last = Math.min(listed.length, first + Math.ceil(list.clientHeight / height) + 5);
  spacer.replaceChildren(...listed.slice(first, last).map((seq, index) => line(seq, first + index)));
  const isShown = document.getElementById("line" + current);
  if (isShown) list.setAttribute("aria-activedescendant", isShown.id);
  else list.removeAttribute("aria-activedescendant");
}

function line(seq, index) {
  const entry = entries[seq];
  const box = made("div", "line" + (violated.has(seq) ? " violated" : "") + (entry[QUIET] ? " quiet" : ""));
  box.id = "line" + seq;
  box.setAttribute("role", "option");
  box.setAttribute("aria-selected", String(seq === current));
  box.setAttribute("aria-posinset", String(index + 1));
  box.setAttribute("aria-setsize", String(listed.length));
  box.style.top = index * lineHeight() + "px";
  box.title = [utc(entry[AT]), entry[TEXT]].join(" ").trim();
  box.append(
    made("span", "at", (entry[AT] / 1e6).toFixed(3)),
    made("span", "number", String(seq)),
    made("span", "source", drawn.sources[entry[SOURCE]]),
    made("span", "text", entry[TEXT]),
  );
  if (times.get(seq) > 1 && !quiet.checked) box.lastChild.prepend(made("span", "times", `× ${times.get(seq)}`), " ");
  box.addEventListener("click", () => select(seq));
  return box;
}

// The index of a record in the list, or of the next listed record.
function placeInList(seq) {
  return firstThat(listed, (one) => one >= seq);
}

// The record that is this many lines away from the selected one.
function listedAway(lines) {
  let index = placeInList(current);
  // If the selected record is not listed, `index` is already that of the next one.
  if (lines > 0 && listed[index] !== current) index--;
  return listed[Math.max(0, Math.min(listed.length - 1, index + lines))];
}

function revealInList() {
  const top = placeInList(current) * lineHeight();
  const [from, to] = [list.scrollTop, list.scrollTop + list.clientHeight - lineHeight()];
  if (top < from || top > to) list.scrollTop = top - list.clientHeight / 2;
}

function offerSources() {
  for (const [index, source] of drawn.sources.entries()) {
    const button = explain(made("button", "", source), source);
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      if (!hidden.delete(index)) hidden.add(index);
      button.setAttribute("aria-pressed", String(!hidden.has(index)));
      filter();
    });
    byId("sources").append(button);
  }
}
