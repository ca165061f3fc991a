//! Engines of other versions, each a directory of Debian's packages in the user's cache.
//!
//! A directory there is whole: it is made under another name and renamed when it is. Whoever runs
//! an engine holds its lock, shared with others who do; whoever makes or removes one holds it alone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::apt::{Apt, AptError};
use super::choice::EngineVersion;
use crate::sys::create_private_directory;

/// The package that holds dockerd.
const DOCKER: &str = "docker.io";

/// What an engine's directory needs beside it: the system's outline, with the links that programs
/// find their loader by, and `sleep`, which holds an engine's namespace.
const BESIDE: [&str; 2] = ["base-files", "coreutils"];

/// Name of the file that tells what an installed engine is.
const MANIFEST: &str = "engine.json";

/// An engine could not be installed, removed or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There is no place for it.
    #[error("there is no cache directory: neither XDG_CACHE_HOME nor HOME names one")]
    NoCache,
    /// It was never installed.
    #[error("the engine {version} is not installed; run `racetrap engine install {version}`")]
    NotInstalled {
        /// Which.
        version: EngineVersion,
    },
    /// It is in use.
    #[error("the engine {version} is in use: by a run, or by another install")]
    InUse {
        /// Which.
        version: EngineVersion,
    },
    /// Its packages could not be had.
    #[error("the engine {version} could not be fetched")]
    Packages {
        /// Which.
        version: EngineVersion,
        /// Why not.
        #[source]
        source: AptError,
    },
    /// The file system refused.
    #[error("{path} could not be used")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What an installed engine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Its name among the engines, such as `26.1`.
    pub(crate) version: String,
    /// The version of the package that it is of.
    pub(crate) package: String,
    /// How much was fetched, in bytes.
    pub(crate) fetched_bytes: u64,
    /// How much room its files take, in bytes.
    pub(crate) bytes: u64,
}

/// An engine that stays installed for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Installed {
    root: PathBuf,
    package: String,
    image_lock: PathBuf,
    _lock: File,
}

impl Installed {
    /// All of its files.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Its programs and libraries, to be put in the place of the machine's `/usr`.
    pub(crate) fn usr(&self) -> PathBuf {
        self.root.join("usr")
    }

    /// The full version of its package.
    pub(crate) fn package(&self) -> &str {
        &self.package
    }

    /// Waits until nobody else makes an image of it; nobody else begins to while the file is held.
    pub(crate) async fn alone_with_image(&self) -> io::Result<File> {
        let path = self.image_lock.clone();
        let locking = tokio::task::spawn_blocking(move || {
            let lock = open_lock(&path)?;
            lock.lock()?;
            Ok(lock)
        });
        locking.await.map_err(io::Error::other)?
    }
}

/// All engines of one user.
#[derive(Clone, Debug)]
pub(crate) struct Engines {
    directory: PathBuf,
}

impl Engines {
    /// Those of this user, in the user's cache directory (XDG base directory specification).
    pub(crate) fn of_user() -> Result<Self, InstallError> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let cache = cache.or_else(|| Some(variable("HOME")?.join(".cache")));
        let cache = cache.filter(|path| path.is_absolute()).ok_or(InstallError::NoCache)?;
        Ok(Self::below(&cache))
    }

    fn below(cache: &Path) -> Self {
        Self { directory: cache.join("racetrap/engines") }
    }

    /// Where an engine lies, or would.
    pub(crate) fn place(&self, version: EngineVersion) -> PathBuf {
        self.directory.join(version.name())
    }

    /// What is installed under a name, if anything is.
    pub(crate) fn manifest(
        &self,
        version: EngineVersion,
    ) -> Result<Option<Manifest>, InstallError> {
        let path = self.place(version).join(MANIFEST);
        let read = || -> io::Result<Option<Manifest>> {
            match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                other => Ok(Some(serde_json::from_slice(&other?)?)),
            }
        };
        read().map_err(refused(&path))
    }

    /// Fetches an engine, unless it is there; what is installed then.
    ///
    /// It comes from the archive of Debian that is named, or else from the machine's own. Another
    /// install of it is waited for. What one that was killed has left is removed first.
    pub(crate) async fn install(
        &self,
        version: EngineVersion,
        archive: Option<&str>,
    ) -> Result<Manifest, InstallError> {
        if let Some(manifest) = self.manifest(version)? {
            return Ok(manifest);
        }
        fs::create_dir_all(&self.directory).map_err(refused(&self.directory))?;
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.lock().map_err(refused(&path))?;
        if let Some(manifest) = self.manifest(version)? {
            return Ok(manifest);
        }
        let begun = self.directory.join(format!("{version}.begun"));
        remove(&begun).map_err(refused(&begun))?;
        fs::create_dir(&begun).map_err(refused(&begun))?;
        let made = make(&begun, version, archive).await;
        if made.is_err() {
            // What went wrong is worth more than what goes wrong while it is cleared away.
            let _ = remove(&begun);
        }
        let manifest = made?;
        let place = self.place(version);
        fs::rename(&begun, &place).map_err(refused(&place))?;
        Ok(manifest)
    }

    /// Removes an engine that nobody runs.
    pub(crate) fn remove(&self, version: EngineVersion) -> Result<Manifest, InstallError> {
        let manifest = self.manifest(version)?.ok_or(InstallError::NotInstalled { version })?;
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.try_lock().map_err(|error| locked(version, &path, error))?;
        // Under another name first: what is left of a removal that was killed is no engine.
        let begun = self.directory.join(format!("{version}.begun"));
        remove(&begun).map_err(refused(&begun))?;
        let place = self.place(version);
        fs::rename(&place, &begun).map_err(refused(&place))?;
        remove(&begun).map_err(refused(&begun))?;
        Ok(manifest)
    }

    /// Takes an engine into use.
    pub(crate) fn take(&self, version: EngineVersion) -> Result<Installed, InstallError> {
        let missing = InstallError::NotInstalled { version };
        if self.manifest(version)?.is_none() {
            return Err(missing);
        }
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.try_lock_shared().map_err(|error| locked(version, &path, error))?;
        // It may have been removed before the lock was ours.
        let Manifest { package, .. } = self.manifest(version)?.ok_or(missing)?;
        let image_lock = self.directory.join(format!("{version}.image.lock"));
        Ok(Installed { root: self.place(version).join("root"), package, image_lock, _lock: lock })
    }

    fn lock_path(&self, version: EngineVersion) -> PathBuf {
        self.directory.join(format!("{version}.lock"))
    }
}

/// Makes an engine in a directory that nobody else uses.
async fn make(
    begun: &Path,
    version: EngineVersion,
    archive: Option<&str>,
) -> Result<Manifest, InstallError> {
    let (scratch, root) = (begun.join("apt"), begun.join("root"));
    // How apt fetches may name a proxy's password.
    create_private_directory(&scratch).map_err(refused(&scratch))?;
    fs::create_dir(&root).map_err(refused(&root))?;
    let packages = |source| InstallError::Packages { version, source };
    let apt = Apt::open(scratch.clone(), archive, version.suites()).await.map_err(packages)?;
    let (package, fetched_bytes) = fetch(&apt, &root, version).await.map_err(packages)?;
    remove(&scratch).map_err(refused(&scratch))?;
    let bytes = size(&root).map_err(refused(&root))?;
    let manifest = Manifest { version: version.to_string(), package, fetched_bytes, bytes };
    let path = begun.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest).expect("texts and numbers are JSON");
    fs::write(&path, text).map_err(refused(&path))?;
    Ok(manifest)
}

/// Fetches and unpacks; the package's version, and how many bytes were fetched.
async fn fetch(apt: &Apt, root: &Path, version: EngineVersion) -> Result<(String, u64), AptError> {
    let package = apt.version(DOCKER, |full| version.covers(full)).await?;
    let docker = format!("{DOCKER}={package}");
    let archives = apt.fetch(&[[docker.as_str()].as_slice(), &BESIDE].concat()).await?;
    let mut fetched = 0;
    for archive in archives {
        let what = "reading the fetched packages";
        fetched += fs::metadata(&archive).map_err(|source| AptError::Io { what, source })?.len();
        apt.unpack(&archive, root).await?;
    }
    Ok((package, fetched))
}

/// Bytes of all files below a directory.
fn size(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                pending.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes)
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

fn locked(version: EngineVersion, path: &Path, error: TryLockError) -> InstallError {
    match error {
        TryLockError::WouldBlock => InstallError::InUse { version },
        TryLockError::Error(source) => InstallError::Io { path: path.to_owned(), source },
    }
}

/// Removes a directory with all below it; one that is not there is what is wanted.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |source| InstallError::Io { path, source }
}
