use std::os::unix::fs::MetadataExt as _;

use tokio::net::UnixStream;

use crate::testbed::{OK, Testbed, chunk, get};

// The path has a new inode. The wire serves clients that connect there, and those that connected
// before.
#[tokio::test]
async fn the_socket_is_replaced_and_old_connections_stay_open() {
    let testbed = Testbed::start().await;
    let inode = || std::fs::metadata(&testbed.listen).unwrap().ino();
    // A second link keeps the inode in use, so that the file system cannot use its number again.
    let kept = testbed.listen.with_extension("kept");
    std::fs::hard_link(&testbed.listen, &kept).unwrap();
    let before = inode();
    let (mut client, mut upstream) = testbed.connect().await;
    let (mut streaming, mut streaming_upstream) = testbed.event_stream().await;
    testbed.wire.replace_socket().unwrap();
    assert_ne!(inode(), before);
    let (mut late, mut late_upstream) = testbed.connect().await;
    for (client, upstream) in [(&mut client, &mut upstream), (&mut late, &mut late_upstream)] {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(OK).await;
        client.expect(OK).await;
    }
    streaming_upstream.send(&chunk("{}\n")).await;
    streaming.expect(&chunk("{}\n")).await;
    assert_eq!(testbed.faults(), ["bound a new socket"]);
    // Nobody listens on the old inode any more.
    testbed
        .wait_for_event("opened", |what| matches!(what, racetrap_wire::What::Opened { .. }))
        .await;
    assert!(UnixStream::connect(&kept).await.is_err(), "the old socket is closed");
    testbed.close().await;
}

// While a refusal is in force there is no socket, and none may appear before its end.
#[tokio::test]
async fn replacing_the_socket_does_nothing_during_a_refusal() {
    let testbed = Testbed::start().await;
    let refusal = testbed.wire.refuse().unwrap();
    testbed.wire.replace_socket().unwrap();
    assert!(!testbed.listen.exists());
    assert_eq!(testbed.faults(), Vec::<String>::new());
    refusal.release().unwrap();
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
}

#[tokio::test]
async fn a_socket_that_cannot_be_bound_again_is_an_error() {
    let testbed = Testbed::start().await;
    let directory = testbed.listen.parent().unwrap().to_owned();
    std::fs::rename(&directory, directory.with_extension("gone")).unwrap();
    let error = testbed.wire.replace_socket().unwrap_err().to_string();
    std::fs::rename(directory.with_extension("gone"), &directory).unwrap();
    assert!(error.contains("could not be bound"), "{error}");
    testbed.close().await;
}
