// Words that have a sentence in the glossary. The sentence is shown while the pointer is on a word
// or the word has the focus; a click leads to the glossary.

const tip = byId("tip");
const words = byId("words");

// The id of a word's sentence, the same as in words.rs.
function wordId(word) {
  return "w-" + word.toLowerCase().replace(/[^a-z0-9]/g, "-");
}

// Lets an element show the sentence of a word, if there is one.
function explain(element, word) {
  const id = wordId(word);
  if (!byId(id)) return element;
  element.dataset.term = id;
  element.setAttribute("aria-describedby", id);
  return element;
}

// A word as a button with its sentence, or as a text if it has none.
function term(text, word = text) {
  if (!byId(wordId(word))) return made("span", "", text);
  const button = explain(made("button", "term", text), word);
  button.type = "button";
  return button;
}

// Shows parts beside a position, within the window.
function showTip(x, y, ...parts) {
  tip.replaceChildren(...parts);
  tip.hidden = false;
  tip.style.left = Math.max(8, Math.min(x, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = Math.max(8, Math.min(y, innerHeight - tip.offsetHeight - 8)) + "px";
}

function showSentence(event) {
  const word = event.target.closest?.("[data-term]");
  if (!word || words.open) return;
  const box = word.getBoundingClientRect();
  showTip(box.left, box.bottom + 4, made("span", "", byId(word.dataset.term).textContent));
}

function hideTip() {
  tip.hidden = true;
}

function openGlossary(id) {
  hideTip();
  for (const sought of words.querySelectorAll(".sought")) sought.className = "";
  words.showModal();
  const sentence = id && byId(id);
  if (!sentence) return;
  sentence.className = "sought";
  sentence.scrollIntoView({ block: "center" });
}

function beginWords() {
  document.addEventListener("pointerover", showSentence);
  document.addEventListener("pointerout", (event) => event.target.closest?.("[data-term]") && hideTip());
  document.addEventListener("focusin", showSentence);
  document.addEventListener("focusout", hideTip);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  document.addEventListener("click", (event) => {
    const word = event.target.closest?.(".term");
    if (word) openGlossary(word.dataset.term);
  });
  byId("glossary").addEventListener("click", () => openGlossary());
}
