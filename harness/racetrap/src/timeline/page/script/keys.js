// Keys, pointers, and the start of the page.

const WHEEL = 1.0015;
const CLOSER = 1 / 1.5;
// The most records on a printed page.
const PRINTED_MAX = 5000;

const shorten = byId("short");

function center() {
  return place(entries[current][AT]);
}

function isInSight(at) {
  const room = (view.to - view.from) * 0.02;
  return at > view.from + room && at < view.to - room;
}

function zoomKey(factor) {
  const at = center();
  zoom(factor, isInSight(at) ? at : (view.from + view.to) / 2);
  redraw();
}

function nextViolation(step) {
  if (violations.length === 0) return;
  const index = violations.findIndex((seq) => seq > current);
  const next = index < 0 ? violations[0] : violations[index];
  const before = violations.filter((seq) => seq < current).pop() ?? violations[violations.length - 1];
  select(step > 0 ? next : before);
}

function whole() {
  showWhole();
  redraw();
}

function stretch() {
  measure(shorten.checked);
  [scrubber.min, scrubber.max] = wholeRange();
  showWhole();
}

function toggleShort() {
  stretch();
  select(current);
}

async function copy() {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("again").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("again"));
    button.textContent = "Selected";
  }
}

const KEYS = {
  ArrowLeft: () => select(listedAway(-1)),
  ArrowRight: () => select(listedAway(1)),
  ArrowUp: () => select(listedAway(-1)),
  ArrowDown: () => select(listedAway(1)),
  PageUp: () => select(listedAway(-20)),
  PageDown: () => select(listedAway(20)),
  Home: () => select(listed[0] ?? 0),
  End: () => select(listed[listed.length - 1] ?? 0),
  n: () => nextViolation(1),
  N: () => nextViolation(-1),
  "+": () => zoomKey(CLOSER),
  "=": () => zoomKey(CLOSER),
  "-": () => zoomKey(1 / CLOSER),
  0: whole,
  q: () => shorten.click(),
  c: copy,
  "/": () => search.focus(),
  s: foldSummary,
  w: () => openGlossary(),
  "?": () => byId("keys").showModal(),
};

function isInText(target) {
  return target instanceof HTMLInputElement && target.type === "search";
}

// In a panel that scrolls, the keys for scrolling keep their meaning.
function scrollsItself(event) {
  const inPanel = event.target.closest?.("aside") || event.target.matches?.(".findings > div");
  return inPanel && /^(Arrow(Up|Down)|Page|Home|End)/.test(event.key);
}

function onKey(event) {
  if (isInText(event.target)) {
    if (event.key === "Escape") list.focus();
    return;
  }
  const isOpen = byId("keys").open || words.open;
  if (event.ctrlKey || event.metaKey || event.altKey || isOpen || scrollsItself(event)) return;
  let does = KEYS[event.key];
  if (event.shiftKey && event.key === "ArrowLeft") does = () => (move(-0.15), redraw());
  if (event.shiftKey && event.key === "ArrowRight") does = () => (move(0.15), redraw());
  if (!does) return;
  event.preventDefault();
  does();
}

function onWheel(event) {
  const scrolls = chart.scrollHeight > chart.clientHeight && event.currentTarget === chart;
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (sideways) {
    move((event.deltaX || event.deltaY) / 1500);
  } else if (event.ctrlKey || !scrolls) {
    const part = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
    zoom(WHEEL ** event.deltaY, view.from + part * (view.to - view.from));
  } else {
    return;
  }
  event.preventDefault();
  redraw();
}

let grip = null;

function onDown(event) {
  if (event.button !== 0) return;
  grip = { x: event.clientX, from: view.from, to: view.to, moved: false };
  canvas.setPointerCapture(event.pointerId);
}

function onMove(event) {
  if (!grip) return hover(event);
  grip.moved ||= Math.abs(event.clientX - grip.x) > 3;
  if (!grip.moved) return;
  hideTip();
  const by = ((grip.x - event.clientX) / canvas.clientWidth) * (grip.to - grip.from);
  show(grip.from + by, grip.to + by);
  redraw();
}

function onUp(event) {
  const clicked = grip && !grip.moved;
  grip = null;
  if (!clicked) return;
  const item = itemAt(event.offsetX, event.offsetY);
  const at = view.from + (event.offsetX / canvas.clientWidth) * (view.to - view.from);
  select(item ? item[SEQ] : recordAt(instant(at)), false);
  revealInList();
}

function hover(event) {
  const item = itemAt(event.offsetX, event.offsetY);
  if (!item) return hideTip();
  const lasted = item.length > TO ? `, ${duration(item[TO] - item[FROM])}` : "";
  const when = [`${seconds(item[FROM], 6)}${lasted}, record ${item[SEQ]}`, utc(item[FROM])];
  showTip(event.clientX + 14, event.clientY + 16, made("b", "", when.join(", ")), made("span", "", item[LABEL]));
}

function fromHash() {
  const found = /^#r(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

// A printed page cannot be scrolled, so it lists all records but the quiet ones.
function beforePrint() {
  const shown = [...entries.keys()].filter((seq) => !entries[seq][QUIET] || violated.has(seq));
  const printed = shown.slice(0, PRINTED_MAX).map((seq) => {
    const row = made("tr", violated.has(seq) ? "violated" : "");
    const entry = entries[seq];
    const cells = [(entry[AT] / 1e6).toFixed(3), seq, drawn.sources[entry[SOURCE]], entry[TEXT]];
    row.append(...cells.map((text) => made("td", "", text)));
    return row;
  });
  if (shown.length > PRINTED_MAX) printed.push(made("tr", "", `and ${shown.length - PRINTED_MAX} more`));
  byId("print").replaceChildren(...printed);
}

// The last checkpoint, or the last record if there is no checkpoint.
function lastJudged() {
  const judged = entries.findLastIndex((entry) => drawn.sources[entry[SOURCE]] === "judge");
  return judged < 0 ? entries.length - 1 : judged;
}

function onSelected(reveal) {
  const at = center();
  if (reveal && !isInSight(at)) {
    const half = (view.to - view.from) / 2;
    show(at - half, at + half);
  }
  scrubber.value = at;
  scrubber.setAttribute("aria-valuetext", `${seconds(entries[current][AT])}, record ${current}`);
  if (reveal) revealInList();
  revealRow();
  drawList();
  drawMirrors();
  drawRecord();
  redraw();
  history.replaceState(null, "", "#r" + current);
}

function begin() {
  if (entries.length === 0) return;
  readRows();
  layOut();
  align();
  readInk();
  stretch();
  offerSources();
  findRepeated();
  watchers.push(onSelected);
  filter();
  select(fromHash() ?? violations[0] ?? drawn.unknowns[0] ?? lastJudged());

  beginWords();
  beginPanes();
  phone.addEventListener("change", filter);
  document.addEventListener("keydown", onKey);
  chart.addEventListener("wheel", onWheel, { passive: false });
  axis.addEventListener("wheel", onWheel, { passive: false });
  chart.addEventListener("scroll", redraw);
  canvas.addEventListener("pointerdown", onDown);
  canvas.addEventListener("pointermove", onMove);
  canvas.addEventListener("pointerup", onUp);
  canvas.addEventListener("pointerleave", hideTip);
  scrubber.addEventListener("input", () => select(recordAt(instant(Number(scrubber.value)))));
  list.addEventListener("scroll", drawList);
  search.addEventListener("input", filter);
  quiet.addEventListener("change", filter);
  shorten.addEventListener("change", toggleShort);
  byId("closer").addEventListener("click", () => zoomKey(CLOSER));
  byId("farther").addEventListener("click", () => zoomKey(1 / CLOSER));
  byId("whole").addEventListener("click", whole);
  byId("copy").addEventListener("click", copy);
  byId("help").addEventListener("click", () => byId("keys").showModal());
  addEventListener("hashchange", () => select(fromHash() ?? current));
  addEventListener("beforeprint", beforePrint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (readInk(), redraw()));
  new ResizeObserver(() => (align(), drawList(), paint())).observe(chart);
}

begin();
