// The list of records as text. Only its visible lines are in the document.

const LINE = 18;

const list = byId("list");
const spacer = list.firstElementChild;
const search = byId("search");
const quiet = byId("quiet");
const hidden = new Set();
// The numbers of the listed records, in ascending order.
let listed = [];

function filter() {
  const wanted = search.value.trim().toLowerCase();
  listed = [];
  for (const [seq, entry] of entries.entries()) {
    if (entry[QUIET] && !quiet.checked && !violated.has(seq)) continue;
    if (hidden.has(entry[SOURCE])) continue;
    if (wanted && !entry[TEXT].toLowerCase().includes(wanted)) continue;
    listed.push(seq);
  }
  byId("count").textContent = `${listed.length} of ${entries.length} records`;
  spacer.style.height = listed.length * LINE + "px";
  drawList();
}

function drawList() {
  const first = Math.max(0, Math.floor(list.scrollTop / LINE) - 2);
  const last = Math.min(listed.length, first + Math.ceil(list.clientHeight / LINE) + 5);
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
  box.style.top = index * LINE + "px";
  box.append(
    made("span", "at", (entry[AT] / 1e6).toFixed(3)),
    made("span", "number", String(seq)),
    made("span", "source", drawn.sources[entry[SOURCE]]),
    made("span", "text", entry[TEXT]),
  );
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
  const top = placeInList(current) * LINE;
  const [from, to] = [list.scrollTop, list.scrollTop + list.clientHeight - LINE];
  if (top < from || top > to) list.scrollTop = top - list.clientHeight / 2;
}

function offerSources() {
  for (const [index, source] of drawn.sources.entries()) {
    const button = made("button", "", source);
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
