#!/usr/bin/env python3
"""What functions cost, in one run on loopback: `tests/compat/.venv/bin/python benches/functions.py [PART …]`.

Parts, all unless named: `latency` (a GET of 1 KiB through each kind of function, beside a plain one), `cold` (the first
one), `stream` (one large object), `instances` (memory of 1,000 live Wasm instances), `attacks` (the p99 of other
functions while hostile ones run, beside without). What differs by less than the machine's noise is measured in rounds,
one kind after the other, and the differences or ratios of each round are taken: the median is printed, and the least.

Needs boto3. Build first: `cargo build --release --bins --bench load --bench handler`.
"""
import argparse
import base64
import concurrent.futures
import contextlib
import http.client
import io
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zipfile

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[1]
KEY_ID, SECRET = "AKIABENCH00000000000", "bench-secret-access-key-0000000000000000"
ACCOUNT = "000000000000"
KIB, MIB = 1 << 10, 1 << 20
# Bytes a second of a line of one Gbit/s.
GBIT = 125_000_000
PARTS = ("latency", "cold", "stream", "instances", "attacks")
PYTHON = f"python3.{sys.version_info.minor}"

# With nothing but the standard library: what starts is the platform's and the interpreter's own time.
BARE = "def handler(event, context):\n    return event\n"
BOTO3 = "import boto3\ns3 = boto3.client('s3')\ndef handler(event, context):\n    return event\n"
LOOP = "def handler(event, context):\n    "
HOSTILE = {
    "endless loop": LOOP + "while True: pass\n",
    "loop in its init": "while True: pass\n",
    "fork bomb": "import os\n" + LOOP + "while True:\n        try: os.fork()\n        except OSError: pass\n",
    "memory hog": LOOP + "x = []\n    while True: x.append(bytearray(10 << 20))\n",
    "endless output": LOOP + "while True: print('x' * 1000)\n",
    "many threads that write": "import os, threading\n" + LOOP + (
        "def write():\n        while True:\n            with open('/tmp/x%d' % threading.get_ident(), 'wb') as file:\n"
        "                try:\n                    while True: file.write(b'x' * 65536)\n"
        "                except OSError: pass\n    [threading.Thread(target=write).start() for _ in range(64)]\n"),
}


def package(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o755 << 16
            archive.writestr(info, content)
    return out.getvalue()


def built(name, directory):
    found = pathlib.Path(directory).glob(f"{name}-*")
    found = sorted((p for p in found if os.access(p, os.X_OK) and p.suffix == ""), key=lambda p: p.stat().st_mtime)
    if not found:
        sys.exit(f"{name} is not there: cargo build --release --bench {name}")
    return str(found[-1])


class Server:
    """Refract, and what is measured of it."""

    def __init__(self, options):
        self.options = options
        self.binary = options.binary
        self.directory = tempfile.TemporaryDirectory(prefix="refract-bench-", dir=options.directory)
        self.data = pathlib.Path(self.directory.name) / "store"
        self.runtimes = options.runtimes or str(pathlib.Path(self.directory.name) / "runtimes")
        self.client = built("load", options.build)
        self.process = None
        self.start()
        self.s3 = self.aws("s3")
        self.s3.create_bucket(Bucket="bench")
        self.refract("access-point", "put", "bench-ap", "--bucket", "bench")

    def start(self):
        environment = {**os.environ, "REFRACT_ROOT_ACCESS_KEY_ID": KEY_ID, "REFRACT_ROOT_SECRET_ACCESS_KEY": SECRET}
        self.process = subprocess.Popen(
            [self.binary, "serve", "--listen", f"127.0.0.1:{getattr(self, 'port', 0)}", "--data-dir", str(self.data),
             "--allow-weak-isolation", "--runtime-dir", self.runtimes],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
        self.port = int(re.search(r":(\d+)", self.process.stdout.readline()).group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def aws(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY_ID,
                            aws_secret_access_key=SECRET,
                            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=120))

    def refract(self, *words):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        done = subprocess.run([self.binary, *words, "--endpoint-url", self.url], env=environment, capture_output=True,
                              text=True)
        if done.returncode:
            sys.exit(f"refract {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def lens(self, function):
        name = re.sub("[^a-z0-9]+", "-", function)
        return self.refract("object-lambda", "put", f"lens-{name}", "--access-point", "bench-ap", "--function",
                            function)["alias"]

    def probe(self):
        """The Wasm guest of the tests, whose first letter of the key says what it does."""
        component = pathlib.Path(self.directory.name) / "probe.wasm"
        source = ROOT / "transforms/functions/wasm/probe.component.wat"
        subprocess.run([self.client, "--op", "assemble", "--from", str(source), "--to", str(component)], check=True)
        self.refract("function", "put", "probe", "--wasm", str(component), "--concurrency", "1000")
        self.refract("function", "put", "hostile-probe", "--wasm", str(component), "--concurrency", "1000")
        return self.lens("probe")

    def create(self, name, files, runtime=PYTHON, handler="app.handler", **more):
        client = self.aws("lambda")
        options = {"MemorySize": 1769, "Timeout": 10, **more}
        client.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Code={"ZipFile": package(files)},
                               Role=self.role(), **options)
        client.get_waiter("function_active_v2").wait(FunctionName=name)

    def role(self):
        """The execution role of all functions, which may answer."""
        if not hasattr(self, "made_role"):
            trust = {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
            iam = self.aws("iam")
            made = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(trust))
            iam.attach_role_policy(RoleName="bench", PolicyArn="arn:aws:iam::aws:policy/service-role/"
                                                               "AmazonS3ObjectLambdaExecutionRolePolicy")
            self.made_role = made["Role"]["Arn"]
        return self.made_role

    def bootstrap(self, name):
        with open(built("handler", self.options.build), "rb") as file:
            self.create(name, {"bootstrap": file.read()}, runtime="provided.al2023", handler="any")

    def load(self, prefix, seconds, connections=1, size=KIB, op="get", keys=16, strict=True):
        """p50 and p99 in ms, by the client of `load.rs`. A request that fails ends the bench, unless told otherwise."""
        arguments = {"addr": f"127.0.0.1:{self.port}", "op": op, "size": size, "connections": connections,
                     "prefix": prefix, "pid": self.process.pid, "keys": keys, "seconds": seconds, "key-id": KEY_ID,
                     "secret": SECRET}
        done = subprocess.run([self.client, *(w for k, v in arguments.items() for w in (f"--{k}", str(v)))],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{prefix}: {done.stderr}")
        result = json.loads(done.stdout)
        if result["errors"] and strict:
            sys.exit(f"{prefix}: {result['errors']} of {result['requests_s'] * seconds:.0f} requests failed, the "
                     f"first with {result['first_error']}")
        return result

    def fill(self):
        """Objects of 1 KiB of text, which the guest copies (`c`) and the redaction leaves at their length."""
        text = (ROOT / "data/samples/access.log").read_bytes()
        for key in range(16):
            self.s3.put_object(Bucket="bench", Key=f"co{KIB}-{key}", Body=text[key * KIB:][:KIB], ContentType="text/plain")

    def presigned(self, bucket, key):
        url = self.s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        parts = urllib.parse.urlsplit(url)
        return f"{parts.path}?{parts.query}"

    def get(self, path):
        """A GET on a new connection: seconds to its end, and the length of its body."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path)
        answer = connection.getresponse()
        length = 0
        while chunk := answer.read(MIB):
            length += len(chunk)
        connection.close()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status}")
        return time.perf_counter() - began, length

    def resident(self):
        """The server's memory without what it maps of files, in KiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", text).group(1))


def bar(value, limit, above=False):
    return "ok" if (value >= limit if above else value < limit) else "MISSED"


def round_trip():
    """Median time in ms of one byte to another process and back, over loopback: what a machine takes to wake processes."""
    listener = socket.create_server(("127.0.0.1", 0))
    if os.fork() == 0:
        with listener.accept()[0] as other:
            other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while byte := other.recv(1):
                other.send(byte)
        os._exit(0)
    times = []
    with socket.create_connection(listener.getsockname()) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(5000):
            began = time.perf_counter()
            one.send(b"x")
            one.recv(1)
            times.append(time.perf_counter() - began)
    listener.close()
    os.wait()
    return statistics.median(times) * 1e3


def latency(server):
    kinds = {"built-in": (f"/{server.lens('builtin-redact')}/c", 0.1), "Wasm": (f"/{server.probe_alias}/c", 0.2)}
    server.bootstrap("warm")
    kinds["warm process"] = (f"/{server.lens('warm')}/c", 0.5)
    server.fill()
    seconds = server.options.seconds
    for prefix, _ in kinds.values():
        server.load(prefix, 0.5)
    rounds = []
    for _ in range(server.options.rounds):
        one = {"plain": server.load("/bench/c", seconds)["p50_ms"]}
        one |= {kind: server.load(prefix, seconds)["p50_ms"] for kind, (prefix, _) in kinds.items()}
        rounds.append(one)
    print(f"\nGET of 1 KiB, p50 of one connection, {len(rounds)} rounds of {seconds} s\n"
          f"{'':14} {'ms':>8} {'added, least':>13} {'median':>8} {'bar':>6}")
    print(f"{'a round trip':14} {round_trip():8.3f}  of one byte between two processes: a warm process takes two and more")
    print(f"{'plain':14} {min(one['plain'] for one in rounds):8.3f}")
    for kind, (_, limit) in kinds.items():
        added = [one[kind] - one["plain"] for one in rounds]
        print(f"{kind:14} {min(one[kind] for one in rounds):8.3f} {min(added):13.3f} {statistics.median(added):8.3f} "
              f"{limit:6} {bar(statistics.median(added), limit)}")


def cold(server):
    """Wasm after a restart, when nothing but the file is there; a process whose version is new."""
    server.fill()
    plain, wasm = server.presigned("bench", "co1024-0"), server.presigned(server.probe_alias, "co1024-0")
    first, warm = [], []
    for _ in range(server.options.rounds):
        server.stop()
        server.start()
        time.sleep(1)
        # The first request of a process pays for more than a function.
        for _ in range(20):
            server.get(plain)
        first.append(server.get(wasm)[0] * 1e3)
        warm.append(min(server.get(plain)[0] for _ in range(20)) * 1e3)
    added = [one - other for one, other in zip(first, warm)]
    print(f"\nCold starts, {len(first)} each\n{'':30} {'least ms':>9} {'median':>8} {'bar':>6}")
    print(f"{'Wasm, after a restart, added':30} {min(added):9.2f} {statistics.median(added):8.2f} {5:6} {bar(statistics.median(added), 5)}")
    client = server.aws("lambda")
    files = {"Python": ({"app.py": BARE}, PYTHON, 120), "Python with boto3": ({"app.py": BOTO3}, PYTHON, None),
             "Node.js": ({"app.mjs": "export const handler = async (event) => event;\n"}, "nodejs20.x", None)}
    for name, (code, runtime, limit) in files.items():
        function = "cold-" + re.sub("[^a-z0-9]", "", name.lower())
        server.create(function, code, runtime)
        warmed, started = [], []
        for number in range(server.options.rounds * 2):
            client.update_function_configuration(FunctionName=function, Description=str(number))
            for times in (started, warmed):
                began = time.perf_counter()
                answer = client.invoke(FunctionName=function, Payload=b"{}")
                times.append((time.perf_counter() - began) * 1e3)
                if "FunctionError" in answer:
                    print(f"{name:30} failed: {answer['Payload'].read().decode()[:100]}")
                    break
            else:
                continue
            break
        else:
            added = [one - other for one, other in zip(started, warmed)]
            verdict = f"{limit:6} {bar(statistics.median(added), limit)}" if limit else ""
            print(f"{name + ', added':30} {min(added):9.2f} {statistics.median(added):8.2f} {verdict}")


def drain(port, path):
    """A GET by large reads into one buffer: seconds to its end, and bytes."""
    buffer, total = bytearray(4 * MIB), 0
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        began = time.perf_counter()
        while read := stream.recv_into(buffer):
            if not total and not buffer.startswith(b"HTTP/1.1 200"):
                sys.exit(f"{path}: {bytes(buffer[:200])}")
            total += read
    return time.perf_counter() - began, total


def stream(server):
    size = 256 * MIB
    server.s3.put_object(Bucket="bench", Key="c-large", Body=os.urandom(size))
    rates = {"plain": [], "Wasm": []}
    for _ in range(server.options.rounds):
        for name, bucket in (("plain", "bench"), ("Wasm", server.probe_alias)):
            took, total = drain(server.port, server.presigned(bucket, "c-large"))
            if total < size:
                sys.exit(f"{name}: {total} of {size} bytes")
            rates[name].append(size / took / 1e6)
    print(f"\nOne object of 256 MiB, MB/s\n{'':14} {'best':>8} {'median':>8} {'bar':>6}")
    for name, all_of in rates.items():
        verdict = f"{500:6} {bar(statistics.median(all_of), 500, above=True)}" if name == "Wasm" else ""
        print(f"{name:14} {max(all_of):8.0f} {statistics.median(all_of):8.0f} {verdict}")


def instances(server):
    """Memory of instances that compute, with nothing to hold but themselves; and of those whose answers are held open,
    with what is on its way, beside plain answers that are."""
    count = 1000
    server.s3.put_object(Bucket="bench", Key="c-held", Body=os.urandom(8 * MIB))
    server.s3.put_object(Bucket="bench", Key="l-held", Body=b"x")

    def hold(bucket, key, wait):
        """Connections that read no more than the first bytes; the growth of memory with them."""
        # What an allocator keeps of earlier ones would hide what is used.
        server.stop()
        server.start()
        path = server.presigned(bucket, key)
        server.get(server.presigned("bench", key))
        before, held = server.resident(), []
        for _ in range(count):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", server.port))
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            if not wait and one.recv(12) != b"HTTP/1.1 200":
                sys.exit(f"connection {len(held)} was not answered 200")
            held.append(one)
        time.sleep(max(wait, 1))
        grown = (server.resident() - before) / KIB
        further = None
        if bucket != "bench":
            # One more finds no room, which shows that so many are alive.
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", server.presigned(bucket, key))
            further = connection.getresponse().status
        for one in held:
            one.close()
        return grown, further

    alone, full = hold(server.probe_alias, "l-held", 4)
    wasm, full_too = hold(server.probe_alias, "c-held", 0)
    plain, _ = hold("bench", "c-held", 0)
    print(f"\n{count} live Wasm instances, MiB of the server's own memory (one more is answered {full}, {full_too})\n"
          f"{'that compute':30} {alone:7.0f} {200:6} {bar(alone, 200)}\n"
          f"{'whose answers are held open':30} {wasm:7.0f}\n{'plain answers held open':30} {plain:7.0f}")


def attacks(server):
    seconds = server.options.seconds
    victims = {"plain": "/bench/c", "built-in": f"/{server.lens('builtin-redact')}/c", "Wasm": f"/{server.probe_alias}/c"}
    server.bootstrap("victim")
    victims["process"] = f"/{server.lens('victim')}/c"
    server.fill()
    hostile_probe = server.lens("hostile-probe")
    for letter in "lmw":
        server.s3.put_object(Bucket="bench", Key=f"{letter}-attack", Body=os.urandom(MIB))
    server.s3.put_object(Bucket="bench", Key="c-slow", Body=os.urandom(8 * MIB))
    client = server.aws("lambda")

    def idle():
        # Whoever attacks computes elsewhere: here, only when nobody else wants to.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    @contextlib.contextmanager
    def invoke(name):
        """Two callers of a function, as the SDK has them: they wait for it nearly all of the time."""
        over = threading.Event()

        def keep_on():
            idle()
            while not over.is_set():
                try:
                    client.invoke(FunctionName=name, Payload=b"{}")
                except ClientError:
                    time.sleep(0.05)

        # The pool waits for attacks under way: the next round begins without any.
        with concurrent.futures.ThreadPoolExecutor(2) as callers:
            running = [callers.submit(keep_on) for _ in range(2)]
            try:
                yield
            finally:
                over.set()
        for one in running:
            one.result()

    @contextlib.contextmanager
    def repeat(request, status, connections=2, rate=GBIT, pause=0):
        """A request again and again, each over a connection of its own, by a client that uses as little of the processor
        as can be. Without `status`, it is answered too late to be looked at first; without `rate`, in bytes a second, it
        is read slowly. The pause, in ms, is between two of a connection."""
        raw = request()
        if status:
            with socket.create_connection(("127.0.0.1", server.port)) as one:
                one.sendall(raw)
                answer = one.recv(12)
            if answer != f"HTTP/1.1 {status}".encode():
                sys.exit(f"an attack is answered {answer}, not {status}")
        file = pathlib.Path(server.directory.name) / "request"
        file.write_bytes(raw)
        arguments = {"addr": f"127.0.0.1:{server.port}", "op": "repeat", "request": file, "connections": connections,
                     "rate": rate, "pause": pause}
        attacker = subprocess.Popen([server.client, *(str(w) for k, v in arguments.items() for w in (f"--{k}", v))],
                                    preexec_fn=idle)
        try:
            yield
        finally:
            attacker.kill()
            attacker.wait()

    def read(bucket, key):
        return lambda: (f"GET {server.presigned(bucket, key)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                        "Connection: close\r\n\r\n").encode()

    large = json.dumps({"ZipFile": base64.b64encode(package({"app.py": bytes(300 * MIB)})).decode()}).encode()

    def bomb():
        path = "/2015-03-31/functions/hostile0/code"
        signed = AWSRequest("PUT", f"http://127.0.0.1:{server.port}{path}", {"Content-Type": "application/json"}, large)
        SigV4Auth(Credentials(KEY_ID, SECRET), "lambda", "us-east-1").add_auth(signed)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items())
        return (f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n{head}"
                f"Content-Length: {len(large)}\r\n\r\n").encode() + large

    # What a machine does alone, and what any load does to others.
    all_of = {"none": contextlib.nullcontext,
              "honest: small by Wasm": lambda: repeat(read(hostile_probe, f"co{KIB}-0"), 200),
              "honest: large plain": lambda: repeat(read("bench", "c-slow"), 200),
              "honest: slow readers": lambda: repeat(read("bench", "c-slow"), 200, 50, rate=0)}
    for number, (label, source) in enumerate(HOSTILE.items()):
        name = f"hostile{number}"
        # As AWS has it unless told otherwise: 128 MB, and 3 seconds.
        server.create(name, {"app.py": source}, MemorySize=128, Timeout=3)
        all_of[label] = lambda name=name: invoke(name)
    # An SDK takes some milliseconds for its part of each.
    all_of["zip bomb"] = lambda: repeat(bomb, 400, 1, pause=3)
    for letter, status, what in (("l", None, "endless loop"), ("m", 500, "memory hog"), ("w", 200, "endless output")):
        all_of[f"Wasm: {what}"] = lambda letter=letter, status=status: repeat(read(hostile_probe, f"{letter}-attack"), status)
    all_of["slow readers"] = lambda: repeat(read(hostile_probe, "c-slow"), 200, 50, rate=0)

    rounds = server.options.rounds
    print(f"\np99 in ms of a GET of 1 KiB, 2 connections: without, and while another function is hostile. Medians of "
          f"{rounds} rounds,\neach of which has both, and of their ratios (bar: 2×), with the quartiles of those. First what "
          f"the machine does alone, and what callers do who attack nobody. Who attacks by HTTP reads 1 Gbit/s at most\n"
          f"{'':26}" + "".join(f"{name:>34}" for name in victims))
    wanted = server.options.attacks and server.options.attacks.split(",")
    for label, attack in all_of.items():
        if wanted and label not in wanted:
            continue
        calm, held = {name: [] for name in victims}, {name: [] for name in victims}
        failed = {}
        for _ in range(rounds):
            for name, prefix in victims.items():
                calm[name].append(server.load(prefix, seconds, 2)["p99_ms"])
            with attack():
                time.sleep(0.5)
                for name, prefix in victims.items():
                    result = server.load(prefix, seconds, 2, strict=False)
                    held[name].append(result["p99_ms"])
                    if result["errors"]:
                        failed[name] = f"{result['errors']} requests failed, the first with {result['first_error']}"
            # What was killed takes its time to go.
            time.sleep(0.5)
        row = ""
        for name in victims:
            ratios = sorted(h / c for h, c in zip(held[name], calm[name]))
            ratio = statistics.median(ratios)
            row += (f"{statistics.median(calm[name]):10.3f} {statistics.median(held[name]):7.3f} {ratio:4.1f}× "
                    f"({ratios[len(ratios) // 4]:.1f}-{ratios[len(ratios) * 3 // 4]:.1f}){' ' if ratio <= 2 else '!'}")
        print(f"{label:26}{row}" + "".join(f"; {name}: {why}" for name, why in failed.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what is measured")
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="how often")
    parser.add_argument("--binary", default=str(ROOT / "target/release/refract"), help="the server")
    parser.add_argument("--build", default=str(ROOT / "target/release/deps"), help="where the load client and the handler are")
    parser.add_argument("--directory", default=None, help="where it keeps its data")
    parser.add_argument("--attacks", default=None, help="only those of these names, with commas between them")
    parser.add_argument("--runtimes", default=None, help="a runtime directory with boto3, for a cold start with it")
    options = parser.parse_args()
    server = Server(options)
    try:
        server.probe_alias = server.probe()
        for part in options.parts or PARTS:
            globals()[part](server)
    finally:
        server.stop()
        server.directory.cleanup()


if __name__ == "__main__":
    main()
