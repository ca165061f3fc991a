//! Engines of other versions, each a directory of unpacked Debian packages in the user's cache.
//!
//! A directory with the name of a version is complete: it is made under another name and renamed
//! when it is complete. A run holds a shared lock on the engine that it uses; an install and a
//! removal hold an exclusive one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::choice::EngineVersion;
use crate::apt::{Apt, AptError};
use crate::cache;
use crate::process::called;
use crate::sys::{create_private_directory, remove_if_exists};

/// The package that contains dockerd.
const DOCKER: &str = "docker.io";

/// Packages that an engine needs besides: the first has the links by which programs find their
/// loader, the second has `sleep`, which holds an engine's namespace.
const FURTHER_PACKAGES: [&str; 2] = ["base-files", "coreutils"];

/// Name of the file that describes an installed engine.
const MANIFEST: &str = "engine.json";

/// An engine could not be installed, removed or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// No variable names a cache directory.
    #[error("there is no cache directory: neither XDG_CACHE_HOME nor HOME names one")]
    NoCache,
    /// The engine is not installed.
    #[error("the engine {version} is not installed; run `{} engine install {version}`", called())]
    NotInstalled {
        /// Which.
        version: EngineVersion,
    },
    /// A run uses the engine, or another install changes it.
    #[error("the engine {version} is in use: by a run, or by another install")]
    InUse {
        /// Which.
        version: EngineVersion,
    },
    /// The engine's packages could not be fetched.
    #[error("the engine {version} could not be fetched")]
    Packages {
        /// Which.
        version: EngineVersion,
        /// Why not.
        #[source]
        source: AptError,
    },
    /// A file could not be read, written, locked or removed.
    #[error("{path} could not be used")]
    Io {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// The description of an installed engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EngineManifest {
    /// Its version, such as `26.1`.
    pub(crate) version: String,
    /// The full version of its package.
    pub(crate) package: String,
    /// Size of the fetched packages, in bytes.
    pub(crate) fetched_bytes: u64,
    /// Size of its files, in bytes.
    pub(crate) bytes: u64,
}

/// An engine that cannot be removed as long as this value lives.
#[derive(Debug)]
pub(crate) struct Installed {
    root: PathBuf,
    package: String,
    image_lock: PathBuf,
    _lock: File,
}

impl Installed {
    /// The directory of its files.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory with its programs and libraries, which replaces the machine's `/usr`.
    pub(crate) fn usr(&self) -> PathBuf {
        self.root.join("usr")
    }

    /// The full version of its package.
    pub(crate) fn package(&self) -> &str {
        &self.package
    }

    /// Takes the exclusive lock on the image that is made of this engine. It is released when the
    /// file is dropped.
    pub(crate) async fn lock_image(&self) -> io::Result<File> {
        let path = self.image_lock.clone();
        // In a thread of its own: another process may hold the lock for as long as an image takes.
        let locking = tokio::task::spawn_blocking(move || {
            let lock = open_lock(&path)?;
            lock.lock()?;
            Ok(lock)
        });
        locking.await.map_err(io::Error::other)?
    }
}

/// The engines of one user.
#[derive(Clone, Debug)]
pub(crate) struct Engines {
    directory: PathBuf,
}

impl Engines {
    /// The engines in this user's cache directory (XDG base directory specification).
    pub(crate) fn in_user_cache() -> Result<Self, InstallError> {
        let cache = cache::directory().ok_or(InstallError::NoCache)?;
        Ok(Self::below(&cache))
    }

    fn below(cache: &Path) -> Self {
        Self { directory: cache.join("racetrap/engines") }
    }

    /// The directory of an engine, installed or not.
    pub(crate) fn directory_of(&self, version: EngineVersion) -> PathBuf {
        self.directory.join(version.name())
    }

    /// The description of an engine, or `None` if it is not installed.
    pub(crate) fn manifest(
        &self,
        version: EngineVersion,
    ) -> Result<Option<EngineManifest>, InstallError> {
        let path = self.directory_of(version).join(MANIFEST);
        let read = || -> io::Result<Option<EngineManifest>> {
            match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                other => Ok(Some(serde_json::from_slice(&other?)?)),
            }
        };
        read().map_err(refused(&path))
    }

    /// Installs an engine, unless it is installed already. Returns its description.
    ///
    /// The packages come from `archive`, a URL of a Debian archive, or from the archive that the
    /// machine's apt uses. If another process installs the same engine, this waits for it.
    pub(crate) async fn install(
        &self,
        version: EngineVersion,
        archive: Option<&str>,
    ) -> Result<EngineManifest, InstallError> {
        if let Some(manifest) = self.manifest(version)? {
            return Ok(manifest);
        }
        fs::create_dir_all(&self.directory).map_err(refused(&self.directory))?;
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.lock().map_err(refused(&path))?;
        // Another install may have ended while this one waited for the lock.
        if let Some(manifest) = self.manifest(version)? {
            return Ok(manifest);
        }
        // An install that was killed may have left a part of an engine there.
        let begun = self.begun_path(version);
        remove_if_exists(&begun).map_err(refused(&begun))?;
        fs::create_dir(&begun).map_err(refused(&begun))?;
        let made = make(&begun, version, archive).await;
        if made.is_err() {
            // The error of the install is returned; one of the cleaning up is not.
            let _ = remove_if_exists(&begun);
        }
        let manifest = made?;
        let directory = self.directory_of(version);
        fs::rename(&begun, &directory).map_err(refused(&directory))?;
        Ok(manifest)
    }

    /// Removes an engine that no run uses. Returns its description.
    pub(crate) fn remove(&self, version: EngineVersion) -> Result<EngineManifest, InstallError> {
        let manifest = self.manifest(version)?.ok_or(InstallError::NotInstalled { version })?;
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.try_lock().map_err(|error| locked(version, &path, error))?;
        // Renamed first: if the removal is killed, a part of an engine must not look like an
        // engine.
        let begun = self.begun_path(version);
        remove_if_exists(&begun).map_err(refused(&begun))?;
        let directory = self.directory_of(version);
        fs::rename(&directory, &begun).map_err(refused(&directory))?;
        remove_if_exists(&begun).map_err(refused(&begun))?;
        Ok(manifest)
    }

    /// Takes a shared lock on an engine, so that it stays installed.
    pub(crate) fn acquire(&self, version: EngineVersion) -> Result<Installed, InstallError> {
        let missing = InstallError::NotInstalled { version };
        if self.manifest(version)?.is_none() {
            return Err(missing);
        }
        let path = self.lock_path(version);
        let lock = open_lock(&path).map_err(refused(&path))?;
        lock.try_lock_shared().map_err(|error| locked(version, &path, error))?;
        // The engine may have been removed between the check above and the lock.
        let EngineManifest { package, .. } = self.manifest(version)?.ok_or(missing)?;
        let image_lock = self.directory.join(format!("{version}.image.lock"));
        Ok(Installed {
            root: self.directory_of(version).join("root"),
            package,
            image_lock,
            _lock: lock,
        })
    }

    /// Where an engine is while it is made or removed.
    fn begun_path(&self, version: EngineVersion) -> PathBuf {
        self.directory.join(format!("{version}.begun"))
    }

    fn lock_path(&self, version: EngineVersion) -> PathBuf {
        self.directory.join(format!("{version}.lock"))
    }
}

/// Makes an engine in the directory `begun`, which no other process uses.
async fn make(
    begun: &Path,
    version: EngineVersion,
    archive: Option<&str>,
) -> Result<EngineManifest, InstallError> {
    let (scratch, root) = (begun.join("apt"), begun.join("root"));
    // Private, because apt's configuration may contain the password of a proxy.
    create_private_directory(&scratch).map_err(refused(&scratch))?;
    fs::create_dir(&root).map_err(refused(&root))?;
    let packages = |source| InstallError::Packages { version, source };
    let apt = Apt::open(scratch.clone(), archive, version.suites()).await.map_err(packages)?;
    let (package, fetched_bytes) = fetch(&apt, &root, version).await.map_err(packages)?;
    remove_if_exists(&scratch).map_err(refused(&scratch))?;
    let bytes = size(&root).map_err(refused(&root))?;
    let manifest = EngineManifest { version: version.to_string(), package, fetched_bytes, bytes };
    let path = begun.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest).expect("texts and numbers are JSON");
    fs::write(&path, text).map_err(refused(&path))?;
    Ok(manifest)
}

/// Fetches the packages and unpacks them to `root`. Returns the version of the package of Docker,
/// and how many bytes were fetched.
async fn fetch(apt: &Apt, root: &Path, version: EngineVersion) -> Result<(String, u64), AptError> {
    let package = apt.version(DOCKER, |full| version.covers(full)).await?;
    let docker = format!("{DOCKER}={package}");
    let archives = apt.fetch(&[[docker.as_str()].as_slice(), &FURTHER_PACKAGES].concat()).await?;
    let mut fetched = 0;
    for archive in archives {
        let what = "reading the fetched packages";
        fetched += fs::metadata(&archive).map_err(|source| AptError::Io { what, source })?.len();
        apt.unpack(&archive, root).await?;
    }
    Ok((package, fetched))
}

/// The size of all files below a directory, in bytes.
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

fn refused(path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |source| InstallError::Io { path, source }
}
