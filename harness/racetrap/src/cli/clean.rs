//! `racetrap clean`.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use bytesize::ByteSize;
use miette::{IntoDiagnostic as _, WrapErr as _};

use super::evidence::{RunEvidence, evidence_in};
use super::exit::{Exit, Failure};
use super::format::Format;
use super::options::EVIDENCE;
use crate::bundle::archive_of;
use crate::report::{self, Cleaned, Terminal};

/// Arguments of `clean`.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("limit").required(true).multiple(true)))]
pub(super) struct Args {
    /// The directory that contains the evidence of runs
    #[arg(value_name = "DIR", default_value = EVIDENCE)]
    directory: PathBuf,
    /// Remove evidence that is older, such as 7d or 12h
    #[arg(long, value_name = "AGE", value_parser = age, group = "limit")]
    older_than: Option<Duration>,
    /// Remove the oldest evidence until the rest is not larger, such as 500MB or 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size, group = "limit")]
    down_to: Option<ByteSize>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// Removes evidence that is too old or too much. Leaves everything else in the directory alone, and the
/// evidence of runs that have not ended.
pub(super) fn clean(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let context = || format!("the evidence in {} could not be read", args.directory.display());
    let all = evidence_in(&args.directory).into_diagnostic().wrap_err_with(context);
    let all = all.map_err(Failure::machine)?;
    let (removed, kept) = chosen(all, args.older_than, args.down_to.map(|size| size.as_u64()));
    if !args.dry_run {
        for evidence in &removed {
            let context = || format!("{} could not be removed", evidence.directory.display());
            let gone = remove(&evidence.directory).into_diagnostic().wrap_err_with(context);
            gone.map_err(Failure::machine)?;
        }
    }
    let sizes = |all: &[RunEvidence]| -> Vec<_> {
        all.iter().map(|one| (one.directory.clone(), one.bytes)).collect()
    };
    let cleaned = Cleaned { removed: sizes(&removed), kept: sizes(&kept), only_said: args.dry_run };
    terminal.write(&match format {
        Format::Human => report::cleaned(&cleaned, terminal.paint()),
        Format::Json => report::cleaned_json(&cleaned),
    })?;
    Ok(Exit::Success)
}

/// What is removed and what is kept. `all` has the oldest evidence first.
fn chosen(
    all: Vec<RunEvidence>,
    older_than: Option<Duration>,
    bytes_max: Option<u64>,
) -> (Vec<RunEvidence>, Vec<RunEvidence>) {
    let mut bytes: u64 = all.iter().map(|one| one.bytes).sum();
    all.into_iter().partition(|one| {
        let is_old = older_than.is_some_and(|age| one.age > age);
        let is_too_much = bytes_max.is_some_and(|most| bytes > most);
        let is_removed = one.has_ended && (is_old || is_too_much);
        if is_removed {
            bytes -= one.bytes;
        }
        is_removed
    })
}

/// Removes a run's directory and its archive. The archive goes first: a directory without one can still
/// be found again.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_file(archive_of(directory)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::remove_dir_all(directory)
}

fn age(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected an age such as 7d or 12h".to_owned())
}

fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "expected a size such as 500MB or 2GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(name: &str, hours: u64, bytes: u64, has_ended: bool) -> RunEvidence {
        let age = Duration::from_secs(hours * 3600);
        RunEvidence { directory: name.into(), bytes, age, has_ended }
    }

    /// The oldest of four still runs, so it is kept, whatever its age and its size are.
    #[test]
    fn the_oldest_evidence_is_removed_first_and_none_of_a_run_that_goes_on() {
        let all = || {
            vec![
                evidence("runs", 50, 100, false),
                evidence("old", 49, 10, true),
                evidence("older", 25, 20, true),
                evidence("new", 1, 30, true),
            ]
        };
        let removed = |age: Option<u64>, bytes| -> Vec<String> {
            let age = age.map(|hours| Duration::from_secs(hours * 3600));
            let removed = chosen(all(), age, bytes).0.into_iter();
            removed.map(|one| one.directory.display().to_string()).collect()
        };
        assert_eq!(removed(Some(48), None), ["old"]);
        assert_eq!(removed(None, Some(150)), ["old"]);
        assert_eq!(removed(None, Some(149)), ["old", "older"]);
        assert_eq!(removed(Some(24), Some(1000)), ["old", "older"]);
        assert_eq!(removed(None, Some(0)), ["old", "older", "new"]);
        assert_eq!(removed(Some(100), Some(1000)), Vec::<String>::new());
    }

    #[test]
    fn ages_and_sizes_have_units() {
        assert_eq!(age("7d"), Ok(Duration::from_secs(7 * 24 * 3600)));
        assert!(age("7").is_err() && age("").is_err() && age("-1d").is_err());
        assert_eq!(size("2GiB").map(|size| size.as_u64()), Ok(2 << 30));
        assert!(size("much").is_err());
    }
}
