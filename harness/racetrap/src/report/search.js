// Copies the text beside a button. Without scripts, the text can be selected by hand.
"use strict";
const copy = async (button) => {
  const code = button.parentElement.querySelector("code");
  const selection = getSelection();
  selection.selectAllChildren(code);
  let copied = false;
  try {
    await navigator.clipboard.writeText(code.textContent);
    copied = true;
  } catch {
    // Some browsers give no clipboard to a page from disk.
    copied = document.execCommand("copy");
  }
  button.textContent = copied ? "copied" : "selected";
};
for (const button of document.querySelectorAll(".copied button")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
