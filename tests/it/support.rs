//! A server process on a free port, which ends with the value.

use std::io::{BufRead as _, BufReader, Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use refract::auth::Signer;
use refract::catalog::KeyPair;
use serde_json::Value;
use zip::write::SimpleFileOptions;

/// The `refract` command with nothing of this process's own settings.
pub(crate) fn refract() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refract"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("REFRACT_") || name.starts_with("AWS_"))
    {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A server.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts one and waits for its line.
    pub(crate) fn start(data_dir: &Path, flags: &[&str]) -> Self {
        let mut child = refract()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().parse();
        let address = address.unwrap_or_else(|_| panic!("no address in {line:?}"));
        Self { child, address }
    }

    /// Connects to it.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request as it is and reads the answer until the server closes.
    pub(crate) fn send(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends requests that are signed in their URL, by the root pair.
pub(crate) struct Client<'a> {
    server: &'a Server,
    pair: KeyPair,
}

impl<'a> Client<'a> {
    /// For a server, by the pair in its data directory.
    pub(crate) fn new(server: &'a Server, data_dir: &Path) -> Self {
        let (pair, _) = KeyPair::load_or_create(&data_dir.join("root-credentials.toml")).unwrap();
        Self { server, pair }
    }

    /// A request.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let url = format!("http://{}{path}", self.server.address);
        let signer = Signer {
            access_key_id: &self.pair.access_key_id,
            secret: &self.pair.secret,
            region: "us-east-1",
            time: SystemTime::now(),
            signing: None,
        };
        let signed = signer.presign(&method.parse().unwrap(), &url, &[], Duration::from_secs(60)).unwrap();
        let target = signed.split_once(&self.server.address.to_string()).unwrap().1;
        format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            self.server.address,
            body.len()
        )
    }

    /// Sends a request and reads the answer until the server closes.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        self.server.send(&self.request(method, path, headers, body))
    }

    /// GETs.
    pub(crate) fn get(&self, path: &str) -> String {
        self.send("GET", path, "", "")
    }
}

/// Runs a command of `refract` against a server, and answers the document that it prints.
pub(crate) fn run(server: &Server, data_dir: &Path, arguments: &[&str]) -> Value {
    let output = refract()
        .args(arguments)
        .args(["--endpoint-url", &format!("http://{}", server.address), "--data-dir"])
        .arg(data_dir)
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or_default()
}

/// What a stand-in for a service was sent: a head, and the document behind it.
pub(crate) type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// A service on a port of its own, which notes what it is sent and answers each request by `answer`.
pub(crate) fn stand_in(answer: impl Fn(u16, TcpStream, &Value) + Send + 'static) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let (head, body) = read_request(&stream);
            let event: Value = serde_json::from_slice(&body).unwrap();
            notes.lock().unwrap().push((head, event.clone()));
            answer(port, stream, &event);
        }
    });
    (port, seen)
}

/// Reads a request: its head in lower case, and its body by its length.
pub(crate) fn read_request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&lower);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// A package whose one file is `app.py`.
pub(crate) fn zipped(source: &str) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("app.py", SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
    writer.write_all(source.as_bytes()).unwrap();
    BASE64.encode(writer.finish().unwrap().get_ref())
}
