#!/usr/bin/env python3
"""An object of 5 GiB by multipart, and back through a bucket, an identity lens and a compressing lens, each by one
plain GET: `tests/large.py [--gib 5] [--limit-mib 128] [--binary FILE]`. Prints the server's peak resident memory.

Only the standard library is needed. The object is made as it is sent, and compared as it comes.
"""
import argparse
import hashlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import urllib.parse
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from crash import Client, Server, ROOT  # noqa: E402

PART = 64 << 20


def part(number):
    """Half noise, half text that packs well: different in every part."""
    noise = hashlib.sha256(str(number).encode()).digest()
    block = b"".join(hashlib.sha256(noise + bytes([i & 255, i >> 8])).digest() for i in range(2048))
    return ((block + (f"part {number} " * 16384).encode()[:65536]) * (PART // 131072))[:PART]


def stream(client, path, unpack=None):
    """A GET whose body is fed to a hash piece by piece."""
    answer = client.open("GET", path)
    digest, size, raw = hashlib.sha256(), 0, 0
    while piece := answer.read(1 << 20):
        raw += len(piece)
        if unpack:
            piece = unpack.decompress(piece)
        digest.update(piece)
        size += len(piece)
    if unpack:
        rest = unpack.flush()
        digest.update(rest)
        size += len(rest)
    return answer.status, digest.hexdigest(), size, raw


def peak(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) / 1024


def admin(client, path, document):
    import json
    status, _, body = client.send("PUT", f"/_refract/v1/{path}", json.dumps(document).encode(),
                                  headers={"content-type": "application/json"})
    assert status in (200, 201), body
    return json.loads(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gib", type=float, default=5)
    parser.add_argument("--limit-mib", type=float, default=128, help="of resident memory at the peak")
    parser.add_argument("--binary", default=os.environ.get("REFRACT_BIN", str(ROOT / "target/release/refract")))
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="refract-large-", dir=os.environ.get("TMPDIR"))
    server = Server(options.binary, directory, "sync", sys.stderr)
    try:
        client = Client(*server.address)
        client.send("PUT", "/crash")
        admin(client, "access-points/large-ap", {"bucket": "crash"})
        lens = {name: admin(client, f"object-lambdas/large-{name}", {
            "access_point": "large-ap", "function": f"builtin-{name}"})["alias"] for name in ("identity", "compress")}
        parts = int(options.gib * (1 << 30)) // PART
        _, _, body = client.send("POST", "/crash/large", query="uploads=")
        upload = urllib.parse.quote(re.search(rb"<UploadId>([^<]+)<", body).group(1).decode(), safe="")
        whole, etags, started = hashlib.sha256(), [], time.monotonic()
        for number in range(1, parts + 1):
            bytes_ = part(number)
            whole.update(bytes_)
            status, headers, body = client.send("PUT", "/crash/large", bytes_, f"partNumber={number}&uploadId={upload}")
            assert status == 200, body
            etags.append({k.lower(): v for k, v in headers.items()}["etag"])
        xml = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in enumerate(etags, 1))
        status, _, body = client.send("POST", "/crash/large",
                                      f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode(),
                                      f"uploadId={upload}")
        assert status == 200 and b"<ETag>" in body, body
        size = parts * PART
        print(f"put {size >> 20} MiB in {parts} parts: {time.monotonic() - started:.0f} s, "
              f"peak {peak(server.process):.0f} MiB", flush=True)
        for name, path, unpack in (("plain", "/crash/large", None), ("identity", f"/{lens['identity']}/large", None),
                                   ("compress", f"/{lens['compress']}/large", zlib.decompressobj(31))):
            started = time.monotonic()
            status, digest, got, raw = stream(Client(*server.address), path, unpack)
            equal = (status, digest, got) == (200, whole.hexdigest(), size)
            print(f"{name}: status {status}, {raw >> 20} MiB sent, {'byte-equal' if equal else 'DIFFERENT'}, "
                  f"{time.monotonic() - started:.0f} s, peak {peak(server.process):.0f} MiB", flush=True)
            if not equal:
                sys.exit("FAIL: not what was put")
        most = peak(server.process)
        if most > options.limit_mib:
            sys.exit(f"FAIL: {most:.0f} MiB at the peak, over {options.limit_mib:.0f}")
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
