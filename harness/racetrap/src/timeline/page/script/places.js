// Where else a record is: its time on the calendar, and its line in other files.

// The file and the line of each record that has one.
const linesOf = new Map();
for (const [seq, file, line] of drawn.lines) linesOf.set(seq, [drawn.files[file], line]);
// The engine writes these, so its log says more about them.
const OF_ENGINE = ["engine", "wire"];

// The time on the calendar, as logs have it. Older journals have only the second of their beginning.
function utc(us) {
  if (!drawn.began) return "";
  const [began, isExact] = drawn.began;
  const text = new Date((began + us) / 1000).toISOString();
  return isExact ? text : text.slice(0, 19) + "Z, within a second";
}

// Links to the lines of a record, each after a blank.
function placesOf(seq) {
  const entry = entries[seq];
  const parts = [utc(entry[AT])];
  const add = (file, line, note = "", start = "") => {
    const index = drawn.files.indexOf(file);
    if (index < 0) return;
    const link = made("a", "", `${file}:${line}`);
    link.href = drawn.links[index] + (start && "#:~:text=" + encodeURIComponent(start));
    parts.push(" · ", link, note);
  };
  if (linesOf.has(seq)) add(...linesOf.get(seq));
  if (OF_ENGINE.includes(drawn.sources[entry[SOURCE]])) {
    const after = firstThat(drawn.engine, ([at]) => at > entry[AT]);
    if (after > 0) add("engine.log", drawn.engine[after - 1][1], " (the last line before)");
  }
  // A browser shows this file as plain text, and scrolls to the line that begins so.
  add("journal.jsonl", seq + 1, "", `{"seq":${seq},`);
  return parts;
}
