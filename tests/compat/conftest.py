"""A server on a free port, real clients, and points to read through."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import boto3
import pytest
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = "000000000000"
KEY_ID, SECRET = "AKIACOMPATTESTS00000", "compat-tests-secret-access-key-000000000"
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:builtin-"


def binary():
    found = os.environ.get("REFRACT_BIN") or ROOT / "target" / "debug" / "refract"
    if not pathlib.Path(found).exists():
        pytest.exit(f"{found} is not there: `cargo build` first, or name the binary by REFRACT_BIN", 1)
    return str(found)


class Server:
    """A server process in a directory."""

    def __init__(self, data_dir, *flags):
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment |= {"REFRACT_ROOT_ACCESS_KEY_ID": KEY_ID, "REFRACT_ROOT_SECRET_ACCESS_KEY": SECRET}
        self.process = subprocess.Popen(
            [binary(), "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), *flags],
            stdout=subprocess.PIPE, env=environment, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, f"no address in {line!r}"
        self.url = found.group()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("store"))
    yield running
    running.stop()


def make_client(service, server, proxied=False, **config):
    settings = {"region_name": "us-east-1", "aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET}
    options = {"retries": {"max_attempts": 1}, **config}
    endpoint = server.url
    if proxied:
        options["proxies"] = {"http": server.url}
        endpoint = "http://refract.test"
    return boto3.client(service, endpoint_url=endpoint, config=Config(**options), **settings)


ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/reader"


def make_role(server):
    """ROLE, with which functions may answer, and nothing else."""
    iam = make_client("iam", server)
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}
    made = iam.create_role(RoleName="reader", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/service-role/"
                           "AmazonS3ObjectLambdaExecutionRolePolicy")
    assert made["Role"]["Arn"] == ROLE
    return iam


@pytest.fixture(scope="session")
def s3(server):
    return make_client("s3", server)


@pytest.fixture(scope="session")
def proxied_s3(server):
    return make_client("s3", server, proxied=True)


@pytest.fixture(scope="session")
def control(server):
    return make_client("s3control", server, proxied=True)


class Points:
    """A bucket, an access point and two lenses made by S3 Control, with AWS's defaults."""

    def __init__(self, s3, control):
        self.bucket = "compat"
        s3.create_bucket(Bucket=self.bucket)
        made = control.create_access_point(AccountId=ACCOUNT, Name="compat-ap", Bucket=self.bucket)
        self.access_point, self.access_point_arn = made["Alias"], made["AccessPointArn"]
        self.redacted, self.redacted_arn = self.lens(control, "compat-redacted", "redact")
        self.identity, self.identity_arn = self.lens(control, "compat-identity", "identity")

    def lens(self, control, name, transform, payload=None, features=()):
        aws_lambda = {"FunctionArn": LAMBDA + transform}
        if payload:
            aws_lambda["FunctionPayload"] = payload
        made = control.create_access_point_for_object_lambda(AccountId=ACCOUNT, Name=name, Configuration={
            "SupportingAccessPoint": self.access_point_arn,
            "AllowedFeatures": list(features),
            "TransformationConfigurations": [{
                "Actions": ["GetObject"],
                "ContentTransformation": {"AwsLambda": aws_lambda},
            }],
        })
        return made["Alias"]["Value"], made["ObjectLambdaAccessPointArn"]


@pytest.fixture(scope="session")
def points(s3, control):
    return Points(s3, control)


@pytest.fixture(scope="session", params=["1", "2"])
def aws(request, server, tmp_path_factory):
    """aws-cli 1 (PyPI) and 2 (Debian), as a function of its arguments; `proxied` sets http_proxy."""
    one = pathlib.Path(__file__).parent / ".venv" / "bin" / "aws"
    program = str(one) if request.param == "1" else "/usr/bin/aws"
    if not shutil.which(program):
        pytest.skip(f"aws-cli {request.param} is not installed")
    home = tmp_path_factory.mktemp("home")

    def run(*arguments, proxied=False, check=True):
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true",
        }
        endpoint = server.url
        if proxied:
            environment["http_proxy"] = server.url
            endpoint = "http://refract.test"
        done = subprocess.run([program, "--endpoint-url", endpoint, *arguments], env=environment,
                              capture_output=True, timeout=120, cwd=home)
        if check:
            assert done.returncode == 0, done.stderr.decode()
        return done

    run.version = request.param
    return run


def program(name):
    """Where a client is installed, or a skip that names it."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def run(words, directory, timeout=180, **environment):
    """Runs a client in a home of its own; answers what it printed, and fails with what it complained of."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run([str(word) for word in words], env=environment, cwd=directory, capture_output=True,
                          timeout=timeout)
    assert done.returncode == 0, f"{words[:3]}: {done.stdout.decode()[-1000:]}{done.stderr.decode()[-2000:]}"
    return done.stdout.decode()


@pytest.fixture
def bucket(s3, request):
    """A bucket of its own for a test."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    s3.create_bucket(Bucket=name)
    return name


def tree(directory):
    """Files below a directory: content by name."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def keys(s3, bucket, prefix=""):
    """Keys of a bucket, without the prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted(found["Key"][len(prefix):] for page in pages for found in page.get("Contents", []))


@pytest.fixture
def files(tmp_path):
    """A directory with names and sizes that clients stumble over."""
    directory = tmp_path / "files"
    for name, content in {
        "plain.txt": b"plain\n", "empty": b"", "with space/and+plus & more.txt": b"signs", "deep/er/and/deeper": b"d" * 70_000,
        "\u00fcml\u00e4ut/\u96ea.txt": b"snow", "per%cent/%41": b"%", "q?uery=1#frag": b"?", "million": os.urandom(1 << 20),
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory
