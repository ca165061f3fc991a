use std::io::ErrorKind;

use racetrap_wire::What;
use tokio::net::UnixStream;

use crate::bench::{Bench, OK, get};

// The refusal is in force when the call returns, and over when its guard is gone: no waiting, as
// there is nothing between that a daemon could see.
#[tokio::test]
async fn nobody_can_connect_until_the_refusal_ends() {
    let bench = Bench::start().await;
    let (mut daemon, mut engine) = bench.connect().await;
    let refusal = bench.wire.refuse();
    let second = bench.wire.refuse();
    let refused = UnixStream::connect(&bench.listen).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    // Open connections live on.
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    refusal.release();
    assert!(UnixStream::connect(&bench.listen).await.is_err(), "the second one is in force");
    second.release();
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.told("refused", |what| *what == What::Refused).await;
    bench.close().await;
}

// A guard may end on a thread that knows no runtime.
#[test]
fn a_refusal_may_end_outside_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (bench, refusal) = runtime.block_on(async {
        let bench = Bench::start().await;
        let refusal = bench.wire.refuse();
        (bench, refusal)
    });
    drop(refusal);
    runtime.block_on(async {
        let (mut daemon, mut engine) = bench.connect().await;
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        bench.close().await;
    });
}

#[tokio::test]
async fn a_refusal_that_outlives_the_wire_leaves_no_socket() {
    let bench = Bench::start().await;
    let refusal = bench.wire.refuse();
    let (directory, listen) = (bench.listen.parent().unwrap().to_owned(), bench.listen.clone());
    bench.wire.clone().close().await.unwrap();
    drop(refusal);
    assert!(directory.exists() && !listen.exists());
}
