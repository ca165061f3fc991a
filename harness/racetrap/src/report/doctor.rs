//! What this machine has and lacks, as a list.

use std::fmt::Write as _;

use super::Paint;
use super::check::{Check, CheckState};

/// One line per check. Below a check that failed: what needs it, and how to get it.
pub(crate) fn doctor(checks: &[Check], paint: Paint) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in checks {
        let state = match check.state {
            CheckState::Ok => paint.good("ok      "),
            CheckState::Missing => paint.bad("missing "),
            CheckState::Optional => paint.doubtful("optional"),
        };
        let _ = writeln!(text, "{state}  {:width$}  {}", check.name, check.found);
        if check.state != CheckState::Ok {
            let indent = 10 + width + 2;
            let blank = " ".repeat(indent);
            let purpose = paint.fold(indent, &format!("for {}", check.purpose));
            let _ = writeln!(text, "{blank}{}", paint.faint(&purpose));
            let _ = writeln!(text, "{blank}{}", paint.fold(indent, &check.remedy));
        }
    }
    let missing = checks.iter().filter(|check| check.state == CheckState::Missing).count();
    text.push('\n');
    text.push_str(&if missing == 0 {
        paint.good("This machine can run the catalogue.\n")
    } else {
        let plural = if missing == 1 { "thing is" } else { "things are" };
        paint.bad(&format!("{missing} {plural} missing to run the catalogue.\n"))
    });
    text
}
