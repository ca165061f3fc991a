// The panes of the page: a separator between two of them can be dragged, and moved with the arrow
// keys when it has the focus. The summary can be folded.

const PANE_MIN = 40;
const PANE_PART_MAX = 0.8;
const KEY_STEP = 16;

// The element whose size a separator changes, and in which direction it grows.
const PANES = {
  summary: { of: byId("findings"), grows: 1 },
  aside: { of: document.querySelector("aside"), grows: -1 },
  list: { of: byId("records"), grows: -1 },
  names: { of: labels, grows: 1 },
  mirrors: { of: byId("mirrors"), grows: 1 },
};

function sizeOf(separator) {
  const box = PANES[separator.dataset.pane].of.getBoundingClientRect();
  return isUpright(separator) ? box.width : box.height;
}

// Whether it divides a left pane from a right one.
function isUpright(separator) {
  return separator.getAttribute("aria-orientation") === "vertical";
}

function resize(separator, size) {
  const most = (isUpright(separator) ? innerWidth : innerHeight) * PANE_PART_MAX;
  const pixels = Math.round(Math.max(PANE_MIN, Math.min(most, size)));
  document.body.style.setProperty("--" + separator.dataset.pane, pixels + "px");
  separator.setAttribute("aria-valuenow", pixels);
  align();
  drawList();
  redraw();
}

function beginSeparator(separator) {
  const { grows } = PANES[separator.dataset.pane];
  const position = (event) => (isUpright(separator) ? event.clientX : event.clientY);
  let grip = null;
  separator.setAttribute("aria-valuenow", Math.round(sizeOf(separator)));
  separator.addEventListener("pointerdown", (event) => {
    grip = { at: position(event), size: sizeOf(separator) };
    separator.setPointerCapture(event.pointerId);
  });
  separator.addEventListener("pointermove", (event) => {
    if (grip) resize(separator, grip.size + grows * (position(event) - grip.at));
  });
  separator.addEventListener("pointerup", () => (grip = null));
  separator.addEventListener("keydown", (event) => {
    const [less, more] = isUpright(separator) ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const step = event.key === more ? KEY_STEP : event.key === less ? -KEY_STEP : 0;
    if (!step) return;
    event.preventDefault();
    // These keys would select another record.
    event.stopPropagation();
    resize(separator, sizeOf(separator) + grows * step);
  });
}

function foldSummary() {
  const [button, summary] = [byId("fold"), byId("findings")];
  summary.hidden = !summary.hidden;
  byId("pull-summary").hidden = summary.hidden;
  button.setAttribute("aria-expanded", String(!summary.hidden));
  button.textContent = summary.hidden ? "Show summary" : "Fold summary";
}

function beginPanes() {
  for (const separator of document.querySelectorAll(".separator")) beginSeparator(separator);
  byId("fold").addEventListener("click", foldSummary);
}
