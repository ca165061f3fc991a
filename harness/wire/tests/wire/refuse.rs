use std::io::ErrorKind;

use racetrap_wire::What;
use tokio::net::UnixStream;

use crate::testbed::{OK, Testbed, get};

// The refusal is in force as soon as the call returns, and over as soon as its guard is dropped. So
// the test waits for nothing.
#[tokio::test]
async fn nobody_can_connect_until_the_refusal_ends() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    let refusal = testbed.wire.refuse().unwrap();
    let second = testbed.wire.refuse().unwrap();
    let refused = UnixStream::connect(&testbed.listen).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    // The open connection stays open.
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    refusal.release().unwrap();
    assert!(
        UnixStream::connect(&testbed.listen).await.is_err(),
        "the second refusal is still in force"
    );
    second.release().unwrap();
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.wait_for_event("refused", |what| *what == What::Refused).await;
    testbed.close().await;
}

// A guard may be dropped on a thread outside the runtime.
#[test]
fn a_refusal_can_be_dropped_outside_the_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (testbed, refusal) = runtime.block_on(async {
        let testbed = Testbed::start().await;
        let refusal = testbed.wire.refuse().unwrap();
        (testbed, refusal)
    });
    drop(refusal);
    runtime.block_on(async {
        let (mut client, mut upstream) = testbed.connect().await;
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        testbed.close().await;
    });
}

#[tokio::test]
async fn a_refusal_that_outlives_the_wire_leaves_no_socket() {
    let testbed = Testbed::start().await;
    let refusal = testbed.wire.refuse().unwrap();
    let (directory, listen) = (testbed.listen.parent().unwrap().to_owned(), testbed.listen.clone());
    testbed.wire.clone().close().await.unwrap();
    drop(refusal);
    assert!(directory.exists() && !listen.exists());
}
