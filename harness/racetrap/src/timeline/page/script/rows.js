// The rows of the lanes: which ones are shown, and where. A lane of a thousand clients has hundreds
// of rows, so a lane shows only some of them until all are asked for.

const ROW = 14;
const LOW_ROW = 7;
// The most rows of a lane that is not unfolded.
const ROWS_SHOWN = 8;
// The rows of a lane are low if it shows more of them than this.
const ROWS_HIGH = 14;
const GAP = 6;
// Rows with such an item are shown first.
const GRAVE = ["bad", "fault", "held"];

const labels = byId("labels");
// All rows, in the order of the items. The position of a row that is not shown is null.
const rows = [];
// The row of each record that has an item.
const rowOf = new Map();
// The numbers of the lanes that show all rows.
const unfolded = new Set();

function readRows() {
  let index = 0;
  for (const [number, lane] of drawn.lanes.entries()) {
    for (const title of lane.rows) {
      const items = drawn.items[index++];
      let far = 0;
      const furthest = items.map((item) => (far = Math.max(far, item[TO] ?? item[FROM])));
      const row = { number, title, items, furthest, y: null, height: ROW };
      rows.push(row);
      for (const item of items) rowOf.set(item[SEQ], row);
    }
  }
}

// Some rows of a lane in their order: that of the selected record, those with something grave, then
// the first one of each title.
function mostTelling(own) {
  const isGrave = (row) => row.items.some((item) => GRAVE.includes(item[TONE]));
  const rank = (row) => (row === rowOf.get(current) ? 0 : isGrave(row) ? 1 : row.title ? 2 : 3);
  const ranked = [...own].sort((a, b) => rank(a) - rank(b));
  const kept = new Set(ranked.slice(0, ROWS_SHOWN));
  return own.filter((row) => kept.has(row));
}

// Computes the position of each row, and adds its name at the left.
function layOut() {
  labels.replaceChildren();
  let y = GAP;
  for (const [number, lane] of drawn.lanes.entries()) {
    const own = rows.filter((row) => row.number === number);
    const shown = unfolded.has(number) ? own : mostTelling(own);
    const height = shown.length > ROWS_HIGH ? LOW_ROW : ROW;
    const box = labels.appendChild(made("div", "lane"));
    box.appendChild(made("b")).append(term(lane.title, lane.title.replace("neighbour’s ", "")));
    const names = box.appendChild(made("div"));
    for (const row of own) row.y = null;
    for (const row of shown) {
      [row.y, row.height] = [y, height];
      const name = names.appendChild(made("div"));
      name.append(term(row.title));
      name.style.height = height + "px";
      y += height;
    }
    if (own.length > ROWS_SHOWN) {
      names.append(moreOrFewer(number, own.length - shown.length));
      y += ROW;
    }
    y += GAP;
  }
  labels.style.height = y + "px";
}

// The row of the selected record is shown, also in a lane that shows only some of its rows.
function revealRow() {
  if (rowOf.get(current)?.y === null) layOut();
}

function moreOrFewer(lane, more) {
  const button = made("button", "more", more ? `+ ${more} more` : `only ${ROWS_SHOWN} rows`);
  button.type = "button";
  button.dataset.lane = lane;
  button.setAttribute("aria-expanded", String(!more));
  button.addEventListener("click", () => {
    if (!unfolded.delete(lane)) unfolded.add(lane);
    layOut();
    labels.querySelector(`[data-lane="${lane}"]`).focus();
    redraw();
  });
  return button;
}
