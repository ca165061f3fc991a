//! `racetrap engine`.

use std::fmt::Write as _;

use clap::Subcommand;
use miette::{IntoDiagnostic as _, Report, miette};
use serde::Serialize;
use tokio::time::Instant;

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::engine::{EngineManifest, Engines};
use crate::report::{Paint, Terminal, tell};
use crate::world::{AptError, EngineVersion, InstallError};

/// Version of the JSON object. docs/formats.md says what a version promises.
const VERSION: u32 = 1;

/// Arguments of `engine`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Fetches engines into the user's cache; does nothing for an engine that is installed
    ///
    /// The packages come from the archive that apt already uses, but from other suites. Installed
    /// packages and apt's own lists are not changed.
    Install {
        /// Versions, such as 28.5
        #[arg(value_name = "VERSION", required = true)]
        versions: Vec<EngineVersion>,
        /// A Debian archive, for a machine whose apt has none configured
        #[arg(long, value_name = "URL")]
        archive: Option<String>,
    },
    /// Lists all supported engines, and which of them are installed
    List,
    /// Removes an engine that no world is using
    Remove {
        /// The version
        version: EngineVersion,
    },
}

/// An engine in the JSON output.
#[derive(Serialize)]
struct Entry {
    version: &'static str,
    installed: bool,
    package: Option<String>,
    bytes: Option<u64>,
    path: Option<String>,
}

#[derive(Serialize)]
struct List {
    version: u32,
    engines: Vec<Entry>,
}

/// Installs, lists or removes engines. Each of these prints the list of all engines at the end.
pub(super) async fn engine(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let engines = Engines::in_user_cache().map_err(failure)?;
    match args.action {
        Action::List => {}
        Action::Install { versions, archive } => {
            for version in versions {
                install(&engines, version, archive.as_deref()).await?;
            }
        }
        Action::Remove { version } => {
            let EngineManifest { package, bytes, .. } = engines.remove(version).map_err(failure)?;
            tell(&format!("removed {version}, which was {package}: {} are free", mib(bytes)));
        }
    }
    let list = list(&engines)?;
    terminal.write(&match format {
        Format::Human => table(&list, terminal.paint()),
        Format::Json => {
            let text = serde_json::to_string_pretty(&List { version: VERSION, engines: list });
            text.into_diagnostic().map_err(Failure::machine)? + "\n"
        }
    })?;
    Ok(Exit::Success)
}

async fn install(
    engines: &Engines,
    version: EngineVersion,
    archive: Option<&str>,
) -> Result<(), Failure> {
    if engines.manifest(version).map_err(failure)?.is_some() {
        tell(&format!("{version} is installed"));
        return Ok(());
    }
    tell(&format!("{version}: fetching its packages ..."));
    let began = Instant::now();
    let EngineManifest { package, fetched_bytes, bytes, .. } =
        engines.install(version, archive).await.map_err(failure)?;
    tell(&format!(
        "{version} is installed, {package}: {} fetched, {} unpacked, {:.0} s",
        mib(fetched_bytes),
        mib(bytes),
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn list(engines: &Engines) -> Result<Vec<Entry>, Failure> {
    let entry = |version: EngineVersion| {
        let manifest = engines.manifest(version).map_err(failure)?;
        Ok(Entry {
            version: version.name(),
            installed: manifest.is_some(),
            path: manifest.as_ref().map(|_| engines.directory_of(version).display().to_string()),
            bytes: manifest.as_ref().map(|manifest| manifest.bytes),
            package: manifest.map(|manifest| manifest.package),
        })
    };
    EngineVersion::ALL.into_iter().map(entry).collect()
}

fn table(engines: &[Entry], paint: Paint) -> String {
    let mut text = String::new();
    for Entry { version, package, bytes, path, .. } in engines {
        let version = paint.strong(version);
        let _ = match (package, bytes, path) {
            (Some(package), Some(bytes), Some(path)) => {
                writeln!(text, "{version}  {package}, {}, {path}", mib(*bytes))
            }
            _ => writeln!(text, "{version}  {}", paint.faint("not installed")),
        };
    }
    text
}

/// A size in whole MiB.
pub(super) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Every failure is the machine's; a failed download gets a hint about the network.
fn failure(error: InstallError) -> Failure {
    let offline = matches!(&error, InstallError::Packages { source: AptError::Failed { .. }, .. });
    let report = if offline {
        miette!(
            help = "engines come from the archive of this machine's own packages: does `apt-get \
                    update` reach it?",
            "{}",
            crate::chain::chain(&error)
        )
    } else {
        Report::from_err(error)
    };
    Failure::machine(report)
}
