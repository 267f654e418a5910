#!/usr/bin/env python3
"""kill -9 during a write load, again and again: `tests/crash.py [--count 200] [--seconds 1800] [--binary FILE]`.

After each kill the server is started on the same directory, and then: every write that was acknowledged is there and
byte-equal (or a later one that was on its way), every delete that was acknowledged holds, nothing is there in part, and
the server answered within a second of its start. Only the standard library is needed.
"""
import argparse
import hashlib
import hmac
import http.client
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
KEY_ID, SECRET = "AKIACRASHTEST0000000", "crash-test-secret-access-key-0000000000"
SIZES = [0, 1, 4096, 65536, 65537, 300_000, 1 << 20, 3 << 20]
KEYS = 40
WORKERS = 6


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Client:
    """As much of SigV4 as a test needs."""

    def __init__(self, host, port):
        self.host = f"{host}:{port}"
        self.connection = http.client.HTTPConnection(host, port, timeout=30)

    def send(self, method, path, body=b"", query="", headers=None):
        answer = self.open(method, path, body, query, headers)
        return answer.status, dict(answer.getheaders()), answer.read()

    def open(self, method, path, body=b"", query="", headers=None):
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(signed)
        canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in signed.items()), "", names, digest])
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = sign(key, part)
        signature = sign(key, to_sign).hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}")
        del signed["host"]
        self.connection.request(method, path + ("?" + query if query else ""), body, {**signed, **(headers or {})})
        return self.connection.getresponse()


def content(seed, size):
    """Bytes that say who they are: no two of the same size are alike, and no part of one is whole."""
    block = hashlib.sha256(f"{seed}/{size}".encode()).digest() * 64
    return (block * (size // len(block) + 1))[:size]


class Server:
    def __init__(self, binary, directory, durability, log=subprocess.DEVNULL):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("REFRACT_")}
        environment |= {"REFRACT_ROOT_ACCESS_KEY_ID": KEY_ID, "REFRACT_ROOT_SECRET_ACCESS_KEY": SECRET}
        started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", directory, "--durability", durability],
            stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        if not select.select([self.process.stdout], [], [], 30)[0]:
            self.process.kill()
            sys.exit("FAIL: the server did not start within 30 seconds")
        line = self.process.stdout.readline()
        self.seconds = time.monotonic() - started
        found = re.search(r"http://([\d.]+):(\d+)", line)
        if not found:
            sys.exit(f"FAIL: the server did not start: {line!r}")
        self.address = found.group(1), int(found.group(2))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Book:
    """What may be found under each key: the last acknowledged state, and what was under way when the server died."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.under_way = {}
        self.writes = 0

    def begin(self, key, state):
        with self.lock:
            self.under_way.setdefault(key, []).append(state)

    def acknowledge(self, key, state):
        with self.lock:
            self.acknowledged[key] = state
            self.under_way[key].remove(state)
            self.writes += 1

    def refuse(self, key, state):
        with self.lock:
            self.under_way[key].remove(state)


def multipart(client, path, seed, size):
    status, _, body = client.send("POST", path, query="uploads=")
    if status != 200:
        return status
    upload = re.search(rb"<UploadId>([^<]+)<", body).group(1).decode()
    whole, parts, part = content(seed, size), [], 5 << 20
    for number, at in enumerate(range(0, size, part), 1):
        query = f"partNumber={number}&uploadId={urllib.parse.quote(upload, safe='')}"
        status, headers, _ = client.send("PUT", path, whole[at:at + part], query)
        if status != 200:
            return status
        parts.append((number, {k.lower(): v for k, v in headers.items()}["etag"]))
    xml = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in parts)
    xml = f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode()
    status, _, body = client.send("POST", path, xml, f"uploadId={urllib.parse.quote(upload, safe='')}")
    return 200 if status == 200 and b"<ETag>" in body else 500


def work(address, book, worker, seed, stop):
    """Writes to keys of its own, so that the order of what it did is known."""
    rng = random.Random(seed)
    client = Client(*address)
    n = 0
    while not stop.is_set():
        n += 1
        key = f"w{worker}/k{rng.randrange(KEYS)}"
        path = f"/crash/{key}"
        kind = rng.random()
        try:
            if kind < 0.12:
                state = None
                book.begin(key, state)
                status = client.send("DELETE", path)[0]
            elif kind < 0.17:
                state = [f"{seed}.{worker}.{n}", 11 << 20]
                book.begin(key, state)
                status = multipart(client, path, *state)
            else:
                state = [f"{seed}.{worker}.{n}", rng.choice(SIZES)]
                book.begin(key, state)
                status = client.send("PUT", path, content(*state))[0]
        except (OSError, http.client.HTTPException):
            return
        if status in (200, 204):
            book.acknowledge(key, state)
        else:
            sys.stderr.write(f"status {status} for {key}\n")
            book.refuse(key, state)


def check(client, book):
    """Every key holds an acknowledged state, or one that was under way; answers what is wrong."""
    wrong = []
    listed, after = set(), ""
    while True:
        query = "list-type=2&max-keys=1000" + (f"&start-after={urllib.parse.quote(after, safe='')}" if after else "")
        query = "&".join(sorted(query.split("&")))
        status, _, body = client.send("GET", "/crash", query=query)
        if status != 200:
            return [f"list: {status} {body[:200]}"]
        page = [k.decode() for k in re.findall(rb"<Key>([^<]+)</Key>", body)]
        listed |= set(page)
        if b"<IsTruncated>true" not in body:
            break
        after = page[-1]
    for key in sorted(set(book.acknowledged) | set(book.under_way) | listed):
        allowed = [book.acknowledged.get(key), *book.under_way.get(key, [])]
        status, _, body = client.send("GET", f"/crash/{key}")
        if status == 404:
            found = None
        elif status == 200:
            digest = hashlib.sha256(body).digest()
            found = next((s for s in allowed if s and s[1] == len(body)
                          and hashlib.sha256(content(*s)).digest() == digest), "partial or foreign")
        else:
            found = f"status {status}"
        if found not in allowed:
            wrong.append(f"{key}: {found}, may be {allowed}")
        elif (found is not None) != (key in listed):
            wrong.append(f"{key}: the listing and the object disagree")
        else:
            # From here on it is known which of the two it was.
            book.acknowledged[key] = found
    book.under_way.clear()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="kills")
    parser.add_argument("--seconds", type=float, default=1800, help="time limit of the whole run")
    parser.add_argument("--binary", default=os.environ.get("REFRACT_BIN", str(ROOT / "target/debug/refract")))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--durability", default="sync", choices=["sync", "relaxed"])
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    directory = tempfile.mkdtemp(prefix="refract-crash-")
    book, slowest, kills, started = Book(), 0.0, 0, time.monotonic()
    try:
        server = Server(options.binary, directory, options.durability)
        Client(*server.address).send("PUT", "/crash")
        while kills < options.count:
            if time.monotonic() - started > options.seconds:
                sys.exit(f"FAIL: {kills} of {options.count} kills within {options.seconds} seconds")
            stop = threading.Event()
            threads = [threading.Thread(target=work, args=(server.address, book, w, options.seed + kills, stop))
                       for w in range(WORKERS)]
            for thread in threads:
                thread.start()
            time.sleep(rng.uniform(0.05, 0.8))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            kills += 1
            server = Server(options.binary, directory, options.durability)
            slowest = max(slowest, server.seconds)
            if server.seconds > 1:
                server.kill()
                sys.exit(f"FAIL: the start after kill {kills} took {server.seconds:.2f} s")
            wrong = check(Client(*server.address), book)
            if wrong:
                server.kill()
                sys.exit(f"FAIL after kill {kills} (seed {options.seed}):\n" + "\n".join(wrong[:20]))
        server.kill()
        print(f"{kills} kills, {book.writes} acknowledged writes, none lost, none partial; "
              f"slowest start {slowest * 1000:.0f} ms; {time.monotonic() - started:.0f} s")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
