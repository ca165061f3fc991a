//! Environments and command lines.

use super::hits::{Hits, Rule};
use super::masker::Masker;
use super::place::Place;
use super::words::{announces_secret, is_harmless_variable};

/// Flags behind which a variable follows.
const VARIABLE_FLAGS: [&str; 4] = ["-e", "--env", "--env-add", "--build-arg"];

impl Masker {
    /// Masks the values of variables, as `NAME=VALUE`, but of those that are known to hold no secret.
    /// What has no name is masked whole.
    pub(crate) fn environment(&self, variables: &mut [String], at: &Place<'_>, hits: &mut Hits) {
        for (index, variable) in variables.iter_mut().enumerate() {
            *variable = self.variable(variable, &at.item(index), hits);
        }
    }

    /// Masks what stands behind flags and names that announce a secret, and what patterns find.
    pub(crate) fn command_line(&self, arguments: &mut [String], at: &Place<'_>, hits: &mut Hits) {
        let mut before = String::new();
        let logs_in = arguments.iter().any(|argument| argument == "login");
        for (index, argument) in arguments.iter_mut().enumerate() {
            let place = at.item(index);
            let flag = std::mem::replace(&mut before, argument.clone());
            *argument = if VARIABLE_FLAGS.contains(&flag.as_str()) {
                self.variable(argument, &place, hits)
            } else if awaits_secret(&flag, logs_in) {
                self.hide(Rule::Argument, argument, &place, hits)
            } else {
                self.text(argument, &place, hits).into_owned()
            };
        }
    }

    /// One variable as `NAME=VALUE`.
    pub(super) fn variable(&self, variable: &str, place: &Place<'_>, hits: &mut Hits) -> String {
        let Some((name, value)) = variable.split_once('=') else {
            return self.hide(Rule::Variable, variable, place, hits);
        };
        format!("{name}={}", self.value_of_variable(name, value, place, hits))
    }

    /// The value of a variable.
    pub(super) fn value_of_variable(
        &self,
        name: &str,
        value: &str,
        place: &Place<'_>,
        hits: &mut Hits,
    ) -> String {
        if is_harmless_variable(name) {
            return self.text(value, place, hits).into_owned();
        }
        if value.is_empty() {
            return String::new();
        }
        self.hide(Rule::Variable, value, &place.field(name), hits)
    }
}

/// Whether a flag's value is the next argument, and a secret.
fn awaits_secret(flag: &str, logs_in: bool) -> bool {
    let Some(name) = flag.strip_prefix('-') else { return false };
    let is_password = logs_in && name == "p";
    is_password || !name.contains(['=', ':', ' ']) && announces_secret(name)
}
