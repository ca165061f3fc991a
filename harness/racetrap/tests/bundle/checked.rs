//! Reads a bundle and checks it: its files against the entries of its manifest, and its archive
//! against its files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use racetrap::bundle::{Manifest, State, Trigger};

use crate::place::{Place, canary_in, wait_until};

/// A bundle whose files are exactly those that its manifest names.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) manifest: Manifest,
    /// Contents by path, without the manifest.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Reads and checks the bundle of the only run in a place, and its archive.
    #[track_caller]
    pub(crate) fn load(place: &Place) -> Self {
        let directory = place.evidence().expect("evidence");
        let bundle = Self::in_directory(&directory);
        let archive = directory.with_extension("tar.zst");
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned() + "/";
        let mut packed = unpacked(&archive, &name);
        let manifest = packed.remove("manifest.json").expect("the manifest is packed");
        assert_eq!(serde_json::from_slice::<Manifest>(&manifest).unwrap(), bundle.manifest);
        assert_eq!(packed.keys().collect::<Vec<_>>(), bundle.files.keys().collect::<Vec<_>>());
        assert!(packed == bundle.files, "the archive has other bytes than the directory");
        bundle.has_no_secret();
        bundle
    }

    /// Waits for the bundle that a watcher makes, and checks it. The watcher writes the archive
    /// last.
    #[track_caller]
    pub(crate) fn made_by_watcher(place: &Place) -> Self {
        wait_until("the watcher's archive", || {
            let archive = place.evidence().map(|directory| directory.with_extension("tar.zst"));
            let left = place.leftovers().join("\n");
            if left.is_empty() && archive.is_some_and(|it| it.is_file()) {
                Ok(())
            } else {
                Err(left)
            }
        });
        Self::load(place)
    }

    /// Checks that the bundle contains no planted secret, and that no file was removed because of
    /// one.
    #[track_caller]
    fn has_no_secret(&self) {
        let manifest = ("manifest.json".to_owned(), serde_json::to_vec(&self.manifest).unwrap());
        let files = self.files.iter().chain([(&manifest.0, &manifest.1)]);
        let found: Vec<_> =
            files.filter_map(|(path, text)| Some((path, canary_in(text)?))).collect();
        assert_eq!(found, [], "masking has failed");
        let left_out = |why: &String| why.contains("planted secret");
        let mut whys = self.manifest.entries.iter().filter_map(|entry| entry.why.as_ref());
        assert!(!whys.any(left_out), "masking has failed: {:#?}", self.manifest.entries);
    }

    /// Checks that a secret of each kind was planted in a world with a sleeping container, by
    /// looking for its mask. The login to a registry is not checked: some scenarios have a Docker
    /// configuration of their own.
    #[track_caller]
    pub(crate) fn has_masks(&self) {
        for (file, mask) in [
            ("world/processes.json", r#""RACETRAP_CANARY=masked-"#),
            ("world/engine/container-inspect.json", r#""RACETRAP_CANARY=masked-"#),
            ("world/engine/logs/*.log", "the token=masked-"),
            ("world/home/.kube/config", "token: masked-"),
            ("world/home/.kube/config", "client-key-data: masked-"),
            ("engine.log", "canary: Authorization: Bearer masked-"),
            ("engine.log", "canary: X-Registry-Auth: masked-"),
        ] {
            assert!(self.text(file).contains(mask), "{file}: {}", self.text(file));
        }
    }

    /// Reads and checks a bundle without its archive.
    #[track_caller]
    pub(crate) fn in_directory(directory: &Path) -> Self {
        let text = fs::read(directory.join("manifest.json")).expect("a manifest");
        let manifest: Manifest = serde_json::from_slice(&text).unwrap();
        assert_eq!(manifest.version, racetrap::bundle::FORMAT);
        let mut files = BTreeMap::new();
        read(directory, "", &mut files);
        files.remove("manifest.json");
        let mut named = BTreeMap::new();
        for entry in &manifest.entries {
            assert_eq!(entry.why.is_some(), is_incomplete(entry.state), "{entry:?}");
            assert_eq!(entry.state == State::Masked, is_masked(entry), "{entry:?}");
            if entry.state != State::Missing {
                let path = entry.path.clone().expect("what is there has a path");
                assert_eq!(named.insert(path, entry.bytes), None, "named twice: {entry:?}");
            }
        }
        let lengths: BTreeMap<_, _> =
            files.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect();
        assert_eq!(lengths, named, "the files of a bundle are those that its manifest names");
        Self { manifest, files }
    }

    /// The text of a file whose path fits.
    #[track_caller]
    pub(crate) fn text(&self, glob: &str) -> String {
        let fits = globset::Glob::new(glob).unwrap().compile_matcher();
        let found = self.files.iter().find(|(path, _)| fits.is_match(path));
        let (_, bytes) = found.unwrap_or_else(|| panic!("no {glob}: {:#?}", self.manifest.entries));
        String::from_utf8(bytes.clone()).unwrap()
    }

    /// The reasons of all missing files of a collector.
    pub(crate) fn missing(&self, collector: &str) -> Vec<String> {
        let entries = self.manifest.entries.iter();
        let of_it = entries.filter(|it| it.name == collector && it.state == State::Missing);
        of_it.filter_map(|entry| entry.why.clone()).collect()
    }

    /// Checks for the files that every capture has while daemon and engine still run.
    #[track_caller]
    pub(crate) fn has_all(&self, trigger: Trigger) {
        assert_eq!(self.manifest.trigger, trigger, "{}", self.manifest.reason);
        assert!(self.manifest.deadline > 0.0);
        assert!(self.text("world/processes.txt").contains("service serve"), "the daemon lives");
        assert!(
            self.text("world/engine/info.json").contains("ServerVersion"),
            "the engine answers"
        );
        assert!(self.text("world/api/objects/apps.*.yaml").contains("kind: App"));
        assert!(self.text("world/stacks/rdd-reference-*.txt").contains("[controller app]"));
        assert!(self.text("world/stacks/dockerd-*.txt").contains("goroutine"));
        assert!(self.text("verdict.json").contains("\"verdict\""));
        assert!(self.text("journal.jsonl").contains("\"what\":\"run\""));
    }
}

/// Whether an entry in this state must have a reason.
fn is_incomplete(state: State) -> bool {
    matches!(state, State::Missing | State::Truncated)
}

fn is_masked(entry: &racetrap::bundle::Entry) -> bool {
    !entry.masked.is_empty() && entry.state != State::Truncated
}

fn read(directory: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = format!("{name}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            assert!(!name.ends_with(".partial"), "{name} is left over");
            read(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// The files of an archive by path, without the name of the top directory.
fn unpacked(archive: &Path, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let file = fs::File::open(archive).expect("an archive");
    let mut tar = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files = BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(path.strip_prefix(prefix).unwrap().to_owned(), bytes);
        }
    }
    files
}
