"""The example Wasm functions, built from their sources and read through: C in every run; JavaScript and Python, which bring
their interpreters and take minutes to compile unless the server is a release build, where REFRACT_WASM_GUESTS names the
directory that `transforms/functions/wasm/build DIR` filled."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError
from conftest import KEY_ID, ROOT, SECRET, binary

BUILD = ROOT / "transforms" / "functions" / "wasm" / "build"


def refract(server, *words):
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = subprocess.run([binary(), *words, "--endpoint-url", server.url], env=environment, capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


@pytest.fixture(scope="session")
def c_guests():
    """Built once for each state of the sources, into the workspace's directory of builds."""
    if not shutil.which("npm"):
        pytest.skip("no npm")
    target = ROOT / "target" / "compat-wasm"
    sources = [path for path in BUILD.parent.rglob("*") if path.is_file()]
    built = [target / name for name in ("digits.wasm", "proxy.wasm")]
    if not all(one.exists() for one in built) or min(one.stat().st_mtime for one in built) < max(
            source.stat().st_mtime for source in sources):
        done = subprocess.run([BUILD, target, "c"], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"the guests in C cannot be built: {done.stderr[-500:]}")
    return target


@pytest.fixture(scope="session")
def other_guests():
    directory = os.environ.get("REFRACT_WASM_GUESTS")
    if not directory:
        pytest.skip("REFRACT_WASM_GUESTS names no directory of built guests")
    return pathlib.Path(directory)


@pytest.fixture
def lens(server, bucket):
    """Registers a component, and makes a lens of it over the test's own bucket."""

    def make(component, payload=None):
        name = f"{bucket}-{component.stem}"[-40:].strip("-")
        refract(server, "function", "put", name, "--wasm", str(component))
        if not getattr(make, "point", None):
            make.point = f"{bucket}"[-40:].strip("-") + "-ap"
            refract(server, "access-point", "put", make.point, "--bucket", bucket)
        words = ["--payload", payload] if payload else []
        return refract(server, "object-lambda", "put", f"{name}-lens", "--access-point", make.point, "--function", name,
                       *words)["alias"]

    return make


def refusal(call, **more):
    with pytest.raises(ClientError) as caught:
        call(**more)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_c_of_the_world_transform(s3, bucket, lens, c_guests):
    alias = lens(c_guests / "digits.wasm")
    text = b"call 555-0199, or " * 100_000
    s3.put_object(Bucket=bucket, Key="t.txt", Body=text, ContentType="text/plain")
    s3.put_object(Bucket=bucket, Key="t.png", Body=b"\x89PNG", ContentType="image/png")
    read = s3.get_object(Bucket=alias, Key="t.txt")
    assert read["Body"].read() == text.replace(b"555-0199", b"***-****") and read["ContentType"] == "text/plain"
    part = s3.get_object(Bucket=alias, Key="t.txt", Range="bytes=5-12")
    assert part["Body"].read() == b"***-****"
    assert s3.head_object(Bucket=alias, Key="t.txt")["ContentLength"] == len(text)
    assert refusal(s3.get_object, Bucket=alias, Key="t.png") == ("NotText", 400)
    assert refusal(s3.get_object, Bucket=alias, Key="absent") == ("NoSuchKey", 404)


def test_c_of_wasi_http(s3, bucket, lens, c_guests):
    alias = lens(c_guests / "proxy.wasm")
    text = b"streams through a fetch handler\n" * 100_000
    s3.put_object(Bucket=bucket, Key="u.txt", Body=text)
    s3.put_object(Bucket=bucket, Key="e.txt", Body=text)
    read = s3.get_object(Bucket=alias, Key="u.txt")
    assert read["Body"].read() == text.upper()
    assert (read["ContentType"], read["Metadata"]) == ("text/x-loud", {"made-by": "proxy"})
    assert refusal(s3.get_object, Bucket=alias, Key="e.txt") == ("NotToday", 409)


def test_javascript_of_the_world_transform(s3, bucket, lens, other_guests):
    alias = lens(other_guests / "lines.wasm", '{"start": 10}')
    s3.put_object(Bucket=bucket, Key="t.txt", Body="eins\nzwei\ndr\u00e4i".encode())
    assert s3.get_object(Bucket=alias, Key="t.txt")["Body"].read().decode() == "10\teins\n11\tzwei\n12\tdr\u00e4i"


def test_javascript_of_wasi_http(s3, bucket, lens, other_guests):
    alias = lens(other_guests / "shout.wasm", '{"suffix": "!!"}')
    s3.put_object(Bucket=bucket, Key="t.txt", Body=b"one\ntwo", ContentType="text/plain")
    s3.put_object(Bucket=bucket, Key="t.png", Body=b"\x89PNG", ContentType="image/png")
    read = s3.get_object(Bucket=alias, Key="t.txt")
    assert (read["Body"].read(), read["ContentType"]) == (b"ONE!!\nTWO!!", "text/plain")
    assert refusal(s3.get_object, Bucket=alias, Key="t.png") == ("NotText", 400)


def test_python_of_the_world_transform(s3, bucket, lens, other_guests):
    rows = [{"name": f"n{n}", "city": "c", "secret": n} for n in range(5000)]
    s3.put_object(Bucket=bucket, Key="t.jsonl", Body="".join(json.dumps(row) + "\n" for row in rows))
    read = s3.get_object(Bucket=lens(other_guests / "fields.wasm", '{"fields": ["name", "city"]}'), Key="t.jsonl")
    kept = [json.loads(line) for line in read["Body"].read().splitlines()]
    assert kept == [{"name": row["name"], "city": "c"} for row in rows]
    assert read["ContentType"] == "application/x-ndjson"
    assert refusal(s3.get_object, Bucket=lens(other_guests / "fields.wasm", "{}"), Key="t.jsonl") == ("InvalidPayload", 400)
