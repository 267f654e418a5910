//! A closed-loop S3 load client on raw sockets: requests are signed before the clock starts, so that what is measured
//! is the server. Prints one JSON line. `benches/compare.py` runs it against Refract and its peers, `functions.py` through
//! functions, whose Wasm guest it makes of its text (`assemble`).

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

type Failure = Box<dyn Error>;

struct Options(BTreeMap<String, String>);

impl Options {
    fn text(&self, name: &str, default: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, Failure> {
        Ok(self.0.get(name).map_or(Ok(default), |text| text.parse())?)
    }
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, Failure> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The head of a request, signed with `UNSIGNED-PAYLOAD`.
fn head(options: &Options, method: &str, path: &str, length: u64) -> Result<Vec<u8>, Failure> {
    let host = options.text("addr", "");
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    // A query here is one name.
    let (path, query) =
        path.split_once('?').map_or((path, String::new()), |(path, name)| (path, format!("{name}=")));
    let id = options.text("key-id", "");
    if !id.is_empty() {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.split('T').next().unwrap_or_default();
        let names = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{now}\n\n{names}\nUNSIGNED-PAYLOAD"
        );
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", options.text("secret", "")).into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part)?;
        }
        let signature = hex(&mac(&key, &to_sign)?);
        head.push_str(&format!(
            "x-amz-date: {now}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}\r\n"
        ));
    }
    if method == "PUT" {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    Ok(head.into_bytes())
}

struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The server said that it closes after its last answer.
    closes: bool,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream, buffer: vec![0; 256 << 10], closes: false })
    }

    /// A body without a length: of an answer that had begun before its end was known.
    async fn chunks(&mut self, mut body: Vec<u8>) -> Result<u64, Failure> {
        loop {
            if let Some(length) = chunked_length(&body)? {
                return Ok(length);
            }
            let read = self.stream.read(&mut self.buffer).await?;
            if read == 0 {
                return Err("the body was cut short".into());
            }
            body.extend_from_slice(self.buffer.get(..read).unwrap_or_default());
        }
    }

    /// One request; answers the status and the bytes of the body.
    async fn send(&mut self, head: &[u8], body: &[u8]) -> Result<(u16, u64), Failure> {
        if self.closes {
            *self = Self::open(self.address).await?;
        }
        if body.len() <= 64 << 10 {
            let whole = [head, body].concat();
            self.stream.write_all(&whole).await?;
        } else {
            self.stream.write_all(head).await?;
            self.stream.write_all(body).await?;
        }
        let mut filled = 0;
        loop {
            let read = self.stream.read(self.buffer.get_mut(filled..).unwrap_or_default()).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut answer = httparse::Response::new(&mut fields);
            let so_far = self.buffer.get(..filled).unwrap_or_default();
            let httparse::Status::Complete(end) = answer.parse(so_far)? else { continue };
            let status = answer.code.unwrap_or(0);
            self.closes = answer.headers.iter().any(|field| {
                field.name.eq_ignore_ascii_case("connection") && field.value.eq_ignore_ascii_case(b"close")
            });
            let chunked =
                answer.headers.iter().any(|field| field.name.eq_ignore_ascii_case("transfer-encoding"));
            if chunked {
                let body = so_far.get(end..).unwrap_or_default().to_vec();
                return Ok((status, self.chunks(body).await?));
            }
            let length =
                answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
            let length: u64 = length
                .map_or(Ok(0), |field| std::str::from_utf8(field.value)?.parse().map_err(Failure::from))?;
            let mut left = length.saturating_sub((filled - end) as u64);
            while left > 0 {
                let read = self.stream.read(&mut self.buffer).await? as u64;
                if read == 0 {
                    return Err("the body was cut short".into());
                }
                left = left.saturating_sub(read);
            }
            return Ok((status, length));
        }
    }
}

/// Bytes in the chunks of a body, once all of them are there.
fn chunked_length(body: &[u8]) -> Result<Option<u64>, Failure> {
    let (mut rest, mut length) = (body, 0);
    loop {
        let httparse::Status::Complete((head, size)) =
            httparse::parse_chunk_size(rest).map_err(|error| error.to_string())?
        else {
            return Ok(None);
        };
        let Some(next) = rest.get(head + usize::try_from(size)? + 2..) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(length));
        }
        length += size;
        rest = next;
    }
}

/// How an attacker of `functions.py` reads.
#[derive(Clone, Copy)]
enum Reading {
    /// A kilobyte now and then, and not to the end.
    Slow,
    /// So many bytes a second, as its line is.
    Paced(f64),
}

/// Sends a request over a connection and reads what comes: what an attacker of `functions.py` does.
async fn attack(address: SocketAddr, request: Rc<[u8]>, reading: Reading) -> Result<(), Failure> {
    let socket = TcpSocket::new_v4()?;
    if matches!(reading, Reading::Slow) {
        // Otherwise the kernel takes megabytes at once, however slowly they are read.
        socket.set_recv_buffer_size(4096)?;
    }
    let mut stream = socket.connect(address).await?;
    stream.write_all(&request).await?;
    // In small pieces: a kernel copies one to its end before it lets anybody else go on.
    let mut buffer = vec![0; 32 << 10];
    match reading {
        Reading::Slow => {
            let mut random = [0; 41];
            getrandom::fill(&mut random)?;
            let [reads, pauses @ ..] = random;
            // Not all at the same time, which would be a burst of requests.
            for pause in pauses.into_iter().take(10 + usize::from(reads % 30)) {
                if stream.read(buffer.get_mut(..1024).unwrap_or_default()).await? == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(u64::from(pause) * 400)).await;
            }
        }
        Reading::Paced(rate) => {
            let (began, mut total) = (Instant::now(), 0.0);
            loop {
                let read = stream.read(&mut buffer).await?;
                if read == 0 {
                    break;
                }
                total += u32::try_from(read).map_or(0.0, f64::from);
                let ahead = Duration::from_secs_f64(total / rate).saturating_sub(began.elapsed());
                if ahead > Duration::from_millis(1) {
                    tokio::time::sleep(ahead).await;
                }
            }
        }
    }
    Ok(())
}

/// Processor time of a process and those below it, in seconds, and its peak of resident memory in KiB.
fn usage(pid: u64) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
    let mut total = ((ticks(11) + ticks(12)) / 100.0, peak.unwrap_or(0));
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|text| text.parse().ok()) {
            let (seconds, peak) = usage(child);
            total = (total.0 + seconds, total.1 + peak);
        }
    }
    total
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut options = Options(BTreeMap::new());
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(name) = words.next() {
        let name =
            name.strip_prefix("--").ok_or("usage: load --addr HOST:PORT --op get|put|create …")?.to_owned();
        options.0.insert(name, words.next().ok_or("an option without a value")?);
    }
    if options.text("op", "") == "assemble" {
        std::fs::write(options.text("to", ""), wat::parse_file(options.text("from", ""))?)?;
        return Ok(());
    }
    let address: SocketAddr = options.text("addr", "").parse()?;
    let (op, prefix) = (options.text("op", "get"), options.text("prefix", "/bench/"));
    let size = options.number("size", 4096)?;
    let (connections, keys) = (options.number("connections", 1)?, options.number("keys", 64)?);
    let duration = Duration::from_secs_f64(options.text("seconds", "5").parse()?);
    let pid = options.number("pid", 0)?;
    if op == "create" {
        let (status, _) = Connection::open(address)
            .await?
            .send(&head(&options, "PUT", prefix.trim_end_matches('/'), 0)?, b"")
            .await?;
        println!("{{\"status\": {status}}}");
        return Ok(());
    }
    if op == "configure" {
        let (target, document) = (options.text("target", ""), options.text("document", ""));
        let request = head(&options, "PUT", &target, document.len() as u64)?;
        let (status, _) = Connection::open(address).await?.send(&request, document.as_bytes()).await?;
        println!("{{\"status\": {status}}}");
        return if status == 200 { Ok(()) } else { Err(format!("{target} was answered {status}").into()) };
    }
    if op == "repeat" {
        let request: Rc<[u8]> = std::fs::read(options.text("request", ""))?.into();
        let rate = u32::try_from(options.number("rate", 0)?)?;
        let reading = if rate == 0 { Reading::Slow } else { Reading::Paced(rate.into()) };
        let pause = Duration::from_millis(options.number("pause", 0)?);
        let attackers = (0..connections).map(|_| async {
            loop {
                let refused = attack(address, Rc::clone(&request), reading).await.is_err();
                // What is refused is tried again.
                tokio::time::sleep(if refused { Duration::from_millis(50) } else { pause }).await;
            }
        });
        futures_util::future::join_all(attackers).await;
        return Ok(());
    }
    let method = if op == "get" { "GET" } else { "PUT" };
    let heads = (0..keys).map(|key| head(&options, method, &format!("{prefix}o{size}-{key}"), size));
    let heads: Rc<[Vec<u8>]> = heads.collect::<Result<Vec<_>, _>>()?.into();
    let mut body = vec![0; if method == "PUT" { usize::try_from(size)? } else { 0 }];
    getrandom::fill(&mut body)?;
    let body: Rc<[u8]> = body.into();
    // `fill` writes every key once; the others run for a time.
    let fill = op == "fill";
    let before = usage(pid);
    let started = Instant::now();
    let local = tokio::task::LocalSet::new();
    let tasks: Vec<_> = (0..connections)
        .map(|worker| {
            let (heads, body) = (Rc::clone(&heads), Rc::clone(&body));
            local.spawn_local(async move {
                let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
                let (mut times, mut errors) = (Vec::new(), Vec::new());
                let mut at = worker;
                while if fill { at < keys } else { started.elapsed() < duration } {
                    let Some(head) = heads.get(usize::try_from(at % keys).unwrap_or(0)) else { break };
                    at += connections;
                    let begun = Instant::now();
                    match connection.send(head, &body).await {
                        Ok((200, length)) if method == "PUT" || length == size => times.push(begun.elapsed()),
                        Ok((status, length)) => errors.push(format!("{status} with {length} bytes")),
                        Err(error) => {
                            errors.push(error.to_string());
                            connection =
                                Connection::open(address).await.map_err(|error| error.to_string())?;
                        }
                    }
                }
                Ok::<_, String>((times, errors))
            })
        })
        .collect();
    let (mut times, mut errors) = (Vec::new(), Vec::new());
    local
        .run_until(async {
            for task in tasks {
                let (some, failed) = task.await??;
                times.extend(some);
                errors.extend(failed);
            }
            Ok::<_, Failure>(())
        })
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = usage(pid);
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let count = times.len() as f64;
    let quantile = |of: usize| times.get(times.len() * of / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "{{\"requests_s\": {:.1}, \"cpu_ms\": {:.4}, \"p50_ms\": {:.4}, \"p99_ms\": {:.4}, \"peak_mib\": {}, \"errors\": {}, \"first_error\": {:?}}}",
        count / seconds,
        (after.0 - before.0) * 1e3 / count.max(1.0),
        quantile(50),
        quantile(99),
        after.1 / 1024,
        errors.len(),
        errors.first().map_or("", String::as_str),
    );
    Ok(())
}
