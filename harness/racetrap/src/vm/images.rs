//! Images of guests in the user's cache, each in a directory that is named after the version of its
//! engine and the hash of its recipe.
//!
//! A directory with such a name is complete: it is made under another name and renamed when it is
//! complete. A run holds a shared lock on the image that it uses; a build and a removal hold an
//! exclusive one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::build::{make, recipe_hash};
use super::error::VmError;
use super::version::GuestVersion;
use crate::cache;
use crate::sys::{disk_bytes, remove_if_exists};

/// Name of the file that describes an image.
const MANIFEST: &str = "image.json";

/// How many runs with guests may go on at once on this machine. More of them only share its
/// processors, because software emulates each guest's.
const TURNS: usize = 2;

/// The description of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageManifest {
    /// Versions of the guest's packages and of its kernel, one a line.
    pub(crate) packages: String,
    /// How long the build took, in seconds.
    pub(crate) build_seconds: u64,
}

/// An image in a list.
#[derive(Clone, Debug)]
pub(crate) struct ListedImage {
    pub(crate) version: GuestVersion,
    pub(crate) directory: PathBuf,
    /// Whether the present recipe has made it.
    pub(crate) is_current: bool,
    /// The full versions of engine and kernel.
    pub(crate) contents: String,
    /// The space that it takes with its templates, in bytes.
    pub(crate) bytes: u64,
}

/// An image that cannot be removed as long as this value lives.
#[derive(Debug)]
pub(crate) struct Image {
    directory: PathBuf,
    _lock: File,
}

impl Image {
    /// The directory of its files.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its read-only disk.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("disk.ext4")
    }

    /// The key by which its user logs in.
    pub(crate) fn key(&self) -> PathBuf {
        self.directory.join("id_ed25519")
    }

    /// The key of the guest, under the name `guest`.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.directory.join("known_hosts")
    }
}

/// The images of one user.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    directory: PathBuf,
}

impl Images {
    /// The images in this user's cache directory.
    pub(crate) fn in_user_cache() -> Result<Self, VmError> {
        let cache = cache::directory().ok_or(VmError::NoCache)?;
        Ok(Self { directory: cache.join("racetrap/vm") })
    }

    /// The directory of the image that the present recipe makes, built or not.
    pub(crate) fn directory_of(&self, version: GuestVersion) -> PathBuf {
        self.directory.join(format!("{version}-{}", recipe_hash(version)))
    }

    /// Whether the image of the present recipe is built.
    pub(crate) fn is_built(&self, version: GuestVersion) -> bool {
        self.directory_of(version).join(MANIFEST).is_file()
    }

    /// Builds an image, unless it is built already. Calls `progress` with what is being done. If
    /// another process builds the same image, this waits for it.
    ///
    /// # Errors
    /// If a program is missing, a step of the recipe fails, or a file cannot be written.
    pub(crate) async fn build(
        &self,
        version: GuestVersion,
        archive: Option<&str>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(), VmError> {
        let directory = self.directory_of(version);
        fs::create_dir_all(&self.directory).map_err(refused(&self.directory))?;
        let lock = self.lock(version)?;
        lock.lock().map_err(refused(&directory))?;
        if self.is_built(version) {
            return Ok(());
        }
        let began = std::time::Instant::now();
        // A build that was killed may have left a part of an image there.
        let begun = directory.with_extension("begun");
        remove_if_exists(&begun).map_err(refused(&begun))?;
        fs::create_dir(&begun).map_err(refused(&begun))?;
        let made = make(&begun, version, archive, progress).await;
        if made.is_err() {
            // The error of the build is returned; one of the cleaning up is not.
            let _ = remove_if_exists(&begun);
        }
        made?;
        let list = begun.join("manifest");
        let packages = fs::read_to_string(&list).map_err(refused(&list))?;
        let manifest = ImageManifest { packages, build_seconds: began.elapsed().as_secs() };
        let path = begun.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&manifest).expect("texts and numbers are JSON");
        fs::write(&path, text).map_err(refused(&path))?;
        fs::rename(&begun, &directory).map_err(refused(&directory))
    }

    /// Removes all images of a version that no run uses, with their templates. Returns how many
    /// bytes that has freed.
    pub(crate) fn remove(&self, version: GuestVersion) -> Result<u64, VmError> {
        let lock = self.lock(version)?;
        lock.try_lock().map_err(|error| locked(version, &self.directory, error))?;
        let images: Vec<_> = self.list()?.into_iter().filter(|it| it.version == version).collect();
        if images.is_empty() {
            return Err(VmError::NotBuilt { version });
        }
        let mut freed = 0;
        for ListedImage { directory, bytes, .. } in images {
            // Renamed first: if the removal is killed, a part of an image must not look like one.
            let begun = directory.with_extension("begun");
            remove_if_exists(&begun).map_err(refused(&begun))?;
            fs::rename(&directory, &begun).map_err(refused(&directory))?;
            remove_if_exists(&begun).map_err(refused(&begun))?;
            freed += bytes;
        }
        Ok(freed)
    }

    /// All images, in the order of their versions.
    pub(crate) fn list(&self) -> Result<Vec<ListedImage>, VmError> {
        let mut found = Vec::new();
        for version in GuestVersion::ALL {
            let prefix = format!("{version}-");
            let current = self.directory_of(version);
            for directory in directories(&self.directory).map_err(refused(&self.directory))? {
                let name = directory.file_name().unwrap_or_default().to_string_lossy();
                let Ok(text) = fs::read(directory.join(MANIFEST)) else { continue };
                if !name.starts_with(&prefix) || name.ends_with(".begun") {
                    continue;
                }
                let manifest: Option<ImageManifest> = serde_json::from_slice(&text).ok();
                let contents = manifest.map(|it| contents(&it.packages)).unwrap_or_default();
                let bytes = disk_bytes(&directory).map_err(refused(&directory))?;
                let is_current = directory == current;
                found.push(ListedImage { version, directory, is_current, contents, bytes });
            }
        }
        Ok(found)
    }

    /// Takes a shared lock on the image of the present recipe, so that it stays.
    pub(crate) fn acquire(&self, version: GuestVersion) -> Result<Image, VmError> {
        let missing = VmError::NotBuilt { version };
        if !self.is_built(version) {
            return Err(missing);
        }
        let lock = self.lock(version)?;
        lock.try_lock_shared().map_err(|error| locked(version, &self.directory, error))?;
        // The image may have been removed between the check above and the lock.
        if !self.is_built(version) {
            return Err(missing);
        }
        Ok(Image { directory: self.directory_of(version), _lock: lock })
    }

    /// Takes one of the machine's turns to run guests, if one is free. The kernel gives it back when
    /// the file is closed.
    pub(crate) fn try_turn(&self) -> io::Result<Option<File>> {
        fs::create_dir_all(&self.directory)?;
        for number in 0..TURNS {
            let turn = open_lock(&self.directory.join(format!("turn-{number}.lock")))?;
            match turn.try_lock() {
                Ok(()) => return Ok(Some(turn)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn lock(&self, version: GuestVersion) -> Result<File, VmError> {
        let path = self.directory.join(format!("{version}.lock"));
        open_lock(&path).map_err(refused(&path))
    }
}

/// The versions of engine and kernel in a list of packages.
fn contents(packages: &str) -> String {
    let version = |name: &str| packages.lines().find_map(|line| line.strip_prefix(name));
    let engine = version("docker.io ").unwrap_or("unknown");
    format!("docker.io {engine}, linux {}", version("linux ").unwrap_or("unknown"))
}

fn directories(place: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(place) {
        // Nothing was built yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

fn locked(version: GuestVersion, path: &Path, error: TryLockError) -> VmError {
    match error {
        TryLockError::WouldBlock => VmError::InUse { version },
        TryLockError::Error(source) => VmError::Io { path: path.to_owned(), source },
    }
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> VmError {
    let path = path.to_owned();
    move |source| VmError::Io { path, source }
}
