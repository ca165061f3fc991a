//! Environments and command lines.

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::Masker;
use super::words::{announces_secret, is_harmless_variable};

/// Flags that are followed by a variable as `NAME=VALUE`.
const VARIABLE_FLAGS: [&str; 4] = ["-e", "--env", "--env-add", "--build-arg"];

impl Masker {
    /// Masks the values of variables, given as `NAME=VALUE`, except for variables that are known to
    /// hold no secret. A variable without a name is masked as a whole.
    pub(crate) fn environment(&self, variables: &mut [String], at: &Location<'_>, hits: &mut Hits) {
        for (index, variable) in variables.iter_mut().enumerate() {
            *variable = self.variable(variable, &at.item(index), hits);
        }
    }

    /// Masks arguments after a flag that announces a secret, variables after a flag for variables,
    /// and whatever the patterns find in the other arguments.
    pub(crate) fn command_line(
        &self,
        arguments: &mut [String],
        at: &Location<'_>,
        hits: &mut Hits,
    ) {
        let mut before = String::new();
        let logs_in = arguments.iter().any(|argument| argument == "login");
        for (index, argument) in arguments.iter_mut().enumerate() {
            let location = at.item(index);
            // The previous argument as it was before it was masked.
            let flag = std::mem::replace(&mut before, argument.clone());
            *argument = if VARIABLE_FLAGS.contains(&flag.as_str()) {
                self.variable(argument, &location, hits)
            } else if awaits_secret(&flag, logs_in) {
                self.mask_secret(Rule::Argument, argument, &location, hits)
            } else {
                self.text(argument, &location, hits).into_owned()
            };
        }
    }

    /// Masks the value of a variable, given as `NAME=VALUE`.
    pub(super) fn variable(
        &self,
        variable: &str,
        location: &Location<'_>,
        hits: &mut Hits,
    ) -> String {
        let Some((name, value)) = variable.split_once('=') else {
            return self.mask_secret(Rule::Variable, variable, location, hits);
        };
        format!("{name}={}", self.value_of_variable(name, value, location, hits))
    }

    /// Masks the value of a variable, unless its name is known to be harmless.
    pub(super) fn value_of_variable(
        &self,
        name: &str,
        value: &str,
        location: &Location<'_>,
        hits: &mut Hits,
    ) -> String {
        if is_harmless_variable(name) {
            return self.text(value, location, hits).into_owned();
        }
        if value.is_empty() {
            return String::new();
        }
        self.mask_secret(Rule::Variable, value, &location.field(name), hits)
    }
}

/// Whether the argument after `flag` is a secret. `logs_in` is whether the command is a login,
/// where `-p` means the password.
fn awaits_secret(flag: &str, logs_in: bool) -> bool {
    let Some(name) = flag.strip_prefix('-') else { return false };
    let is_password = logs_in && name == "p";
    is_password || !name.contains(['=', ':', ' ']) && announces_secret(name)
}
