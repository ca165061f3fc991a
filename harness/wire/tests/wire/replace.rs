use std::os::unix::fs::MetadataExt as _;

use tokio::net::UnixStream;

use crate::bench::{Bench, OK, chunk, get};

// The file at the path is another one, and whoever connects there is served; the connections of before
// are, too.
#[tokio::test]
async fn the_socket_is_another_file_and_old_connections_live_on() {
    let bench = Bench::start().await;
    let inode = || std::fs::metadata(&bench.listen).unwrap().ino();
    // The file system must not give the number away again while it is compared.
    let kept = bench.listen.with_extension("kept");
    std::fs::hard_link(&bench.listen, &kept).unwrap();
    let before = inode();
    let (mut daemon, mut engine) = bench.connect().await;
    let (mut streaming, mut streaming_engine) = bench.stream().await;
    bench.wire.replace_socket().unwrap();
    assert_ne!(inode(), before);
    let (mut late, mut late_engine) = bench.connect().await;
    for (daemon, engine) in [(&mut daemon, &mut engine), (&mut late, &mut late_engine)] {
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        engine.send(OK).await;
        daemon.expect(OK).await;
    }
    streaming_engine.send(&chunk("{}\n")).await;
    streaming.expect(&chunk("{}\n")).await;
    assert_eq!(bench.faults(), ["bound anew"]);
    // Nobody serves the old file any more; only who is there at once can be told so.
    bench.told("opened", |what| matches!(what, racetrap_wire::What::Opened { .. })).await;
    assert!(UnixStream::connect(&kept).await.is_err(), "the old socket is closed");
    bench.close().await;
}

// A refusal is in force: there is no socket, and none may appear before its end.
#[tokio::test]
async fn nothing_is_replaced_where_there_is_no_socket() {
    let bench = Bench::start().await;
    let refusal = bench.wire.refuse();
    bench.wire.replace_socket().unwrap();
    assert!(!bench.listen.exists());
    assert_eq!(bench.faults(), Vec::<String>::new());
    refusal.release();
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
}

#[tokio::test]
async fn a_socket_that_cannot_be_bound_again_is_an_error() {
    let bench = Bench::start().await;
    let directory = bench.listen.parent().unwrap().to_owned();
    std::fs::rename(&directory, directory.with_extension("gone")).unwrap();
    let error = bench.wire.replace_socket().unwrap_err().to_string();
    std::fs::rename(directory.with_extension("gone"), &directory).unwrap();
    assert!(error.contains("could not be bound"), "{error}");
    bench.close().await;
}
