// Draws the lanes on a canvas that is as large as the visible part of the chart. Only visible rows
// and items are processed, so that a page with fifty thousand records stays fast.

const chart = byId("chart");
const canvas = chart.querySelector("canvas");
const overview = byId("overview").querySelector("canvas");
const axis = byId("axis");
const scrubber = byId("scrubber");

let ink = {};
let hatch = null;
let waiting = false;

// Makes scrubber and axis as wide as the canvas, which leaves room for the scroll bar of the chart.
function align() {
  document.body.style.setProperty("--gutter", chart.offsetWidth - chart.clientWidth + "px");
}

function readInk() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue("--" + name).trim();
  ink = { text: of("text"), faint: of("faint"), line: of("line"), ground: of("ground"), accent: of("accent") };
  for (const tone of document.querySelectorAll(".legend .tone")) {
    const name = tone.classList[1];
    ink[name] = of(name);
    ink[name + "-soft"] = of(name + "-soft");
  }
  // Faint items show what another item shows as well, so the legend does not have them.
  ink["faint-soft"] = of("plain-soft");
  const tile = new OffscreenCanvas(6, 6);
  const brush = tile.getContext("2d");
  brush.strokeStyle = ink.held;
  brush.lineWidth = 1.2;
  for (const shift of [-6, 0, 6]) {
    brush.beginPath();
    brush.moveTo(shift, 6);
    brush.lineTo(shift + 6, 0);
    brush.stroke();
  }
  hatch = canvas.getContext("2d").createPattern(tile, "repeat");
}

// Resizes a canvas to its element, in device pixels, and clears it.
function prepared(target, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = target.clientWidth;
  if (target.width !== Math.round(width * ratio) || target.height !== Math.round(height * ratio)) {
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
  }
  const brush = target.getContext("2d");
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, width, height);
  brush.font = "11px system-ui, sans-serif";
  brush.textBaseline = "middle";
  return { brush, width, height };
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(paint);
}

function paint() {
  waiting = false;
  drawChart();
  drawAxis();
  drawOverview();
}

function toX(us, width) {
  return ((place(us) - view.from) / (view.to - view.from)) * width;
}

function drawChart() {
  canvas.style.height = chart.clientHeight + "px";
  const { brush, width, height } = prepared(canvas, chart.clientHeight);
  const [from, to] = [instant(view.from), instant(view.to)];
  drawQuiet(brush, width, height);
  let lane = -1;
  const labelled = [];
  for (const row of rows) {
    if (row.y === null) continue;
    const y = row.y - chart.scrollTop;
    if (y > height || y + row.height < 0) continue;
    if (row.number !== lane && lane >= 0) {
      brush.fillStyle = ink.line;
      brush.fillRect(0, Math.round(y - GAP / 2), width, 1);
    }
    lane = row.number;
    labelled.push([drawRow(brush, row, y, from, to, width), row, y]);
  }
  brush.fillStyle = ink.accent;
  brush.fillRect(Math.round(toX(entries[current][AT], width)) - 1, 0, 1, height);
  brush.fillStyle = ink.bad;
  for (const seq of violations) {
    brush.fillRect(Math.round(toX(entries[seq][AT], width)), 0, 1.5, height);
  }
  // Last, so that no line crosses a label.
  for (const [shapes, row, y] of labelled) drawLabels(brush, shapes, row, y, width);
}

function drawQuiet(brush, width, height) {
  for (const stretch of stretches) {
    if (!stretch.quiet) continue;
    const [left, right] = [toX(stretch.from, width), toX(stretch.to, width)];
    brush.fillStyle = ink.line;
    brush.globalAlpha = 0.35;
    brush.fillRect(left, 0, right - left, height);
    brush.globalAlpha = 1;
  }
}

// Draws the marks and bars of a row, and returns them for their labels.
function drawRow(brush, row, y, from, to, width) {
  const start = firstThat(row.furthest, (far) => far >= from);
  const shapes = [];
  let [column, look, before] = [-9, "", 0];
  for (let index = start; index < row.items.length; index++) {
    const item = row.items[index];
    if (item[FROM] > to) break;
    const x = toX(item[FROM], width);
    const isMark = item.length <= TO;
    const tone = item[TONE];
    // Several marks in one column of pixels look like one.
    if (isMark && Math.round(x) === column && tone === look) continue;
    if (isMark) [column, look] = [Math.round(x), tone];
    const end = isMark ? x : toX(item[TO], width);
    shapes.push({ item, x, end, before, tone });
    before = Math.max(before, end);
  }
  const isAbove = ({ tone }) => tone === "bad" || tone === "fault";
  for (const shape of shapes) if (!isAbove(shape)) drawItem(brush, shape, y, row.height);
  for (const shape of shapes) if (isAbove(shape)) drawItem(brush, shape, y, row.height);
  return shapes;
}

function drawItem(brush, { item, x, end, tone }, y, height) {
  const isBar = item.length > TO;
  // The last record ends every bar without an end of its own, so it must not highlight them all.
  const ended = item[TO_SEQ] === current && current < entries.length - 1;
  const chosen = item[SEQ] === current || ended;
  const wide = Math.max(end - x, 1.5);
  if (isBar) {
    brush.fillStyle = ink[tone + "-soft"];
    brush.fillRect(x, y + 1, wide, height - 2);
    if (tone === "held") {
      brush.fillStyle = hatch;
      brush.fillRect(x, y + 1, wide, height - 2);
    }
    brush.fillStyle = ink[tone];
    brush.fillRect(x, y + 1, Math.min(2, wide), height - 2);
  } else {
    brush.fillStyle = ink[tone];
    drawMark(brush, tone, x, y, height);
  }
  if (chosen) {
    brush.strokeStyle = ink.accent;
    brush.lineWidth = 1.5;
    brush.strokeRect(x - 2.5, y + 0.5, (isBar ? wide : 0) + 5, height - 1);
  }
}

// A shape for each meaning, so that colours are not the only difference.
function drawMark(brush, tone, x, y, height) {
  const [middle, size] = [y + height / 2, Math.min(5, height / 2 - 1)];
  brush.beginPath();
  if (tone === "bad") {
    brush.moveTo(x - size, middle - size);
    brush.lineTo(x + size, middle - size);
    brush.lineTo(x, middle + size);
  } else if (tone === "fault") {
    brush.moveTo(x, middle - size);
    brush.lineTo(x + size, middle);
    brush.lineTo(x, middle + size);
    brush.lineTo(x - size, middle);
  } else if (tone === "removed") {
    brush.rect(x - 1.25, y + 2, 2.5, height - 4);
    brush.rect(x - 3.5, middle - 1, 7, 2);
  } else {
    brush.rect(x - 1.25, y + 2, 2.5, height - 4);
  }
  brush.fill();
}

function drawAxis() {
  const { brush, width, height } = prepared(axis, axis.clientHeight);
  brush.textAlign = "center";
  // The distance of two ticks is 1, 2 or 5 times a power of ten, and at least 78 pixels.
  const least = ((view.to - view.from) / Math.max(1, width)) * 78;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= least);
  const digits = Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step))));
  const flag = flagOn(brush, width);
  let last = -Infinity;
  const write = (x, text, color) => {
    const half = brush.measureText(text).width / 2;
    if (x - half < last || x < 0 || x > width) return;
    x = Math.max(half, Math.min(width - half, x));
    if (flag && x + half > flag.left - 4 && x - half < flag.right + 4) return;
    brush.fillStyle = color;
    brush.fillText(text, x, height / 2);
    last = x + half + 8;
  };
  for (const stretch of stretches) {
    if (stretch.right < view.from || stretch.left > view.to) continue;
    if (stretch.quiet) {
      const middle = (toX(stretch.from, width) + toX(stretch.to, width)) / 2;
      write(middle, "⋯ " + duration(stretch.to - stretch.from), ink.faint);
      continue;
    }
    const first = Math.max(stretch.from, instant(view.from));
    const last = Math.min(stretch.to, instant(view.to));
    for (let us = Math.ceil(first / step) * step; us <= last; us += step) {
      const x = toX(us, width);
      brush.fillStyle = ink.line;
      brush.fillRect(Math.round(x), height - 4, 1, 4);
      write(x, seconds(us, digits), ink.text);
    }
  }
  if (flag) drawFlag(brush, flag, height);
}

// The flag with time and number of the selected record, if it is in sight. No tick is written below it.
function flagOn(brush, width) {
  const text = seconds(entries[current][AT]) + " · " + current;
  const half = brush.measureText(text).width / 2 + 5;
  const x = toX(entries[current][AT], width);
  if (x < 0 || x > width) return null;
  const middle = Math.max(half, Math.min(width - half, x));
  return { text, middle, left: middle - half, right: middle + half };
}

function drawFlag(brush, { text, middle, left, right }, height) {
  brush.fillStyle = ink.accent;
  brush.fillRect(left, 1, right - left, height - 2);
  brush.fillStyle = ink.ground;
  brush.fillText(text, middle, height / 2);
}

// Draws the number of records over time, the visible range, and the violations.
function drawOverview() {
  const { brush, width, height } = prepared(overview, overview.clientHeight);
  const counts = new Uint32Array(Math.max(1, Math.floor(width / 2)));
  const [from, to] = wholeRange();
  const part = (at) => (at - from) / (to - from);
  const column = (us) => Math.min(counts.length - 1, Math.floor(part(place(us)) * counts.length));
  for (const entry of entries) counts[column(entry[AT])]++;
  const most = Math.log1p(Math.max(...counts));
  brush.fillStyle = ink.plain;
  for (const [index, count] of counts.entries()) {
    const high = (Math.log1p(count) / most) * (height - 6);
    brush.fillRect(index * 2, height - high, 1.5, high);
  }
  brush.fillStyle = ink.bad;
  for (const seq of violations) drawMark(brush, "bad", column(entries[seq][AT]) * 2, -1, 12);
  const left = Math.max(0.5, part(view.from) * width);
  const right = Math.min(width - 0.5, part(view.to) * width);
  brush.strokeStyle = ink.accent;
  brush.strokeRect(left, 0.5, right - left, height - 1);
}

// The item at a position of the chart: the nearest mark, or else the innermost bar.
function itemAt(x, y) {
  const width = canvas.clientWidth;
  const at = y + chart.scrollTop;
  const row = rows.find((one) => one.y !== null && one.y <= at && at < one.y + one.height);
  if (!row) return null;
  const us = instant(view.from + (x / width) * (view.to - view.from));
  let [found, near] = [null, 6];
  for (let index = firstThat(row.furthest, (far) => far >= us - slack(width)); index < row.items.length; index++) {
    const item = row.items[index];
    if (toX(item[FROM], width) > x + 6) break;
    const isMark = item.length <= TO;
    const away = Math.abs(toX(item[FROM], width) - x);
    if (isMark && away < near) [found, near] = [item, away];
    const inside = !isMark && toX(item[TO], width) >= x - 3;
    if (inside && (!found || found.length > TO)) found = item;
  }
  return found;
}

// Six pixels as microseconds.
function slack(width) {
  return ((view.to - view.from) / width) * 6;
}
