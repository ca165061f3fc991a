//! Reads the files of an archive into memory. Nothing is written to disk, so no path in the archive
//! can overwrite anything.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::limited_files::{InvalidBundle, LimitedFiles};
use super::limits::{Limits, WINDOW_LOG};

/// Returns the `wanted` files by their paths below the one top directory of the archive. Checks all
/// other entries in the same way.
pub(super) fn unpack(
    archive: impl Read,
    limits: &Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, InvalidBundle> {
    let mut decoder = zstd::Decoder::new(archive).map_err(InvalidBundle::Damaged)?;
    decoder.window_log_max(WINDOW_LOG).map_err(InvalidBundle::Damaged)?;
    let mut tar = tar::Archive::new(Bounded { inner: decoder, left: limits.all_bytes });
    let mut kept = LimitedFiles::new(limits);
    let mut top = None;
    let mut long_name = None;
    // Raw entries: otherwise the library itself would read long names and other extension headers,
    // of any length, before this code could reject them.
    for entry in tar.entries().map_err(InvalidBundle::Damaged)?.raw(true) {
        let mut entry = entry.map_err(InvalidBundle::Damaged)?;
        let kind = entry.header().entry_type();
        let length = entry.header().entry_size().map_err(InvalidBundle::Damaged)?;
        if kind.is_gnu_longname() {
            long_name = Some(read_long_name(&mut entry, limits.path_bytes)?);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let name = String::from_utf8(name).map_err(|error| InvalidBundle::Path {
            name: String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })?;
        if !kind.is_dir() && !kind.is_file() {
            return Err(InvalidBundle::Kind { name });
        }
        // Only a directory may have a slash at its end.
        let whole = if kind.is_dir() { name.trim_end_matches('/') } else { &name };
        kept.count_entry(whole)?;
        kept.count_bytes(whole, length)?;
        // Every entry is in the same top directory, and that is a directory.
        let (first, path) = whole.split_once('/').unwrap_or((whole, ""));
        if top.get_or_insert_with(|| first.to_owned()) != first || path.is_empty() && kind.is_file()
        {
            return Err(InvalidBundle::Stray { name });
        }
        if kind.is_file() && wanted(path) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(InvalidBundle::Damaged)?;
            kept.keep(path.to_owned(), content)?;
        }
    }
    Ok(kept.files)
}

/// Reads an entry that holds the name of the next entry, because the name was too long for a
/// header.
fn read_long_name(entry: &mut impl Read, limit: usize) -> Result<Vec<u8>, InvalidBundle> {
    let mut name = Vec::new();
    // Two bytes more than the limit: the NUL at the end, and one by which a longer name is
    // recognised.
    let most = limit as u64 + 2;
    entry.take(most).read_to_end(&mut name).map_err(InvalidBundle::Damaged)?;
    name.pop_if(|last| *last == 0);
    if name.len() > limit {
        return Err(InvalidBundle::long_path(&name, limit));
    }
    Ok(name)
}

/// Unpacked bytes up to a limit. Without it, a few compressed bytes could become any number of
/// bytes.
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

    /// An archive as an attacker can write it: entries of any name, kind and length.
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
    fn the_files_of_the_top_directory_are_returned() {
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

    // Each path is that of the second entry, after a valid first one.
    #[test]
    fn paths_outside_of_the_top_directory_are_rejected() {
        let after = |name: &str| Hostile::default().file("run/a").file(name).refused(&READ);
        for name in
            ["/etc/passwd", "run/../../etc/passwd", "../run/b", "run/./b", "run//b", "run/b/"]
        {
            let why = after(name);
            assert!(why.ends_with("is not a path inside the bundle"), "{name}: {why}");
        }
        for name in ["run\u{1b}[2J/b", "run/\u{7}b", "run/b\nrun"] {
            let why = after(name);
            assert!(!why.contains(|letter: char| letter.is_control()), "{why:?}");
            assert!(why.ends_with("is not a path inside the bundle"), "{why}");
        }
        for name in ["other/b", "run"] {
            assert!(after(name).contains("another directory"), "{name}");
        }
        assert!(after("run/a").ends_with("is there twice"));
        let bytes = Hostile::default().entry(b"run/\xff", EntryType::Regular, b"x");
        assert!(bytes.refused(&READ).ends_with("is not a path inside the bundle"));
    }

    // Links and devices lead to files outside of the archive. Extension headers change the entry
    // after them, and no bundle has any.
    #[test]
    fn entries_that_are_neither_file_nor_directory_are_rejected() {
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
    fn an_archive_beyond_any_limit_is_rejected() {
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

    // A huge length that only the header claims is rejected before anything is read. Huge content
    // that is really there is rejected while it is unpacked, as a file, a name or a directory.
    #[test]
    fn an_archive_that_expands_to_a_huge_size_is_rejected() {
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
            let whys = ["longer than a bundle may be", "more than 64 MiB", "a path has more than"];
            assert!(whys.iter().any(|expected| why.contains(expected)), "{kind:?}: {why}");
        }
    }

    // At every length the archive is either rejected or has all files; the latter only if nothing
    // but the padding after the last entry is missing.
    #[test]
    fn an_archive_that_is_cut_off_never_yields_a_part_of_its_files() {
        let packed = Hostile::default().file("run/a").file("run/b").packed();
        let whole = unpack(packed.as_slice(), &READ, &|_| true).expect("a bundle");
        for length in 0..packed.len() {
            match unpack(&packed[..length], &READ, &|_| true) {
                Ok(files) => assert_eq!(files, whole, "{length} of {} bytes", packed.len()),
                Err(error) => assert!(matches!(error, InvalidBundle::Damaged(_)), "{error}"),
            }
        }
        assert!(unpack(&packed[..packed.len() / 2], &READ, &|_| true).is_err());
    }
}
