//! Secrets that are planted in every world, one of each kind that a world has. Whatever leaves a run is
//! searched for them, so that masking that fails is seen in any run, and not by whoever reads its bundle.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use regex::bytes::Regex;
use serde_json::json;

/// What all of them have in them, and nothing else has. No pattern takes it for a secret by itself.
const STEM: &str = "RtCanary7Qx2";

/// The variable of every process of a world.
pub(crate) const VARIABLE: &str = "RACETRAP_CANARY";

/// The variable whose value the program in our images says, when it sleeps.
const SAYS: &str = "PROBE_SAYS";

/// How much of a file is searched at once, in bytes.
const PART: usize = 1 << 20;

/// Plain, and in base64 wherever it stands among what is encoded with it.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    let encoded = (0..3).map(|before| {
        let text = "-".repeat(before) + STEM;
        // Six bits a letter: those at either end have bits of what stands there.
        let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        regex::escape(&STANDARD_NO_PAD.encode(text)[first..end])
    });
    let forms: Vec<_> = encoded.chain([STEM.to_owned()]).collect();
    Regex::new(&forms.join("|")).expect("the forms are letters and digits")
});

/// The secret of a kind.
pub(crate) fn secret(kind: &str) -> String {
    format!("{STEM}{kind}")
}

/// The environment of a container; one that sleeps says another secret, as programs say tokens in their logs.
pub(crate) fn of_container(sleeps: bool) -> Vec<String> {
    let variable = format!("{VARIABLE}={}", secret("Container"));
    let says = sleeps.then(|| format!("{SAYS}=the token={} was refused", secret("Said")));
    std::iter::once(variable).chain(says).collect()
}

/// Logins in a home: to a cluster, and to a registry, unless its configuration is somebody's in this world.
/// What is there already stays.
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

/// Headers of requests in a log, as servers write them that are told to write everything.
pub(crate) fn plant_headers(log: &Path) -> io::Result<()> {
    let login = json!({ "username": "canary", "password": secret("Registry") });
    let mut log = File::options().create(true).append(true).open(log)?;
    writeln!(log, "canary: Authorization: Bearer {}", secret("Bearer"))?;
    writeln!(log, "canary: X-Registry-Auth: {}", STANDARD.encode(login.to_string()))
}

/// Whether any of them is in a text.
pub(crate) fn is_in(text: &[u8]) -> bool {
    FORMS.is_match(text)
}

/// The files below a directory in which any of them is, in the order of their paths.
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
        // One may begin in this part and end in the next; no form is longer than this.
        part.drain(..part.len().saturating_sub(2 * STEM.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // In base64 behind none to five other bytes, so that each of the three ways in which it can stand comes twice.
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

    // At every place around the end of the first part.
    #[test]
    fn a_planted_secret_is_found_wherever_it_stands_in_a_file() {
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
    fn what_is_in_a_home_already_stays() {
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
