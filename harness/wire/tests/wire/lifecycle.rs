use std::path::Path;
use std::sync::Arc;

use racetrap_wire::{Wire, WireError};
use tokio::net::{UnixListener, UnixStream};

use crate::testbed::{OK, Testbed, config, get, within_limit};

async fn start(listen: &Path) -> Result<Wire, WireError> {
    let upstream_path = listen.with_extension("upstream");
    let sink = Arc::new(|_| {});
    Wire::start(config(listen, &upstream_path, sink)).await
}

fn error(started: Result<Wire, WireError>) -> WireError {
    started.err().expect("the wire must not start at this path")
}

// The longest path that the kernel accepts works. One byte more is an error that names the limit.
#[tokio::test]
async fn the_error_of_a_path_that_is_too_long_names_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let room = 107 - directory.path().as_os_str().len() - 1;
    start(&directory.path().join("x".repeat(room))).await.unwrap().close().await.unwrap();
    let path = directory.path().join("x".repeat(room + 1));
    let error = error(start(&path).await);
    assert!(matches!(error, WireError::TooLong { length: 108, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("107") && text.contains(&*path.to_string_lossy()), "{text}");
}

#[tokio::test]
async fn a_socket_that_another_process_serves_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let owner = UnixListener::bind(&path).unwrap();
    let error = error(start(&path).await);
    assert!(matches!(error, WireError::Busy { .. }), "{error:?}");
    let (_accepted, connected) = tokio::join!(owner.accept(), UnixStream::connect(&path));
    connected.expect("the owner must still serve");
}

#[tokio::test]
async fn a_socket_that_no_process_serves_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the file must outlive its listener");
    let wire = start(&path).await.unwrap();
    wire.close().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_not_a_socket_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes");
    std::fs::write(&path, "mine").unwrap();
    let error = error(start(&path).await);
    assert!(matches!(error, WireError::Bind { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn the_error_of_a_missing_directory_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let error = error(start(&directory.path().join("none/s")).await);
    assert!(matches!(error, WireError::NoParent { .. }), "{error:?}");
    assert!(error.to_string().contains("none"), "{error}");
}

#[tokio::test]
async fn closing_ends_all_connections_and_removes_the_socket() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    let (mut idle, _idle_upstream) = testbed.connect().await;
    let (mut streaming, _streaming_upstream) = testbed.event_stream().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    let listen = testbed.listen.clone();
    within_limit("the wire to close", testbed.wire.clone().close()).await.unwrap();
    assert!(!listen.exists());
    for peer in [&mut client, &mut idle, &mut streaming, &mut upstream] {
        peer.expect_end().await;
    }
}

// Without this, nobody would learn of a panic in a task of the wire.
#[tokio::test]
async fn closing_a_wire_propagates_the_panic_of_a_task() {
    let directory = tempfile::tempdir().unwrap();
    let (listen, upstream_path) = (directory.path().join("s"), directory.path().join("e"));
    let _upstream = UnixListener::bind(&upstream_path).unwrap();
    let sink = Arc::new(|_| panic!("panic of the sink"));
    let wire = Wire::start(config(&listen, &upstream_path, sink)).await.unwrap();
    let mut client = UnixStream::connect(&listen).await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut client, &mut rest);
    let _ = within_limit("the end of the connection", ended).await;
    let mut owner = tokio::task::JoinSet::new();
    owner.spawn(wire.close());
    let closed = within_limit("the wire to close", owner.join_next()).await.unwrap();
    let panic = closed.expect_err("closing must panic").into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"panic of the sink"));
}

#[tokio::test]
async fn two_wires_do_not_affect_each_other() {
    let (one, two) = (Testbed::start().await, Testbed::start().await);
    let (mut client, mut upstream) = one.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    two.close().await;
    upstream.send(OK).await;
    client.expect(OK).await;
    one.close().await;
}
