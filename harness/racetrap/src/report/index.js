// Sorts the table and hides the rows in which everything is right. Without scripts, the page shows all rows in
// the order of the runs.
"use strict";
const body = document.querySelector("tbody");
const rows = [...body.rows];
const key = {
  order: (row) => Number(row.dataset.order),
  name: (row) => row.dataset.name,
  state: (row) => -Number(row.dataset.state),
  time: (row) => -Number(row.dataset.seconds),
};
const show = () => {
  const by = key[document.querySelector("#sort").value];
  const wrong = document.querySelector("#wrong").checked;
  const before = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const sorted = [...rows].sort((one, other) => before(by(one), by(other)) || before(key.order(one), key.order(other)));
  body.append(...sorted);
  for (const row of rows) {
    row.hidden = wrong && row.dataset.bad !== "1";
  }
};
for (const control of document.querySelectorAll("#sort, #wrong")) {
  control.addEventListener("change", show);
}
document.querySelector(".controls").hidden = false;
show();
