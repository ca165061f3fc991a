//! What a registry keeps, and how it answers: blobs by digest, and manifests by name and reference.

use std::collections::BTreeMap;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION, RANGE};
use http::{HeaderMap, Method, StatusCode, Uri};
use hyper::body::Bytes;
use sha2::{Digest as _, Sha256};

/// The digest of what an answer is about.
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A request without its body.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
}

/// All images of a registry.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Contents by digest. All names share them.
    blobs: BTreeMap<String, Bytes>,
    /// Type and content by name and reference, which is a tag or a digest.
    manifests: BTreeMap<(String, String), Manifest>,
    /// Uploads that go on, by number.
    uploads: BTreeMap<u64, Vec<u8>>,
    /// Number of the last upload.
    last_upload: u64,
    last_digest: String,
}

#[derive(Clone, Debug)]
struct Manifest {
    media_type: String,
    content: Bytes,
}

impl Store {
    /// The digest of the manifest that was pushed last; empty before the first one.
    pub(super) fn last_digest(&self) -> &str {
        &self.last_digest
    }

    /// Carries out a request. Paths are `/v2/NAME/blobs/…` and `/v2/NAME/manifests/…`, where a name
    /// may have slashes.
    pub(super) fn answer(&mut self, asked: &Asked, body: Bytes) -> Answer {
        let path = asked.uri.path();
        let Some(rest) = path.strip_prefix("/v2/") else { return Answer::not_found() };
        if rest.is_empty() {
            return Answer::new(StatusCode::OK);
        }
        if let Some((name, upload)) = rest.split_once("/blobs/uploads/") {
            return self.upload(asked, name, upload, body);
        }
        if let Some((_, digest)) = rest.split_once("/blobs/") {
            let blob = self.blobs.get(digest);
            return Answer::content(asked, blob, "application/octet-stream", digest);
        }
        let Some((name, reference)) = rest.split_once("/manifests/") else {
            return Answer::not_found();
        };
        if asked.method == Method::PUT {
            return self.put_manifest(asked, name, reference, body);
        }
        match self.manifests.get(&(name.to_owned(), reference.to_owned())) {
            Some(Manifest { media_type, content }) => {
                Answer::content(asked, Some(content), media_type, &digest(content))
            }
            None => Answer::not_found(),
        }
    }

    /// An upload begins with POST, goes on with PATCH, and ends with PUT, which has the digest.
    fn upload(&mut self, asked: &Asked, name: &str, upload: &str, body: Bytes) -> Answer {
        if asked.method == Method::POST {
            self.last_upload += 1;
            self.uploads.insert(self.last_upload, Vec::new());
            return Answer::accepted(name, self.last_upload, 0);
        }
        let number = upload.parse().unwrap_or_default();
        let Some(content) = self.uploads.get_mut(&number) else { return Answer::not_found() };
        content.extend_from_slice(&body);
        if asked.method == Method::PATCH {
            return Answer::accepted(name, number, content.len());
        }
        let content = Bytes::from(self.uploads.remove(&number).unwrap_or_default());
        let digest = digest(&content);
        // The engine percent-encodes the colon of the digest.
        let query = asked.uri.query().unwrap_or_default().replace("%3A", ":");
        if !query.split('&').any(|part| part == format!("digest={digest}")) {
            return Answer::new(StatusCode::BAD_REQUEST);
        }
        self.blobs.insert(digest.clone(), content);
        Answer::new(StatusCode::CREATED)
            .with(LOCATION, format!("/v2/{name}/blobs/{digest}"))
            .with(DIGEST, digest)
    }

    fn put_manifest(&mut self, asked: &Asked, name: &str, reference: &str, body: Bytes) -> Answer {
        let media_type = asked.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let manifest =
            Manifest { media_type: media_type.unwrap_or_default().to_owned(), content: body };
        let digest = digest(&manifest.content);
        for reference in [reference, &digest] {
            self.manifests.insert((name.to_owned(), reference.to_owned()), manifest.clone());
        }
        self.last_digest.clone_from(&digest);
        Answer::new(StatusCode::CREATED)
            .with(LOCATION, format!("/v2/{name}/manifests/{digest}"))
            .with(DIGEST, digest)
    }
}

impl Answer {
    fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND)
    }

    /// An upload that goes on. `length` is the number of bytes that are there.
    fn accepted(name: &str, number: u64, length: usize) -> Self {
        Self::new(StatusCode::ACCEPTED)
            .with(LOCATION, format!("/v2/{name}/blobs/uploads/{number}"))
            .with(RANGE, format!("0-{}", length.saturating_sub(1)))
    }

    /// A content that somebody has asked for. The answer to HEAD has its length and not its bytes.
    fn content(asked: &Asked, content: Option<&Bytes>, media_type: &str, digest: &str) -> Self {
        let Some(content) = content else { return Self::not_found() };
        let mut answer = Self::new(StatusCode::OK)
            .with(CONTENT_TYPE, media_type.to_owned())
            .with(DIGEST, digest.to_owned());
        if asked.method == Method::HEAD {
            return answer.with(CONTENT_LENGTH, content.len().to_string());
        }
        answer.body = content.clone();
        answer
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn ask(store: &mut Store, method: &str, target: &str, body: &'static str) -> Answer {
        let asked = Asked {
            method: method.parse().expect("a method"),
            uri: target.parse().expect("a target"),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, "a/type".parse().expect("a value"))]),
        };
        store.answer(&asked, Bytes::from(body))
    }

    // The engine sends a layer in pieces, and names its digest at the end.
    #[test]
    fn a_blob_that_was_uploaded_in_pieces_is_served_by_its_digest() {
        let mut store = Store::default();
        let begun = ask(&mut store, "POST", "/v2/a/b/blobs/uploads/", "");
        assert_eq!(begun.status, 202);
        let place =
            begun.headers.iter().find(|(name, _)| *name == LOCATION).expect("one").1.clone();
        assert_eq!(place, "/v2/a/b/blobs/uploads/1");
        assert_eq!(ask(&mut store, "PATCH", &place, "hel").status, 202);
        let end = format!("{place}?digest={}", HELLO.replace(':', "%3A"));
        assert_eq!(ask(&mut store, "PUT", &end, "lo").status, 201);
        let blob = format!("/v2/a/b/blobs/{HELLO}");
        assert_eq!(ask(&mut store, "GET", &blob, "").body, "hello");
        let head = ask(&mut store, "HEAD", &blob, "");
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert!(head.headers.contains(&(CONTENT_LENGTH, "5".to_owned())));
    }

    #[test]
    fn a_blob_with_another_digest_is_refused() {
        let mut store = Store::default();
        ask(&mut store, "POST", "/v2/a/blobs/uploads/", "");
        let end = format!("/v2/a/blobs/uploads/1?digest={HELLO}");
        assert_eq!(ask(&mut store, "PUT", &end, "other").status, 400);
        assert_eq!(ask(&mut store, "GET", &format!("/v2/a/blobs/{HELLO}"), "").status, 404);
    }

    #[rstest]
    #[case("1", 200)]
    #[case(HELLO, 200)]
    #[case("2", 404)]
    fn a_manifest_is_served_by_its_tag_and_by_its_digest(
        #[case] reference: &str,
        #[case] status: u16,
    ) {
        let mut store = Store::default();
        assert_eq!(store.last_digest(), "");
        assert_eq!(ask(&mut store, "PUT", "/v2/a/manifests/1", "hello").status, 201);
        assert_eq!(store.last_digest(), HELLO);
        let answer = ask(&mut store, "GET", &format!("/v2/a/manifests/{reference}"), "");
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer.body, "hello");
            assert!(answer.headers.contains(&(CONTENT_TYPE, "a/type".to_owned())));
        }
    }
}
