// The scale of time. Long stretches without records can be shortened, and are then marked in the
// chart. Within all other stretches the scale is linear.

// A shortened stretch is drawn as wide as this part of the run.
const QUIET_PART = 0.04;

// Stretches of time `[from, to]` and their positions `[left, right]` on the scale, all in
// microseconds.
let stretches = [];
// The visible part of the scale, in the unit of `left` and `right`.
const view = { from: 0, to: 1 };

function measure(shorten) {
  const limit = shorten ? Math.max(1, drawn.end * QUIET_PART) : Infinity;
  stretches = [];
  let from = 0;
  let left = 0;
  const add = (to, width, quiet) => {
    if (to > from) stretches.push({ from, to, left, right: left + width, quiet });
    left += to > from ? width : 0;
    from = to;
  };
  let last = 0;
  for (const entry of entries) {
    if (entry[AT] - last > limit) {
      add(last, last - from, false);
      add(entry[AT], limit, true);
    }
    last = entry[AT];
  }
  add(Math.max(last, 1), Math.max(last, 1) - from, false);
}

// The position of an instant on the scale.
function place(us) {
  const index = firstThat(stretches, (stretch) => stretch.to >= us);
  const stretch = stretches[Math.min(index, stretches.length - 1)];
  const part = (us - stretch.from) / (stretch.to - stretch.from);
  return stretch.left + Math.max(0, Math.min(1, part)) * (stretch.right - stretch.left);
}

// The instant at a position on the scale.
function instant(at) {
  const index = firstThat(stretches, (stretch) => stretch.right >= at);
  const stretch = stretches[Math.min(index, stretches.length - 1)];
  const part = (at - stretch.left) / (stretch.right - stretch.left);
  return stretch.from + Math.max(0, Math.min(1, part)) * (stretch.to - stretch.from);
}

// The scale of the whole run, with room at the end for the labels of the last items.
function wholeRange() {
  const width = stretches.length ? stretches[stretches.length - 1].right : 1;
  return [-width * 0.01, width * 1.05];
}

function show(from, to) {
  const [first, last] = wholeRange();
  const wide = Math.max(20, Math.min(to - from, last - first));
  view.from = Math.max(first, Math.min(from, last - wide));
  view.to = view.from + wide;
}

function showWhole() {
  show(...wholeRange());
}

// Zooms by a factor around a position, which stays where it is on the screen.
function zoom(factor, around) {
  show(around - (around - view.from) * factor, around + (view.to - around) * factor);
}

function move(part) {
  const by = (view.to - view.from) * part;
  show(view.from + by, view.to + by);
}

// The last record at or before an instant.
function recordAt(us) {
  return Math.max(0, firstThat(entries, (entry) => entry[AT] > us) - 1);
}
