//! The files of an archive, in memory: nothing of it is written anywhere, so that no path can lead there.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::limits::{Limits, WINDOW_LOG};
use super::opened::{Refusal, Taken};

/// Files by their paths below the one directory of the archive.
pub(super) fn unpack(
    archive: impl Read,
    limits: &Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let mut decoder = zstd::Decoder::new(archive).map_err(Refusal::Damaged)?;
    decoder.window_log_max(WINDOW_LOG).map_err(Refusal::Damaged)?;
    let mut tar = tar::Archive::new(Bounded { inner: decoder, left: limits.all_bytes });
    let mut taken = Taken::new(limits);
    let mut top = None;
    let mut long_name = None;
    // As they are: the library would read names of any length, and what else comes before an entry.
    for entry in tar.entries().map_err(Refusal::Damaged)?.raw(true) {
        let mut entry = entry.map_err(Refusal::Damaged)?;
        let kind = entry.header().entry_type();
        let length = entry.header().entry_size().map_err(Refusal::Damaged)?;
        if kind.is_gnu_longname() {
            long_name = Some(name(&mut entry, limits.path_bytes)?);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let name = String::from_utf8(name).map_err(|error| Refusal::Path {
            name: String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })?;
        if !kind.is_dir() && !kind.is_file() {
            return Err(Refusal::Kind { name });
        }
        let whole = if kind.is_dir() { name.trim_end_matches('/') } else { &name };
        taken.enter(whole)?;
        taken.measure(whole, length)?;
        let (first, path) = whole.split_once('/').unwrap_or((whole, ""));
        if top.get_or_insert_with(|| first.to_owned()) != first || path.is_empty() && kind.is_file()
        {
            return Err(Refusal::Stray { name });
        }
        if kind.is_file() && wanted(path) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(Refusal::Damaged)?;
            taken.keep(path.to_owned(), content)?;
        }
    }
    Ok(taken.files)
}

/// The name of the entry that follows, which was too long for its header.
fn name(entry: &mut impl Read, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut name = Vec::new();
    // One byte more, and the zero at its end.
    let most = limit as u64 + 2;
    entry.take(most).read_to_end(&mut name).map_err(Refusal::Damaged)?;
    name.pop_if(|last| *last == 0);
    if name.len() > limit {
        let name = String::from_utf8_lossy(&name[..40.min(limit)]).into_owned();
        return Err(Refusal::Long { name, limit });
    }
    Ok(name)
}

/// What is unpacked, up to a limit: a few bytes may become any number of them.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("it is longer than a bundle may be"))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tar::{EntryType, Header};

    use super::super::limits::READ;
    use super::*;
    use crate::chain::chain;

    /// Entries as an attacker writes them: any name, kind and length, whatever follows.
    #[derive(Default)]
    struct Hostile(Vec<u8>);

    impl Hostile {
        fn entry(mut self, name: &[u8], kind: EntryType, content: &[u8]) -> Self {
            self = self.head(name, kind, content.len() as u64);
            self.0.extend_from_slice(content);
            self.0.resize(self.0.len().next_multiple_of(512), 0);
            self
        }

        fn file(self, name: &str) -> Self {
            self.entry(name.as_bytes(), EntryType::Regular, b"x")
        }

        fn head(mut self, name: &[u8], kind: EntryType, length: u64) -> Self {
            let mut header = Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name);
            header.set_entry_type(kind);
            header.set_size(length);
            header.set_mode(0o644);
            header.set_cksum();
            self.0.extend_from_slice(header.as_bytes());
            self
        }

        fn packed(mut self) -> Vec<u8> {
            self.0.resize(self.0.len() + 1024, 0);
            zstd::encode_all(self.0.as_slice(), 3).expect("memory")
        }

        fn refused(self, limits: &Limits) -> String {
            let came = unpack(self.packed().as_slice(), limits, &|_| true);
            chain(&came.expect_err("no bundle has that"))
        }
    }

    const SMALL: Limits =
        Limits { files: 4, file_bytes: 1 << 10, all_bytes: 1 << 13, depth: 3, path_bytes: 120 };

    #[test]
    fn what_lies_in_one_directory_is_taken() {
        let archive = Hostile::default()
            .entry(b"run/", EntryType::Directory, b"")
            .file("run/a.txt")
            .entry(
                b"././@LongLink",
                EntryType::GNULongName,
                &[b"run/", [b'b'; 110].as_slice(), b"\0"].concat(),
            )
            .file("run/bbb");
        let files = unpack(archive.packed().as_slice(), &READ, &|_| true).expect("a bundle");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a.txt", "b".repeat(110).as_str()]);
        assert_eq!(files["a.txt"], b"x");
    }

    // Each is the second entry, behind one that is good.
    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let after = |name: &str| Hostile::default().file("run/a").file(name).refused(&READ);
        for name in
            ["/etc/passwd", "run/../../etc/passwd", "../run/b", "run/./b", "run//b", "run/b/"]
        {
            let why = after(name);
            assert!(why.ends_with("is no path in a directory"), "{name}: {why}");
        }
        for name in ["run\u{1b}[2J/b", "run/\u{7}b", "run/b\nrun"] {
            let why = after(name);
            assert!(!why.contains(|letter: char| letter.is_control()), "{why:?}");
            assert!(why.ends_with("is no path in a directory"), "{why}");
        }
        for name in ["other/b", "run"] {
            assert!(after(name).contains("another directory"), "{name}");
        }
        assert!(after("run/a").ends_with("is there twice"));
        let bytes = Hostile::default().entry(b"run/\xff", EntryType::Regular, b"x");
        assert!(bytes.refused(&READ).ends_with("is no path in a directory"));
    }

    // Links and devices by which an archive reaches what is not in it, and headers that change the entry after
    // them, which no bundle has.
    #[test]
    fn whatever_is_neither_file_nor_directory_is_refused() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Block,
            EntryType::Fifo,
            EntryType::GNUSparse,
            EntryType::GNULongLink,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
        ] {
            let why = Hostile::default().file("run/a").entry(b"run/b", kind, b"").refused(&READ);
            assert!(why.ends_with("is neither a file nor a directory"), "{kind:?}: {why}");
        }
    }

    #[test]
    fn every_limit_is_one() {
        let mut many = Hostile::default();
        for number in 0..5 {
            many = many.file(&format!("run/{number}"));
        }
        assert!(many.refused(&SMALL).contains("more than 4 files"));
        assert!(
            Hostile::default()
                .file("run/a/b/c")
                .refused(&SMALL)
                .contains("more than 3 directories")
        );
        let long = [b"run/".as_slice(), &[b'b'; 121], b"\0"].concat();
        let long = Hostile::default().entry(b"l", EntryType::GNULongName, &long).file("run/b");
        assert!(long.refused(&SMALL).contains("a path has more than 120 bytes"));
        let large = Hostile::default().entry(b"run/a", EntryType::Regular, &[0; 1025]);
        assert!(large.refused(&SMALL).contains("\"run/a\" has more than"));
        let mut all = Hostile::default();
        for number in 0..3 {
            let name = format!("run/{number}");
            all = all.entry(name.as_bytes(), EntryType::Regular, &[0; 1 << 10]);
        }
        let limits = Limits { all_bytes: 2 << 10, ..SMALL };
        assert!(
            chain(&unpack(all.packed().as_slice(), &limits, &|_| false).expect_err("too much"))
                .contains("longer than a bundle may be")
        );
    }

    // A length that only the header claims must cost nothing; one that is really there, as long as no reader
    // could hold, is told while it is unpacked. So is a name of that length.
    #[test]
    fn few_bytes_that_become_very_many_are_refused() {
        let claims = Hostile::default().head(b"run/a", EntryType::Regular, 1 << 40);
        assert!(claims.refused(&READ).contains("has more than 256 MiB"));
        let limits = Limits { file_bytes: u64::MAX, all_bytes: 64 << 20, ..READ };
        for kind in [EntryType::Regular, EntryType::GNULongName, EntryType::Directory] {
            let bomb = Hostile::default().file("run/a").head(b"run/b", kind, 256 << 20);
            let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("memory");
            encoder.write_all(&bomb.0).expect("memory");
            for _ in 0..256 {
                encoder.write_all(&[0; 1 << 20]).expect("memory");
            }
            let bomb = encoder.finish().expect("memory");
            assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
            let why = chain(&unpack(bomb.as_slice(), &limits, &|_| true).expect_err("a bomb"));
            let told = ["longer than a bundle may be", "more than 64 MiB", "a path has more than"];
            assert!(told.iter().any(|told| why.contains(told)), "{kind:?}: {why}");
        }
    }

    // At every length: what is cut is told, unless only what follows the last entry is missing.
    #[test]
    fn an_archive_that_is_cut_is_never_half_a_bundle() {
        let packed = Hostile::default().file("run/a").file("run/b").packed();
        let whole = unpack(packed.as_slice(), &READ, &|_| true).expect("a bundle");
        for length in 0..packed.len() {
            match unpack(&packed[..length], &READ, &|_| true) {
                Ok(files) => assert_eq!(files, whole, "{length} of {} bytes", packed.len()),
                Err(error) => assert!(matches!(error, Refusal::Damaged(_)), "{error}"),
            }
        }
        assert!(unpack(&packed[..packed.len() / 2], &READ, &|_| true).is_err());
    }
}
