//! Fetches packages of other Debian suites by an apt with a state of its own. It neither reads nor
//! changes the machine's package lists, archives and installed packages.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::process::{OutsideRun, find_program};

/// How long one program may take. apt's own time-outs for a server that does not answer are far
/// shorter.
const PROGRAM_LIMIT: Duration = Duration::from_secs(600);

/// The keys that Debian signs its suites with, as the package `debian-archive-keyring` installs
/// them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The variables that apt gets from the user's environment: where programs are, and how the network
/// is reached.
const PASSED: [&str; 6] =
    ["PATH", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How many lines of a program's output an error shows.
const OUTPUT_LINES: usize = 8;

/// Packages of another suite could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AptError {
    /// A program of apt is missing.
    #[error(
        "there is no {program} here, and packages are fetched by apt from other suites of Debian"
    )]
    NoApt {
        /// The program.
        program: &'static str,
    },
    /// The machine's apt knows no archive of Debian.
    #[error(
        "apt knows no archive of Debian's packages on this machine: run `apt-get update` if it \
         should, or else name an archive by `--archive`"
    )]
    NoDebian,
    /// No suite has the version.
    #[error("{suites} have {package} in other versions only: {seen}")]
    NoVersion {
        /// The package.
        package: &'static str,
        /// The suites that were searched.
        suites: String,
        /// The versions there.
        seen: String,
    },
    /// A program failed.
    #[error("{what} failed; `{program}` printed:\n{output}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// The program.
        program: &'static str,
        /// The end of its standard error.
        output: String,
    },
    /// A file could not be read or written, or a program could not be run.
    #[error("{what} failed")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// An apt with a directory of its own for its state.
pub(crate) struct Apt {
    directory: PathBuf,
    suites: &'static [&'static str],
}

impl Apt {
    /// Sets apt up in `directory`, which exists, and fetches the package lists of the suites from
    /// `archive`, or from the archive that the machine's apt uses.
    pub(crate) async fn open(
        directory: PathBuf,
        archive: Option<&str>,
        suites: &'static [&'static str],
    ) -> Result<Self, AptError> {
        let apt = Self { directory, suites };
        let archive = match archive {
            Some(archive) => archive.to_owned(),
            None => debian().await?,
        };
        let sources = apt.sources(&archive);
        let configuration = apt.configuration(&acquire().await?);
        let write = || -> io::Result<()> {
            for below in ["lists/partial", "archives/partial", "empty"] {
                std::fs::create_dir_all(apt.directory.join(below))?;
            }
            // According to an empty status file no package is installed, so apt fetches every
            // dependency.
            std::fs::write(apt.directory.join("status"), "")?;
            std::fs::write(apt.directory.join("sources.list"), sources)?;
            std::fs::write(apt.directory.join("apt.conf"), configuration)
        };
        write().map_err(|source| AptError::Io { what: "writing apt's configuration", source })?;
        // Without the option, apt-get ends with 0 although it could not fetch some of the lists.
        let update = ["update", "-q", "-o", "APT::Update::Error-Mode=any"];
        apt.run("fetching the lists of packages", "apt-get", &update).await?;
        Ok(apt)
    }

    /// The first version of a package for which `wanted` is true.
    pub(crate) async fn version(
        &self,
        package: &'static str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<String, AptError> {
        let what = "looking a package up";
        let listed = self.run(what, "apt-cache", &["madison", package]).await?;
        // A line is `PACKAGE | VERSION | SOURCE`.
        let mut versions: Vec<_> =
            listed.lines().filter_map(|line| line.split('|').nth(1)).collect();
        versions.dedup();
        let found = versions.iter().map(|version| version.trim()).find(|version| wanted(version));
        found.map(str::to_owned).ok_or_else(|| AptError::NoVersion {
            package,
            suites: self.suites.join(" and "),
            seen: if versions.is_empty() { "none at all".to_owned() } else { versions.concat() },
        })
    }

    /// Fetches packages and everything that they depend on. Returns the paths of the archives.
    pub(crate) async fn fetch(&self, packages: &[&str]) -> Result<Vec<PathBuf>, AptError> {
        let options = ["install", "-q", "--yes", "--download-only", "--no-install-recommends"];
        let arguments = [options.as_slice(), packages].concat();
        self.run("fetching packages", "apt-get", &arguments).await?;
        let list = || -> io::Result<Vec<PathBuf>> {
            let entries = std::fs::read_dir(self.directory.join("archives"))?;
            let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            let is_package = |path: &PathBuf| path.extension() == Some(OsStr::new("deb"));
            Ok(paths.into_iter().filter(is_package).collect())
        };
        list().map_err(|source| AptError::Io { what: "reading the fetched packages", source })
    }

    /// Unpacks an archive. Runs none of its scripts.
    pub(crate) async fn unpack(&self, archive: &Path, root: &Path) -> Result<(), AptError> {
        let arguments = ["--extract".as_ref(), archive.as_os_str(), root.as_os_str()];
        self.run("unpacking packages", "dpkg-deb", &arguments).await.map(drop)
    }

    /// The package sources, one for each suite. If Debian's keys are installed, only they are
    /// trusted; otherwise the keys that the machine's apt trusts.
    fn sources(&self, archive: &str) -> String {
        let signed = match Path::new(KEYRING).is_file() {
            true => format!(" signed-by={KEYRING}"),
            false => String::new(),
        };
        // Only the lists of packages, not those of translations and files.
        let line = |suite| format!("deb [target=Packages{signed}] {archive} {suite} main\n");
        self.suites.iter().map(line).collect()
    }

    /// The configuration, which replaces every path at which apt would find the machine's state or
    /// settings. `acquire` is the machine's configuration of how files are fetched, for example
    /// through a proxy.
    fn configuration(&self, acquire: &str) -> String {
        let own = self.directory.display();
        format!(
            "{acquire}
             Dir::Etc::main \"{own}/empty/none\";
             Dir::Etc::parts \"{own}/empty\";
             Dir::Etc::sourcelist \"{own}/sources.list\";
             Dir::Etc::sourceparts \"{own}/empty\";
             Dir::Etc::preferences \"{own}/empty/none\";
             Dir::Etc::preferencesparts \"{own}/empty\";
             Dir::State \"{own}\";
             Dir::State::lists \"{own}/lists\";
             Dir::State::status \"{own}/status\";
             Dir::Cache \"{own}\";
             Dir::Cache::archives \"{own}/archives\";
             Dir::Cache::pkgcache \"\";
             Dir::Cache::srcpkgcache \"\";
             Dir::Log \"{own}\";
             APT::Sandbox::User \"\";
             Debug::NoLocking \"true\";
             Acquire::Retries \"3\";
"
        )
    }

    async fn run(
        &self,
        what: &'static str,
        program: &'static str,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<String, AptError> {
        run(what, program, arguments, Some(&self.directory.join("apt.conf"))).await
    }
}

/// The archive from which the machine's apt gets Debian's packages.
pub(crate) async fn debian() -> Result<String, AptError> {
    // Origin and label tell Debian's own archive from others that have packages for Debian.
    let format = "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)";
    let arguments = ["indextargets", "--format", format, "Identifier: Packages"];
    let targets = run("asking apt for its sources", "apt-get", &arguments, None).await?;
    let debian = targets.lines().find_map(|line| line.strip_prefix("Debian Debian main "));
    debian.map(str::to_owned).ok_or(AptError::NoDebian)
}

/// The machine's configuration of how apt fetches files: proxies, certificates, limits.
async fn acquire() -> Result<String, AptError> {
    let arguments = ["dump", "--no-empty", "Acquire"];
    run("asking apt how it fetches", "apt-config", &arguments, None).await
}

/// Runs a program and returns its standard output. Of the user's environment it gets only
/// [`PASSED`].
///
/// # Errors
/// If the program is missing, does not end with 0, or takes too long.
async fn run(
    what: &'static str,
    program: &'static str,
    arguments: &[impl AsRef<OsStr>],
    configuration: Option<&Path>,
) -> Result<String, AptError> {
    let path = find_program(program).ok_or(AptError::NoApt { program })?;
    let mut variables = vec![("LC_ALL", "C.UTF-8".into())];
    variables.extend(PASSED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    variables.extend(configuration.map(|path| ("APT_CONFIG", path.into())));
    let run = OutsideRun {
        program: &path,
        arguments: arguments.iter().map(AsRef::as_ref).collect(),
        variables,
        directory: Path::new("."),
        limit: PROGRAM_LIMIT,
        // Ctrl-C ends a download, and not only the harness that waits for it.
        is_interruptible: true,
    };
    let output = run.run_to_end().await.map_err(|source| AptError::Io { what, source })?;
    let Some(output) = output else {
        let output = format!("(it was killed, because it did not end within {PROGRAM_LIMIT:?})");
        return Err(AptError::Failed { what, program, output });
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(AptError::Failed { what, program, output: end_of(&output) })
}

/// The last lines of a program's standard error.
fn end_of(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("\n")
}
