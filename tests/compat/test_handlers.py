"""Handlers as people publish them, from `handlers/`: packaged as AWS's documentation says, and run unmodified."""
import gzip
import hashlib
import http.server
import importlib.util
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import types
import urllib.request
import zipfile
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError
from conftest import KEY_ID, ROOT, SECRET, binary
from test_functions import Functions

HERE = pathlib.Path(__file__).parent
SAMPLES = ROOT / "data" / "samples"
PYTHON = f"python3.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def fn(tmp_path_factory):
    functions = Functions(tmp_path_factory.mktemp("handlers"), "--webhook-private")
    yield functions
    functions.server.stop()


def runtime(fn, language):
    """Has a server find what AWS's image of a language brings. It is installed once, and kept with the build."""
    kept = ROOT / "target" / "compat-runtimes"
    source = (ROOT / "src" / "function" / "process" / "install.rs").read_bytes()
    stamp, want = kept / f"{language}.installed", hashlib.sha256(source + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != want:
        done = subprocess.run([binary(), "function", "runtime", "install", language, "--runtime-dir", str(kept)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"the runtime of {language} cannot be installed: {done.stderr}")
        stamp.write_text(want)
    fn.runtimes.mkdir(exist_ok=True)
    for directory in kept.iterdir():
        link = fn.runtimes / directory.name
        if directory.is_dir() and not link.exists():
            link.symlink_to(directory)


@pytest.fixture(scope="module")
def python(fn):
    runtime(fn, "python")


@pytest.fixture(scope="module")
def node(fn):
    if not shutil.which("npm"):
        pytest.skip("no Node.js")
    runtime(fn, "node")


def package(handler, work=None, requirements=()):
    """A handler's directory, with what pip installs beside it, as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted((HERE / "handlers" / handler).iterdir()):
            archive.write(path, path.name)
        if requirements:
            done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                   "--no-compile", "--target", str(work), *requirements], capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"{requirements} cannot be installed: {done.stderr}")
            for path in sorted(work.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(work))
    return out.getvalue()


def refusal(call, **more):
    with pytest.raises(ClientError) as caught:
        call(**more)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def deploy(fn, code, name, runtime=PYTHON, handler="lambda_function.lambda_handler", **more):
    """Creates a function of a package, through the bucket as AWS asks of large ones."""
    fn.s3.put_object(Bucket="functions", Key=f"code/{name}.zip", Body=code)
    made = fn.create({"placeholder": ""}, runtime=runtime, handler=handler, **more)
    fn.awslambda.update_function_code(FunctionName=made, S3Bucket="functions", S3Key=f"code/{name}.zip")
    fn.awslambda.get_waiter("function_updated_v2").wait(FunctionName=made)
    return made


def role(fn, name, read):
    """An execution role that may answer, and read what is named."""
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}
    made = fn.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    fn.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3-object-lambda:WriteGetObjectResponse", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": read}]}))
    return made["Role"]["Arn"]


def test_decompression(fn, python):
    lens = fn.lens(deploy(fn, package("decompress"), "decompress"))
    text = (SAMPLES / "access.log").read_bytes() * 20
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("access.log", text)
    for key, body in (("log.gz", gzip.compress(text)), ("log.zz", zlib.compress(text)), ("log.zip", archive.getvalue())):
        fn.s3.put_object(Bucket="functions", Key=key, Body=body, Metadata={"from": key})
        read = fn.s3.get_object(Bucket=lens, Key=key)
        assert read["Body"].read() == text, key
        assert (read["ContentType"], read["Metadata"]) == ("text/plain", {"from": key})
    fn.s3.put_object(Bucket="functions", Key="broken.zip", Body=b"no archive")
    assert refusal(fn.s3.get_object, Bucket=lens, Key="broken.zip") == ("InvalidArchive", 400)
    assert refusal(fn.s3.get_object, Bucket=lens, Key="absent.gz")[1] == 404


def test_image_thumbnail(fn, python, tmp_path):
    code = package("thumbnail", tmp_path / "package", ["pillow"])
    lens = fn.lens(deploy(fn, code, "thumbnail", handler="app.handler"))
    photo = (SAMPLES / "photo.jpg").read_bytes()
    fn.s3.put_object(Bucket="functions", Key="photo.jpg", Body=photo)
    fn.s3.put_object(Bucket="functions", Key="text.jpg", Body=b"no picture")
    url = fn.s3.generate_presigned_url("get_object", Params={"Bucket": lens, "Key": "photo.jpg"})
    with urllib.request.urlopen(url) as read:
        whole, kind = read.read(), read.headers["Content-Type"]
    assert kind == "image/jpeg" and whole[:3] == b"\xff\xd8\xff" and len(whole) < len(photo)
    assert max(dimensions(whole)) == 128 and max(dimensions(photo)) > 128
    assert refusal(fn.s3.get_object, Bucket=lens, Key="text.jpg") == ("NotAPicture", 400)


def dimensions(jpeg):
    """Height and width by the frame's header, without a library that the handler uses as well."""
    at = 2
    while not 0xC0 <= jpeg[at + 1] <= 0xC3:
        at += 2 + int.from_bytes(jpeg[at + 2:at + 4], "big")
    return int.from_bytes(jpeg[at + 5:at + 7], "big"), int.from_bytes(jpeg[at + 7:at + 9], "big")


def test_redaction(fn, python):
    name = deploy(fn, package("redact"), "redact", handler="main.lambda_handler")
    text = "Ada <ada@example.org>, +1 555-867-5309, 078-05-1120, 4111 1111 1111 1111. Grüße."
    fn.s3.put_object(Bucket="functions", Key="letter.txt", Body=text.encode(), ContentType="text/plain; charset=utf-8")
    read = fn.s3.get_object(Bucket=fn.lens(name, payload="{}"), Key="letter.txt")
    masked = read["Body"].read().decode()
    assert masked == f"Ada <{'*' * 15}>, {'*' * 15}, {'*' * 11}, {'*' * 19}. Grüße."
    assert read["ContentType"] == "text/plain; charset=utf-8"
    assert read["Metadata"] == {"redacted-email": "1", "redacted-ssn": "1", "redacted-phone": "1", "redacted-card": "1"}
    assert refusal(fn.s3.get_object, Bucket=fn.lens(name, payload=""), Key="absent.txt") == ("NoSuchKey", 404)


def test_json_field_removal(fn, node):
    environment = {"Variables": {"REMOVED_FIELDS": "contactEmail,itemRating"}}
    name = deploy(fn, package("fields"), "fields", runtime="nodejs20.x", handler="index.handler", Environment=environment)
    lens = fn.lens(name)
    items = [{"id": n, "contactEmail": "x@example.org", "nested": {"itemRating": n, "kept": [n]}} for n in range(2000)]
    kept = [{"id": n, "nested": {"kept": [n]}} for n in range(2000)]
    fn.s3.put_object(Bucket="functions", Key="items.json", Body=json.dumps(items))
    fn.s3.put_object(Bucket="functions", Key="items.jsonl", Body="".join(json.dumps(item) + "\n" for item in items))
    assert json.loads(fn.s3.get_object(Bucket=lens, Key="items.json")["Body"].read()) == kept
    read = fn.s3.get_object(Bucket=lens, Key="items.jsonl")
    assert [json.loads(line) for line in read["Body"].read().splitlines()] == kept
    assert read["ContentType"] == "application/x-ndjson"
    assert refusal(fn.s3.get_object, Bucket=lens, Key="absent.json") == ("CannotRead", 404)


def test_csv_becomes_parquet_for_a_key_that_does_not_exist(fn, python, tmp_path):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    code = package("parquet", tmp_path / "package", ["duckdb==1.5.5"])
    assert len(code) < 50 << 20
    may = role(fn, "parquet", ["arn:aws:s3:::functions/*", f"{fn.point['AccessPointArn']}/object/*"])
    lens = fn.lens(deploy(fn, code, "parquet", handler="handler.lambda_handler", Role=may))
    fn.s3.put_object(Bucket="functions", Key="tables/people.csv", Body=(SAMPLES / "people.csv").read_bytes())
    read = fn.s3.get_object(Bucket=lens, Key="tables/people.parquet")
    body = read["Body"].read()
    assert read["ContentType"] == "application/vnd.apache.parquet" and len(body) == read["ContentLength"]
    table = pyarrow.read_table(io.BytesIO(body))
    lines = (SAMPLES / "people.csv").read_text().splitlines()
    assert table.column_names == lines[0].split(",") and table.num_rows == len(lines) - 1
    # Its role may not list the bucket, and so does not learn what is not there.
    assert refusal(fn.s3.get_object, Bucket=lens, Key="tables/absent.parquet") == ("AccessDenied", 403)
    assert refusal(fn.s3.get_object, Bucket=lens, Key="tables/people.xml") == ("InvalidKey", 400)


def test_heads_and_lists(fn, python):
    name = deploy(fn, package("listing"), "listing")
    lens = fn.lens(name, "HeadObject", "ListObjects", "ListObjectsV2")
    for key in ("shown/one & only", "shown/two", "hidden/three"):
        fn.s3.put_object(Bucket="functions", Key=key, Body=key.encode(), Metadata={"own": "kept"})
    head = fn.s3.head_object(Bucket=lens, Key="shown/two")
    assert (head["ContentLength"], head["Metadata"]) == (9, {"own": "kept", "lens": "listing"})
    assert refusal(fn.s3.head_object, Bucket=lens, Key="absent")[1] == 404
    for call in (fn.s3.list_objects, fn.s3.list_objects_v2):
        found = [one["Key"] for one in call(Bucket=lens)["Contents"]]
        assert "shown/one & only" in found and "hidden/three" not in found, found
        found = call(Bucket=lens, Prefix="shown/")["Contents"]
        assert [(one["Key"], one["Size"]) for one in found] == [("shown/one & only", 16), ("shown/two", 9)]


@pytest.fixture(scope="module")
def bootstrap():
    """The handler in Rust, built into the workspace's directory of builds, where a later run finds it."""
    if not shutil.which("cargo"):
        pytest.skip("no cargo")
    target = ROOT / "target" / "compat-handlers"
    done = subprocess.run(["cargo", "build", "--locked", "--quiet", "--manifest-path",
                           str(HERE / "handlers" / "columns" / "Cargo.toml")],
                          capture_output=True, text=True, env={**os.environ, "CARGO_TARGET_DIR": str(target)})
    assert done.returncode == 0, done.stderr
    return target / "debug" / "bootstrap"


def test_a_handler_in_rust(fn, bootstrap):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bootstrap, "bootstrap")
    environment = {"Variables": {"DROPPED_COLUMNS": "email,phone"}}
    name = deploy(fn, out.getvalue(), "columns", runtime="provided.al2023", handler="bootstrap", Environment=environment)
    lens = fn.lens(name)
    fn.s3.put_object(Bucket="functions", Key="contacts.csv",
                     Body=b"name,email,city,phone\nAda,ada@example.org,London,1\nGrace,g@example.org,New York,2\n")
    read = fn.s3.get_object(Bucket=lens, Key="contacts.csv")
    assert read["Body"].read() == b"name,city\nAda,London\nGrace,New York\n"
    assert read["ContentType"] == "text/csv"
    assert refusal(fn.s3.get_object, Bucket=lens, Key="absent.csv") == ("CannotRead", 404)


class Lambda:
    """What speaks Lambda's Invoke API for one handler: it checks the signature, and runs the handler for each event."""

    def __init__(self, handler, key_id, secret):
        service = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = botocore.awsrequest.AWSRequest("POST", f"http://{self.headers['Host']}{self.path}", data=body)
                signed = self.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
                for name in signed:
                    request.headers[name] = self.headers[name]
                request.context["timestamp"] = self.headers["X-Amz-Date"]
                signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key_id, secret), "lambda", "eu-west-1")
                signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
                if not self.headers["Authorization"].endswith(f"Signature={signature}"):
                    return self.answer(403, {"Message": "The request signature does not match."})
                service.seen.append((self.path, self.headers["X-Amz-Invocation-Type"]))
                try:
                    self.answer(200, handler(json.loads(body), types.SimpleNamespace(aws_request_id="r")))
                except Exception as error:
                    self.answer(200, {"errorType": type(error).__name__, "errorMessage": str(error)}, "Unhandled")

            def answer(self, status, document, failed=None):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if failed:
                    self.send_header("X-Amz-Function-Error", failed)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def load(handler, module, monkeypatch, **environment):
    """Imports a handler into this process, in the environment that it would have."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location(f"handler_{handler}", HERE / "handlers" / handler / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.lambda_handler


def test_a_handler_that_aws_lambda_runs(fn, monkeypatch):
    """The function is invoked elsewhere, and answers this server by WriteGetObjectResponse with a key of this server's."""
    pytest.importorskip("urllib3")
    handler = load("redact", "main", monkeypatch, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET,
                   AWS_DEFAULT_REGION="us-east-1", AWS_ENDPOINT_URL_S3=fn.server.url,
                   AWS_DISABLE_HOST_PREFIX_INJECTION="true")
    service = Lambda(handler, "AKIDFAR", "far-secret")

    def put(name, **more):
        spec = {"kind": "aws", "aws": {"function": f"arn:aws:lambda:eu-west-1:123456789012:function:{name}",
                                       "qualifier": "live", "endpoint": service.url, "access_key_id": "AKIDFAR",
                                       "secret_access_key": "far-secret", **more}}
        url = f"{fn.server.url}/_refract/v1/functions/{name}"
        request = botocore.awsrequest.AWSRequest("PUT", url, data=json.dumps(spec), headers={"Content-Type": "application/json"})
        credentials = botocore.credentials.Credentials(KEY_ID, SECRET)
        botocore.auth.SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
        sent = urllib.request.Request(url, data=request.data.encode(), headers=dict(request.headers), method="PUT")
        with urllib.request.urlopen(sent) as answer:
            assert answer.status == 201
        return fn.lens(name, payload="{}")

    lens = put("far")
    text = "Write to ada@example.org. " * 20_000
    fn.s3.put_object(Bucket="functions", Key="far/letter.txt", Body=text.encode(), ContentType="text/plain")
    read = fn.s3.get_object(Bucket=lens, Key="far/letter.txt")
    assert read["Body"].read().decode() == text.replace("ada@example.org", "*" * 15)
    assert (read["ContentType"], read["Metadata"]["redacted-email"]) == ("text/plain", "20000")
    assert service.seen == [("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu%2Dwest%2D1%3A123456789012%3Afunction%3Afar"
                             "/invocations?Qualifier=live", "RequestResponse")]
    assert refusal(fn.s3.get_object, Bucket=lens, Key="far/absent.txt") == ("NoSuchKey", 404)
    # The function fails, and it is invoked with a key that the service does not know.
    fn.s3.put_object(Bucket="functions", Key="far/broken.txt", Body=b"\xff\xfe")
    assert refusal(fn.s3.get_object, Bucket=lens, Key="far/broken.txt") == ("LambdaRuntimeError", 500)
    invoked = len(service.seen)
    unknown = put("far2", secret_access_key="wrong")
    assert refusal(fn.s3.get_object, Bucket=unknown, Key="far/letter.txt") == ("LambdaInvocationFailed", 400)
    assert len(service.seen) == invoked
