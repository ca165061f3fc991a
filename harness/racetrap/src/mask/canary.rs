//! Secrets that are planted in every world, one of each kind that a world has. Everything that
//! leaves a run is searched for them, so that a failure of the masking is noticed in every run,
//! before anybody reads the bundle.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use regex::bytes::Regex;
use serde_json::json;

/// The text that every planted secret contains and nothing else does. No masking pattern matches it
/// by itself.
const STEM: &str = "RtCanary7Qx2";

/// The variable that holds a planted secret in the environment of every process of a world.
pub(crate) const VARIABLE: &str = "RACETRAP_CANARY";

/// The variable whose value the program in our images prints when it sleeps.
const SAYS: &str = "PROBE_SAYS";

/// How much of a file is in memory at once while it is searched, in bytes.
const PART: usize = 1 << 20;

/// Matches [`STEM`] as it is and inside any base64.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    // Three bytes become four letters, so the base64 of the stem depends on the number of bytes
    // before it, modulo 3.
    let encoded = (0..3).map(|before| {
        let text = "-".repeat(before) + STEM;
        // A letter has six bits. The first and the last letter may contain bits of the neighbouring
        // bytes, so only the letters in between are compared.
        let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        regex::escape(&STANDARD_NO_PAD.encode(text)[first..end])
    });
    let forms: Vec<_> = encoded.chain([STEM.to_owned()]).collect();
    Regex::new(&forms.join("|")).expect("the forms are letters and digits")
});

/// The planted secret of a kind.
pub(crate) fn secret(kind: &str) -> String {
    format!("{STEM}{kind}")
}

/// Variables for a container. A container that sleeps prints a second secret to its log, as real
/// programs print tokens.
pub(crate) fn container_variables(sleeps: bool) -> Vec<String> {
    let variable = format!("{VARIABLE}={}", secret("Container"));
    let prints = sleeps.then(|| format!("{SAYS}=the token={} was refused", secret("Said")));
    std::iter::once(variable).chain(prints).collect()
}

/// Plants a login to a cluster in a home and, with `registry`, a login to a registry. A caller
/// whose scenario is about Docker's configuration leaves that one out. Existing files stay as they
/// are.
pub(crate) fn plant_logins(home: &Path, registry: bool) -> io::Result<()> {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "canary", "cluster": { "server": "https://canary.invalid" } }],
        "contexts": [],
        "users": [
            { "name": "token", "user": { "token": secret("Token") } },
            { "name": "key", "user": { "client-key-data": STANDARD.encode(secret("Key")) } },
        ],
    });
    plant(&home.join(".kube/config"), &kubeconfig)?;
    if !registry {
        return Ok(());
    }
    let login = STANDARD.encode(format!("canary:{}", secret("Login")));
    let config = json!({ "auths": { "canary.invalid": { "auth": login } } });
    plant(&home.join(".docker/config.json"), &config)
}

fn plant(path: &Path, document: &serde_json::Value) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, format!("{document:#}\n"))
}

/// Plants headers in a log, in the form in which a server logs requests at its most verbose level.
pub(crate) fn plant_headers(log: &Path) -> io::Result<()> {
    // As Docker encodes the credentials for a registry.
    let login = json!({ "username": "canary", "password": secret("Registry") });
    let mut log = File::options().create(true).append(true).open(log)?;
    writeln!(log, "canary: Authorization: Bearer {}", secret("Bearer"))?;
    writeln!(log, "canary: X-Registry-Auth: {}", STANDARD.encode(login.to_string()))
}

/// Whether a text contains a planted secret.
pub(crate) fn is_in(text: &[u8]) -> bool {
    FORMS.is_match(text)
}

/// The files below a directory that contain a planted secret, sorted by path.
pub(crate) fn files_with(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            found.extend(files_with(&path)?);
        } else if kind.is_file() && is_in_file(&path)? {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_in_file(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut part = Vec::with_capacity(PART + 2 * STEM.len());
    loop {
        let read = (&mut file).take(PART as u64).read_to_end(&mut part)?;
        if is_in(&part) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        // A secret may begin in this part and end in the next one. No form of it is longer than
        // what stays here.
        part.drain(..part.len().saturating_sub(2 * STEM.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // In base64 after zero to five other bytes, so that each of the three alignments is tested
    // twice.
    #[test]
    fn a_planted_secret_is_found_plain_and_encoded() {
        assert!(is_in(secret("X").as_bytes()) && !is_in(b"RtCanary7Q") && !is_in(b""));
        for before in 0..6 {
            let text = ["a".repeat(before), secret("X")].concat();
            assert!(is_in(STANDARD.encode(&text).as_bytes()), "behind {before} bytes");
            let other = ["a".repeat(before), "RtCanary8Qx2X".to_owned()].concat();
            assert!(!is_in(STANDARD.encode(other).as_bytes()), "behind {before} bytes");
        }
    }

    // At every position around the end of the first part.
    #[test]
    fn a_planted_secret_is_found_at_every_position_in_a_file() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("below/log");
        fs::create_dir(place.path().join("below")).expect("a new directory");
        for before in PART - STEM.len() - 1..=PART + 1 {
            fs::write(&path, ["x".repeat(before), secret("X")].concat()).expect("a new file");
            let found = files_with(place.path()).expect("it can be read");
            assert_eq!(found, std::slice::from_ref(&path));
        }
        fs::write(&path, "x".repeat(2 * PART)).expect("a new file");
        assert!(files_with(place.path()).expect("it can be read").is_empty());
    }

    #[test]
    fn existing_files_in_a_home_stay_as_they_are() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let config = home.path().join(".docker/config.json");
        plant_logins(home.path(), false).expect("room");
        assert!(!config.exists() && home.path().join(".kube/config").is_file());
        fs::create_dir(home.path().join(".docker")).expect("a new directory");
        fs::write(&config, "mine").expect("a new file");
        plant_logins(home.path(), true).expect("room");
        assert_eq!(fs::read(&config).expect("it is there"), b"mine");
    }
}
