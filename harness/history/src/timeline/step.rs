//! A step as a line of text.

use crate::scenario::Step;

/// A step as one line, in the words of its YAML form.
#[must_use]
pub fn step_line(step: &Step) -> String {
    let text = serde_json::to_string(step).unwrap_or_default();
    // JSON without its quotes and outer braces reads like the flow style of YAML.
    let text = text.replace("\":", ": ").replace(',', ", ").replace('"', "");
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.unwrap_or(&text).to_owned()
}
