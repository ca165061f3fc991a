// The labels of a row. None is drawn over another one, and none over the next mark or bar.

// A shorter text could not be read.
const LABEL_MIN = 22;

// Draws the labels of the shapes of a row, which are sorted by their left ends. Those with something
// grave get their room first.
function drawLabels(brush, shapes, row, y, width) {
  if (row.height < ROW) return;
  const line = y + row.height / 2 + 0.5;
  const taken = [];
  const isGrave = (shape) => GRAVE.includes(shape.tone);
  const ranked = shapes.map((shape, index) => ({ shape, index })).sort((a, b) => isGrave(b.shape) - isGrave(a.shape));
  for (const { shape, index } of ranked) {
    const text = shape.item[LABEL];
    const next = index + 1 < shapes.length ? shapes[index + 1].x : width;
    let [left, right] = free(Math.max(shape.x, 0) + 6, Math.min(next, width) - 4, taken);
    // The label of a violation goes to the left of its mark if only that side has enough room.
    if (shape.tone === "bad" && brush.measureText(text).width > right - left) {
      const [from, to] = free(shape.before + 12, shape.x - 8, taken);
      const wide = Math.min(to - from, brush.measureText(text).width);
      if (wide > right - left) [left, right] = [to - wide, to];
    }
    const shown = fitted(brush, text, right - left);
    if (!shown) continue;
    taken.push([left, left + brush.measureText(shown).width]);
    drawLabel(brush, shown, left, line, shape.tone);
  }
}

// The part of a stretch that no label has taken: up to the first one, or after the last one.
function free(left, right, taken) {
  for (const [from, to] of taken) {
    if (to <= left || from >= right) continue;
    if (from - left >= right - to) right = from - 4;
    else left = to + 4;
  }
  return [left, right];
}

// As much of a text as there is room for, or nothing if that is too little to be read.
function fitted(brush, text, room) {
  if (room < LABEL_MIN || !text) return "";
  let shown = text.slice(0, Math.ceil(room / 4));
  while (brush.measureText(shown).width > room) {
    const next = Math.floor((shown.length * room) / brush.measureText(shown).width);
    shown = shown.slice(0, Math.min(next, shown.length - 2));
    if (shown.length < 3) return "";
    shown += "…";
  }
  return shown;
}

function drawLabel(brush, text, x, y, tone) {
  if (tone === "held") {
    brush.strokeStyle = ink["held-soft"];
    brush.lineWidth = 4;
    brush.lineJoin = "round";
    brush.strokeText(text, x, y);
  }
  brush.fillStyle = tone === "faint" ? ink.faint : ink.text;
  brush.fillText(text, x, y);
}
