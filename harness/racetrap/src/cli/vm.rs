//! `racetrap vm`.

use std::fmt::Write as _;

use clap::Subcommand;
use miette::{IntoDiagnostic as _, Report};
use serde::Serialize;
use tokio::time::Instant;

use super::engine::mib;
use super::exit::{Exit, Failure};
use super::format::Format;
use crate::report::{Paint, Terminal, tell};
use crate::vm::{GuestVersion, Images, ListedImage, Template, VmError};

/// Version of the JSON object. docs/formats.md says what a version promises.
const VERSION: u32 = 1;

/// Arguments of `vm`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Builds guests from packages of Debian, boots each once and freezes it as a template; does
    /// nothing for what is there
    ///
    /// The packages come from the archive that apt already uses. Images and templates are kept in
    /// the user's cache.
    Build {
        /// Versions of the guest's engine, such as 20.10
        #[arg(value_name = "VERSION", required = true)]
        versions: Vec<GuestVersion>,
        /// A Debian archive, for a machine whose apt has none configured
        #[arg(long, value_name = "URL")]
        archive: Option<String>,
    },
    /// Lists all guests, and which of them are built
    List,
    /// Removes the images and templates of a guest that no run uses
    Remove {
        /// The version of the guest's engine
        version: GuestVersion,
    },
}

/// An image in the JSON output.
#[derive(Serialize)]
struct Entry {
    version: &'static str,
    built: bool,
    /// Whether the recipe of this racetrap has made it.
    current: bool,
    contents: Option<String>,
    bytes: Option<u64>,
    path: Option<String>,
}

#[derive(Serialize)]
struct List {
    version: u32,
    guests: Vec<Entry>,
}

/// Builds, lists or removes guests. Each of these prints the list of all guests at the end.
pub(super) async fn vm(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let images = Images::in_user_cache().map_err(failure)?;
    match args.action {
        Action::List => {}
        Action::Build { versions, archive } => {
            for version in versions {
                build(&images, version, archive.as_deref()).await?;
            }
        }
        Action::Remove { version } => {
            let bytes = images.remove(version).map_err(failure)?;
            tell(&format!("removed the guest {version}: {} are free", mib(bytes)));
        }
    }
    let list = list(&images)?;
    terminal.write(&match format {
        Format::Human => table(&list, terminal.paint()),
        Format::Json => {
            let text = serde_json::to_string_pretty(&List { version: VERSION, guests: list });
            text.into_diagnostic().map_err(Failure::machine)? + "\n"
        }
    })?;
    Ok(Exit::Success)
}

/// Builds the image and its template, and says how long both took.
async fn build(
    images: &Images,
    version: GuestVersion,
    archive: Option<&str>,
) -> Result<(), Failure> {
    let mut progress = |doing: &str| tell(&format!("{version}: {doing} ..."));
    let began = Instant::now();
    images.build(version, archive, &mut progress).await.map_err(failure)?;
    let built = began.elapsed().as_secs_f64();
    let image = images.acquire(version).map_err(failure)?;
    let template = Template::open(image, &mut progress).await.map_err(failure)?;
    let frozen = began.elapsed().as_secs_f64() - built;
    let how = template.acceleration();
    tell(&format!("{version} is built: image {built:.0} s, template {frozen:.0} s, by {how}"));
    Ok(())
}

fn list(images: &Images) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    let found = images.list().map_err(failure)?;
    for version in GuestVersion::ALL {
        let own: Vec<_> = found.iter().filter(|image| image.version == version).collect();
        if own.is_empty() {
            let (contents, bytes, path) = (None, None, None);
            let version = version.name();
            entries.push(Entry { version, built: false, current: false, contents, bytes, path });
        }
        entries.extend(own.into_iter().map(|image| {
            let ListedImage { directory, is_current, contents, bytes, .. } = image;
            Entry {
                version: version.name(),
                built: true,
                current: *is_current,
                contents: Some(contents.clone()),
                bytes: Some(*bytes),
                path: Some(directory.display().to_string()),
            }
        }));
    }
    Ok(entries)
}

fn table(guests: &[Entry], paint: Paint) -> String {
    let mut text = String::new();
    for Entry { version, current, contents, bytes, path, .. } in guests {
        let version = paint.strong(version);
        let _ = match (contents, bytes, path) {
            (Some(contents), Some(bytes), Some(path)) => {
                let old = if *current { "" } else { ", made by another recipe" };
                writeln!(text, "{version}  {contents}, {}{old}, {path}", mib(*bytes))
            }
            _ => writeln!(text, "{version}  {}", paint.faint("not built")),
        };
    }
    text
}

fn failure(error: VmError) -> Failure {
    Failure::machine(Report::from_err(error))
}
