#!/usr/bin/env python3
"""Refract beside its peers, in one run on loopback: `benches/compare.py [--seconds 3] [--peers DIR]`; and by itself, in
many short rounds that have both sides each, whose ratios a machine's moods change less: `--before BINARY` beside another
build, `--encrypted` a bucket with SSE-S3 beside a plain one.

Prints, for GET and PUT of each size at 1 and 16 connections: requests a second, the server's processor time a request,
and at the end each server's peak of resident memory and what SSE-S3 costs. Refract has rows of a plain bucket, of one
with versions, of one with SSE-S3, and of a lens. Peers that are not at hand are left out by name: nginx (on the
PATH), s3s-fs (`cargo install --root DIR s3s-fs --version 0.14.1 --features binary`), moto (`pip install moto[server]`
in the Python that runs this). Build first: `cargo build --release --bins --bench load`.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
KEY_ID, SECRET = "AKIABENCH00000000000", "bench-secret-access-key-0000000000000000"
KIB, MIB = 1 << 10, 1 << 20
SIZES = [4 * KIB, 64 * KIB, MIB, 64 * MIB]
# What buckets of Refract are configured with: name, subresource, document.
VERSIONED, SEALED = "bench-versioned", "bench-sse"
CONFIGURED = [
    (VERSIONED, "versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
    (SEALED, "encryption", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>"
     "AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"),
]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing answers at port {port}")


class Bench:
    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="refract-bench-", dir=options.directory))
        self.running = {}
        self.peaks = {}
        found = sorted((ROOT / "target/release/deps").glob("load-*"), key=lambda p: p.stat().st_mtime)
        found = [p for p in found if os.access(p, os.X_OK) and p.suffix == ""]
        if not found:
            sys.exit("the load client is not there: cargo build --release --bench load")
        self.client = str(found[-1])

    def start(self, name, command, port=None, environment=None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE if port is None else subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, text=True)
        if port is None:
            port = int(re.search(r":(\d+)", process.stdout.readline()).group(1))
        wait_for(port)
        self.running[name] = (process, port)

    def load(self, name, op, size=4 * KIB, connections=1, prefix="/bench/", seconds=None, **more):
        process, port = self.running[name]
        keys = 4 if size > MIB else 64
        arguments = {"addr": f"127.0.0.1:{port}", "op": op, "size": size, "connections": connections,
                     "prefix": prefix, "pid": process.pid, "keys": keys, "seconds": seconds or self.options.seconds, **more}
        if name != "nginx":
            arguments |= {"key-id": KEY_ID, "secret": SECRET}
        words = [w for k, v in arguments.items() for w in (f"--{k}", str(v))]
        if op == "put":
            os.sync()  # What another server left unwritten is not this one's to wait for.
        done = subprocess.run([self.client, *words], capture_output=True, text=True)
        if done.returncode:
            return {"failed": done.stderr.strip()}
        result = json.loads(done.stdout)
        self.peaks[name] = max(self.peaks.get(name, 0), result.get("peak_mib", 0))
        return result

    def refract(self, name, durability, binary=ROOT / "target/release/refract"):
        data = self.directory / name
        self.start(name, [str(binary), "serve", "--listen", "127.0.0.1:0", "--data-dir",
                          str(data), "--durability", durability],
                   environment={"REFRACT_ROOT_ACCESS_KEY_ID": KEY_ID, "REFRACT_ROOT_SECRET_ACCESS_KEY": SECRET})

    def lens(self):
        url = f"http://127.0.0.1:{self.running['refract'][1]}"
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        binary = str(ROOT / "target/release/refract")
        run = lambda *words: json.loads(subprocess.run(  # noqa: E731
            [binary, *words, "--endpoint-url", url], env=environment, capture_output=True, text=True, check=True).stdout)
        run("access-point", "put", "bench-ap", "--bucket", "bench")
        return run("object-lambda", "put", "bench-lens", "--access-point", "bench-ap", "--function",
                   "builtin-identity")["alias"]

    def configure(self):
        """Makes Refract's buckets with versions and with encryption."""
        for bucket, subresource, document in CONFIGURED:
            self.load("refract", "create", prefix=f"/{bucket}/")
            done = self.load("refract", "configure", target=f"/{bucket}?{subresource}", document=document)
            if "failed" in done:
                sys.exit(done["failed"])

    def start_all(self):
        self.refract("refract", "sync")
        self.refract("refract-relaxed", "relaxed")
        if shutil.which("nginx"):
            port, root = free_port(), self.directory / "nginx"
            (root / "bench").mkdir(parents=True)
            for size in SIZES:
                for key in range(4 if size > MIB else 64):
                    (root / "bench" / f"o{size}-{key}").write_bytes(os.urandom(min(size, MIB)) * max(1, size // MIB))
            conf = root / "nginx.conf"
            conf.write_text(
                f"daemon off; worker_processes 2; pid {root}/pid; error_log /dev/null;\n"
                f"events {{}} http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; "
                f"client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; "
                f"uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5; "
                f"server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n")
            os.chmod(self.directory, 0o755)
            self.start("nginx", ["nginx", "-c", str(conf), "-e", "/dev/null"], port)
        s3s = pathlib.Path(self.options.peers) / "bin" / "s3s-fs"
        if s3s.exists():
            port, root = free_port(), self.directory / "s3s-fs"
            root.mkdir()
            self.start("s3s-fs", [str(s3s), "--host", "127.0.0.1", "--port", str(port), "--access-key", KEY_ID,
                                  "--secret-key", SECRET, str(root)], port, {"RUST_LOG": "error"})
        if subprocess.run([sys.executable, "-c", "import moto.server"], capture_output=True).returncode == 0:
            port = free_port()
            self.start("moto", [sys.executable, "-m", "moto.server", "-p", str(port), "-H", "127.0.0.1"], port)
        missing = {"nginx", "s3s-fs", "moto"} - set(self.running)
        print(f"servers: {', '.join(self.running)}" + (f"; not at hand: {', '.join(sorted(missing))}" if missing else ""))

    def run(self):
        self.start_all()
        for name in self.running:
            if name != "nginx":
                self.load(name, "create")
        self.configure()
        alias = self.lens()
        costs = {}
        print(f"{'':12} {'':>8} {'conns':>5}  {'server':22} {'requests/s':>11} {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8}")
        for op in ("get", "put"):
            for size in SIZES:
                shown = f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"
                if op == "get":
                    for name in self.running:
                        if name != "nginx":
                            self.load(name, "fill", size)
                    for bucket, *_ in CONFIGURED:
                        self.load("refract", "fill", size, prefix=f"/{bucket}/")
                for connections in (1, 16):
                    for name in list(self.running):
                        if op == "put" and name == "nginx":
                            continue
                        rows = [(name, "/bench/")]
                        if name == "refract":
                            rows += [("refract, versioned", f"/{VERSIONED}/"), ("refract, SSE-S3", f"/{SEALED}/"),
                                     ("refract, identity lens", f"/{alias}/")]
                        for label, prefix in rows:
                            row = self.load(name, op, size, connections, prefix)
                            if "failed" in row:
                                print(f"{op.upper():12} {shown:>8} {connections:5}  {label:22} failed: {row['failed']}")
                                continue
                            costs[op, shown, connections, label] = row
                            note = f"  {row['errors']} errors" if row["errors"] else ""
                            print(f"{op.upper():12} {shown:>8} {connections:5}  {label:22} {row['requests_s']:11.1f} "
                                  f"{row['cpu_ms']:8.3f} {row['p50_ms']:8.3f} {row['p99_ms']:8.3f}{note}", flush=True)
        print("SSE-S3 beside plain: requests a second, CPU a request")
        for (op, shown, connections, label), row in costs.items():
            if label == "refract, SSE-S3" and (plain := costs.get((op, shown, connections, "refract"))):
                print(f"{op.upper():12} {shown:>8} {connections:5}  {row['requests_s'] / plain['requests_s']:7.2f} "
                      f"{row['cpu_ms'] / plain['cpu_ms']:7.2f}")
        print("peak of resident memory, MiB: " + ", ".join(f"{n} {p}" for n, p in self.peaks.items()))

    def pairs(self, label, sides, op, size, connections):
        """Both sides in each round, in turns the first: (name, prefix) twice, of which the second is divided by the
        first."""
        rows = {side: [] for side in sides}
        for number in range(self.options.rounds):
            for side in sides if number % 2 else reversed(sides):
                name, prefix = side
                row = self.load(name, op, size, connections, prefix)
                if "failed" in row or row["errors"]:
                    sys.exit(f"{label}: {row.get('failed') or row['first_error']}")
                rows[side].append(row)
        before, now = rows.values()
        text = ""
        for field, digits in (("requests_s", 0), ("cpu_ms", 3)):
            quarters = statistics.quantiles([n[field] / b[field] for b, n in zip(before, now)], n=4)
            middle = [statistics.median(row[field] for row in side) for side in (before, now)]
            text += (f"  {middle[0]:10.{digits}f} {middle[1]:10.{digits}f} {quarters[1]:6.2f} "
                     f"({quarters[0]:.2f} to {quarters[2]:.2f})")
        print(f"{label:22}{text}", flush=True)

    def head(self, first, second):
        print(f"medians of {self.options.rounds} rounds of {self.options.seconds} s, and of their ratios (quartiles)\n"
              f"{'':22}" + "".join(f"  {f'{what}, {first}':>10} {second:>10} {'ratio':>6}{'':15}"
                                  for what in ("requests/s", "CPU ms")))

    def beside(self, other):
        """This build beside another."""
        for name, binary in (("before", other), ("now", ROOT / "target/release/refract")):
            self.refract(name, "sync", binary)
            self.load(name, "create")
        self.head("before", "now")
        sides = [("before", "/bench/"), ("now", "/bench/")]
        for op in ("get", "put"):
            for size in SIZES:
                shown = f"{op.upper()} {size // MIB} MiB" if size >= MIB else f"{op.upper()} {size // KIB} KiB"
                for name, _ in sides:
                    self.load(name, "fill", size)
                for connections in (1, 16):
                    self.pairs(f"{shown}, {connections}", sides, op, size, connections)
        print("peak of resident memory, MiB: " + ", ".join(f"{n} {p}" for n, p in self.peaks.items()))

    def encrypted(self):
        """What SSE-S3 costs on a GET of 1 MiB."""
        self.refract("refract", "sync")
        self.load("refract", "create")
        self.configure()
        sides = [("refract", "/bench/"), ("refract", f"/{SEALED}/")]
        for _, prefix in sides:
            self.load("refract", "fill", MIB, prefix=prefix)
            self.load("refract", "get", MIB, 16, prefix)
        self.head("plain", "SSE-S3")
        for connections in (1, 16):
            self.pairs(f"GET 1 MiB, {connections}", sides, "get", MIB, connections)

    def stop(self):
        for process, _ in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--peers", default=str(ROOT / "target/peers"), help="where s3s-fs was installed")
    parser.add_argument("--directory", default=None, help="where the servers keep their data")
    parser.add_argument("--before", default=None, metavar="BINARY", help="another build of refract, to be compared with")
    parser.add_argument("--encrypted", action="store_true", help="what SSE-S3 costs on a GET of 1 MiB")
    parser.add_argument("--rounds", type=int, default=21, help="of --before and --encrypted; shorten them by --seconds")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        if options.before:
            bench.beside(options.before)
        if options.encrypted:
            bench.encrypted()
        if not options.before and not options.encrypted:
            bench.run()
    finally:
        bench.stop()


if __name__ == "__main__":
    main()
