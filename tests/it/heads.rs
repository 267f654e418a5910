//! The copy of heads, on connections that hyper serves.

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use refract::server::heads::HeadTap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

/// Serves what is sent, in pieces of `size`, by a service that answers how `x-test` was spelt; answers the bodies.
async fn spellings(sent: &str, size: usize) -> Vec<String> {
    let (mut client, server) = duplex(64 << 10);
    let (stream, heads) = HeadTap::new(server, 16 << 10);
    let service = service_fn(move |request: Request<Incoming>| {
        let spelling = heads.take(&request);
        async move {
            request.into_body().collect().await.unwrap();
            let name = HeaderName::from_static("x-test");
            let spelt = spelling.as_ref().and_then(|spelling| spelling.of(&name)).unwrap_or("-");
            Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(format!("<{spelt}>")))))
        }
    });
    let serving = tokio::spawn(async move {
        drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
    });
    for piece in sent.as_bytes().chunks(size) {
        client.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    serving.await.unwrap();
    let bodies = answer.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    bodies.map(str::to_owned).collect()
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_spelling() {
    let inner = "GET /evil HTTP/1.1\r\nX-EVIL: 1\r\nx-TEST: 1\r\n\r\n";
    let length = inner.len();
    let sent = format!(
        "GET /a HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\n\r\n\
         PUT /b HTTP/1.1\r\nHost: x\r\nX-TeSt: 1\r\nContent-Length: {length}\r\n\r\n{inner}\
         PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-TEST: 1\r\n\r\n{length:x}\r\n{inner}\r\n0\r\n\r\n\
         GET /d HTTP/1.1\r\nHost: x\r\n\r\n\
         GET /e HTTP/1.1\r\nHost: x\r\nx-test: 1\r\nConnection: close\r\n\r\n"
    );
    for size in [1, 7, 100, sent.len()] {
        assert_eq!(spellings(&sent, size).await, ["X-Test", "X-TeSt", "X-TEST", "-", "x-test"], "{size}");
    }
}
