//! The pair of SSH keys of the VMs' user: what state it is in, and how a scenario spoils it.

use std::path::Path;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use racetrap_history::{KeysOp, SshKeys};
use sha2::{Digest as _, Sha256};

use crate::sys::{file_facts, remove_if_exists, set_owner_and_mode};

/// What a private key of OpenSSH begins with, once it is decoded.
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The state of the pair in a directory. Records no part of the private key.
pub(super) fn look(directory: &Path) -> SshKeys {
    let broken = |why: &str| SshKeys::Broken(why.to_owned());
    let private = match fs::read_to_string(directory.join("user")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return SshKeys::None,
        Err(_) => return broken("the private key cannot be read"),
    };
    let Some(inner) = public_part(&private) else {
        return broken("the private key is not whole");
    };
    let public = fs::read_to_string(directory.join("user.pub")).unwrap_or_default();
    let data = public.split_ascii_whitespace().nth(1).and_then(|data| BASE64.decode(data).ok());
    match data {
        None => return broken("there is no public key"),
        Some(data) if data != inner => return broken("the public key is another one's"),
        Some(_) => {}
    }
    let mode = file_facts(&directory.join("user")).map_or(0, |facts| facts.mode);
    if mode & 0o077 != 0 {
        return broken("others can read the private key");
    }
    SshKeys::Whole(Sha256::digest(inner).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The public key within a private one of OpenSSH, if the private one is whole.
fn public_part(private: &str) -> Option<Vec<u8>> {
    let body = private.trim().strip_prefix("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let body = body.strip_suffix("-----END OPENSSH PRIVATE KEY-----")?;
    let bytes = BASE64.decode(body.split_ascii_whitespace().collect::<String>()).ok()?;
    let mut rest = bytes.strip_prefix(MAGIC)?;
    // Cipher, key derivation and its options; then the number of keys, the public and the private one.
    for _ in 0..3 {
        take(&mut rest)?;
    }
    rest = rest.get(4..)?;
    let public = take(&mut rest)?.to_vec();
    take(&mut rest)?;
    rest.is_empty().then_some(public)
}

/// Takes a string from the front: its length in four bytes, and its bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (string, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = behind;
    Some(string)
}

/// Puts the pair into a state.
pub(super) fn spoil(directory: &Path, op: KeysOp) -> io::Result<()> {
    let (private, public) = (directory.join("user"), directory.join("user.pub"));
    match op {
        KeysOp::Remove => remove_if_exists(&private).and_then(|()| remove_if_exists(&public)),
        KeysOp::RemovePrivate => remove_if_exists(&private),
        KeysOp::RemovePublic => remove_if_exists(&public),
        KeysOp::EmptyPrivate => fs::write(private, ""),
        KeysOp::EmptyPublic => fs::write(public, ""),
        KeysOp::TruncatePrivate => {
            let text = fs::read(&private)?;
            fs::write(private, &text[..text.len() / 2])
        }
        KeysOp::OpenPrivate => set_owner_and_mode(&private, None, Some(0o644)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // A whole pair is made of strings as OpenSSH makes it; the "private part" is any string.
    fn pair(directory: &Path) {
        let string =
            |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
        let public = string(b"ssh-ed25519");
        let blob = [
            MAGIC.to_vec(),
            string(b"none"),
            string(b"none"),
            string(b""),
            vec![0, 0, 0, 1],
            string(&public),
            string(b"the private part"),
        ]
        .concat();
        let text = format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            BASE64.encode(blob)
        );
        fs::write(directory.join("user"), text).unwrap();
        set_owner_and_mode(&directory.join("user"), None, Some(0o600)).unwrap();
        let text = format!("ssh-ed25519 {} lima\n", BASE64.encode(public));
        fs::write(directory.join("user.pub"), text).unwrap();
    }

    #[rstest]
    #[case(KeysOp::Remove, "no SSH keys")]
    #[case(KeysOp::RemovePrivate, "no SSH keys")]
    #[case(KeysOp::RemovePublic, "broken SSH keys: there is no public key")]
    #[case(KeysOp::EmptyPublic, "broken SSH keys: there is no public key")]
    #[case(KeysOp::EmptyPrivate, "broken SSH keys: the private key is not whole")]
    #[case(KeysOp::TruncatePrivate, "broken SSH keys: the private key is not whole")]
    #[case(KeysOp::OpenPrivate, "broken SSH keys: others can read the private key")]
    fn each_spoilt_pair_is_recognised(#[case] op: KeysOp, #[case] expected: &str) {
        let directory = tempfile::tempdir().unwrap();
        pair(directory.path());
        assert!(matches!(look(directory.path()), SshKeys::Whole(_)));
        spoil(directory.path(), op).unwrap();
        assert_eq!(look(directory.path()).to_string(), expected);
    }

    #[test]
    fn a_foreign_public_key_makes_no_pair() {
        let directory = tempfile::tempdir().unwrap();
        pair(directory.path());
        fs::write(directory.path().join("user.pub"), "ssh-ed25519 AAAA x").unwrap();
        let state = look(directory.path()).to_string();
        assert_eq!(state, "broken SSH keys: the public key is another one's");
    }
}
