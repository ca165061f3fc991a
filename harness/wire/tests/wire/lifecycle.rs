use std::path::Path;
use std::sync::Arc;

use racetrap_wire::{Wire, WireError};
use tokio::net::{UnixListener, UnixStream};

use crate::bench::{Bench, OK, config, get, soon};

async fn start(listen: &Path) -> Result<Wire, WireError> {
    let upstream = listen.with_extension("engine");
    let sink = Arc::new(|_| {});
    Wire::start(config(listen, &upstream, sink)).await
}

fn error(started: Result<Wire, WireError>) -> WireError {
    started.err().expect("the path cannot be had")
}

// The longest path that the kernel takes is taken, and one byte more is an error that says so.
#[tokio::test]
async fn a_path_too_long_for_a_unix_socket_is_named_with_the_limit() {
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
async fn a_path_that_somebody_serves_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let owner = UnixListener::bind(&path).unwrap();
    let error = error(start(&path).await);
    assert!(matches!(error, WireError::Busy { .. }), "{error:?}");
    let (_asked, connected) = tokio::join!(owner.accept(), UnixStream::connect(&path));
    connected.expect("the owner serves on");
}

#[tokio::test]
async fn a_socket_that_nobody_serves_any_more_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the file stays behind");
    let wire = start(&path).await.unwrap();
    wire.close().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes");
    std::fs::write(&path, "mine").unwrap();
    let error = error(start(&path).await);
    assert!(matches!(error, WireError::Bind { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = error(start(&directory.path().join("none/s")).await);
    assert!(matches!(error, WireError::NoParent { .. }), "{error:?}");
    assert!(error.to_string().contains("none"), "{error}");
}

#[tokio::test]
async fn closing_ends_all_connections_and_takes_the_socket_away() {
    let bench = Bench::start().await;
    let (mut daemon, mut engine) = bench.connect().await;
    let (mut idle, _idle_engine) = bench.connect().await;
    let (mut streaming, _streaming_engine) = bench.stream().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    let listen = bench.listen.clone();
    soon("the wire's end", bench.wire.clone().close()).await.unwrap();
    assert!(!listen.exists());
    for peer in [&mut daemon, &mut idle, &mut streaming, &mut engine] {
        peer.expect_end().await;
    }
}

// The panic of a task that nobody looks at would be silence: whoever closes the wire gets it.
#[tokio::test]
async fn a_panic_on_the_wire_is_a_panic_of_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let (listen, upstream) = (directory.path().join("s"), directory.path().join("e"));
    let _engine = UnixListener::bind(&upstream).unwrap();
    let sink = Arc::new(|_| panic!("the sink's own"));
    let wire = Wire::start(config(&listen, &upstream, sink)).await.unwrap();
    let mut daemon = UnixStream::connect(&listen).await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut daemon, &mut rest);
    let _ = soon("the end of the connection", ended).await;
    let mut owner = tokio::task::JoinSet::new();
    owner.spawn(wire.close());
    let closed = soon("the wire's end", owner.join_next()).await.unwrap();
    let panic = closed.expect_err("the panic is raised").into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the sink's own"));
}

#[tokio::test]
async fn wires_do_not_meet() {
    let (one, two) = (Bench::start().await, Bench::start().await);
    let (mut daemon, mut engine) = one.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    two.close().await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    one.close().await;
}
