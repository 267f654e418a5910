"""boto3 against a quota that the admin API sets, and the counts that it shows."""
import json
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError
from conftest import KEY_ID, SECRET, Server, binary, make_client

TOKEN = "compat-admin-token"


@pytest.fixture(scope="module")
def admin(tmp_path_factory):
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN)
    running = Server(tmp_path_factory.mktemp("quota"), "--admin-token-file", str(file))

    def ask(method, path, body=None):
        request = urllib.request.Request(
            f"{running.url}/_refract/v1{path}", method=method, data=body and json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "null")

    ask.server = running
    yield ask
    running.stop()


def test_writes_are_held_to_the_quota(admin):
    s3 = make_client("s3", admin.server)
    s3.create_bucket(Bucket="small")
    s3.put_object(Bucket="small", Key="a", Body=b"x" * 60)
    shown = admin("PUT", "/buckets/small/quota", {"max_bytes": 100})
    assert (shown["objects"], shown["bytes"], shown["quota"]) == (1, 60, {"max_bytes": 100})
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="small", Key="b", Body=b"x" * 41)
    assert refused.value.response["Error"]["Code"] == "QuotaExceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="small")["Contents"]] == ["a"]
    with pytest.raises(ClientError) as refused:
        s3.copy_object(Bucket="small", Key="c", CopySource={"Bucket": "small", "Key": "a"})
    assert refused.value.response["Error"]["Code"] == "QuotaExceeded"
    upload = s3.create_multipart_upload(Bucket="small", Key="m")["UploadId"]
    with pytest.raises(ClientError) as refused:
        s3.upload_part(Bucket="small", Key="m", UploadId=upload, PartNumber=1, Body=b"x" * 41)
    assert refused.value.response["Error"]["Code"] == "QuotaExceeded"
    s3.upload_part(Bucket="small", Key="m", UploadId=upload, PartNumber=1, Body=b"x" * 40)
    assert admin("GET", "/buckets/small")["upload_bytes"] == 40
    s3.abort_multipart_upload(Bucket="small", Key="m", UploadId=upload)
    admin("DELETE", "/buckets/small/quota")
    s3.put_object(Bucket="small", Key="b", Body=b"x" * 1000)
    [bucket] = admin("GET", "/buckets")["buckets"]
    assert (bucket["objects"], bucket["bytes"], bucket["upload_bytes"]) == (2, 1060, 0) and "quota" not in bucket


def test_a_body_without_room_is_refused_before_it_is_sent(admin):
    s3 = make_client("s3", admin.server)
    s3.create_bucket(Bucket="early")
    admin("PUT", "/buckets/early/quota", {"max_bytes": 10})
    s3.put_object(Bucket="early", Key="k", Body=b"x" * 10)
    for key, size, status in (("new", 1 << 40, b"403"), ("k", 11, b"403"), ("k", 10, b"100")):
        url = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", {"Bucket": "early", "Key": key}))
        size = min(size, 5 << 30)
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
            connection.sendall(head.encode())
            answer = connection.recv(4096)
        assert answer.split()[1] == status, answer
        # Whoever waits with its body, and is not told to send it, is told that the connection ends.
        assert (b"connection: close" in answer.lower()) == (status != b"100"), answer
        assert status == b"100" or b"QuotaExceeded" in answer


def test_the_command_sets_and_shows_it(admin):
    def run(*words):
        environment = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        done = subprocess.run([binary(), "bucket", "--endpoint-url", admin.server.url, *words], env=environment,
                              capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    make_client("s3", admin.server).create_bucket(Bucket="by-command")
    code, shown, error = run("quota", "by-command", "--max-objects", "3")
    assert code == 0 and shown["quota"] == {"max_objects": 3}, error
    assert "by-command" in [bucket["name"] for bucket in run("list")[1]["buckets"]]
    assert run("quota", "by-command", "--remove")[0] == 0
    assert "quota" not in run("show", "by-command")[1]
    code, _, error = run("quota", "by-command")
    assert code == 1 and "--max-bytes" in error
