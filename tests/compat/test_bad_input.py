"""Bad input gets a clear error, and changes nothing. Raw HTTP, for SDKs would refuse to send most of it."""
import hashlib
import http.client
import json
import urllib.parse

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import ACCOUNT, KEY_ID, LAMBDA, SECRET


def send(server, method, path, body=b"", headers=None, sent=None, sign_body=None):
    """Signs as an SDK does and sends `sent` (by default `body`); `path` is already encoded."""
    url = server.url + path
    digest = hashlib.sha256(sign_body if sign_body is not None else body).hexdigest()
    request = AWSRequest(method, url, headers={"x-amz-content-sha256": digest, **(headers or {})}, data=None)
    request.context["payload_signing_enabled"] = True
    auth = S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", "us-east-1")
    auth.payload = lambda _: digest
    auth.add_auth(request)
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    wire = dict(request.headers.items())
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in wire.items():
        if name.lower() != "host":
            connection.putheader(name, value)
    if "content-length" not in {name.lower() for name in wire}:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body if sent is None else sent)
    if sent is not None and len(sent) < len(body):
        connection.sock.shutdown(1)
    try:
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (http.client.HTTPException, ConnectionError):
        return 0, ""
    finally:
        connection.close()


@pytest.fixture
def keys(s3, points):
    """The keys of the bucket: every test must leave them as they were."""
    def listed():
        return {o["Key"]: o["ETag"] for o in s3.list_objects_v2(Bucket=points.bucket).get("Contents", [])}
    before = listed()
    yield before
    assert listed() == before


def test_a_key_of_1024_bytes_is_taken_and_one_of_1025_refused(server, s3, points, keys):
    assert send(server, "PUT", f"/{points.bucket}/{'k' * 1024}", b"x")[0] == 200
    s3.delete_object(Bucket=points.bucket, Key="k" * 1024)
    status, body = send(server, "PUT", f"/{points.bucket}/{'k' * 1025}", b"x")
    assert status == 400 and "KeyTooLong" in body and "1024" in body


def test_dots_are_a_key_like_any_other_and_never_a_path(server, s3, points):
    for key in ("..", "../../etc/passwd", "a/../b", "./x", "/abs", "//"):
        encoded = urllib.parse.quote(key, safe="/")
        status, body = send(server, "PUT", f"/{points.bucket}/{encoded}", key.encode())
        assert status == 200, (key, body)
        assert send(server, "GET", f"/{points.bucket}/{encoded}") == (200, key)
        assert key in [o["Key"] for o in s3.list_objects_v2(Bucket=points.bucket)["Contents"]]
        assert send(server, "DELETE", f"/{points.bucket}/{encoded}")[0] == 204


@pytest.mark.parametrize("key", ["a%00b", "a%FFb", "%C0%AF"])
def test_nul_and_invalid_utf8_are_refused(server, points, keys, key):
    status, body = send(server, "PUT", f"/{points.bucket}/{key}", b"x")
    assert status == 400, body
    assert "key" in body.lower() or "URI" in body, body


def test_a_truncated_body_is_not_stored(server, points, keys):
    status, _ = send(server, "PUT", f"/{points.bucket}/truncated", b"x" * 100_000, sent=b"x" * 50_000)
    assert status in (0, 400)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_lying_body_is_not_stored(server, points, keys, size):
    status, body = send(server, "PUT", f"/{points.bucket}/lying", b"x" * size, sign_body=b"y" * size)
    assert status == 400 and "XAmzContentSHA256Mismatch" in body
    digest = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    status, body = send(server, "PUT", f"/{points.bucket}/lying", b"x" * size, headers=digest)
    assert status == 400 and "BadDigest" in body
    crc = {"x-amz-checksum-crc32": "AAAAAA=="}
    status, body = send(server, "PUT", f"/{points.bucket}/lying", b"x" * size, headers=crc)
    assert status == 400 and "BadDigest" in body


def test_xml_over_its_limit_and_xml_that_is_none(server, points, keys):
    big = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 200_000 + b"</Delete>"
    status, body = send(server, "POST", f"/{points.bucket}?delete=", big)
    assert status == 400 and ("MaxMessageLengthExceeded" in body or "MalformedXML" in body)
    for text in (b"not xml", b"<Delete><Object>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>"):
        status, body = send(server, "POST", f"/{points.bucket}?delete=", text)
        assert status == 400 and "MalformedXML" in body, (text, body)


def test_a_picture_that_is_none(s3, control, points):
    alias, _ = points.lens(control, "bad-picture", "resize", json.dumps({"width": 100}))
    s3.put_object(Bucket=points.bucket, Key="not.jpg", Body=b"\xff\xd8\xff this is no picture", ContentType="image/jpeg")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=alias, Key="not.jpg")
    answer = error.value.response
    assert answer["Error"]["Code"] == "TransformInputInvalid"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    s3.delete_object(Bucket=points.bucket, Key="not.jpg")


def test_a_bomb_ends_at_its_limit(s3, control, points):
    import gzip
    alias, _ = points.lens(control, "bad-bomb", "decompress")
    s3.put_object(Bucket=points.bucket, Key="bomb.gz", Body=gzip.compress(b"\0" * (256 << 20), 9))
    with pytest.raises(Exception) as error:
        s3.get_object(Bucket=alias, Key="bomb.gz")["Body"].read()
    assert "TransformLimitExceeded" in str(error.value) or "IncompleteRead" in repr(error.value) \
        or "broken" in str(error.value).lower(), error.value
    s3.delete_object(Bucket=points.bucket, Key="bomb.gz")


def test_a_payload_with_a_wrong_key_is_refused_by_name(control, points):
    with pytest.raises(ClientError) as error:
        control.create_access_point_for_object_lambda(AccountId=ACCOUNT, Name="bad-payload", Configuration={
            "SupportingAccessPoint": points.access_point_arn,
            "TransformationConfigurations": [{"Actions": ["GetObject"], "ContentTransformation": {"AwsLambda": {
                "FunctionArn": LAMBDA + "resize", "FunctionPayload": json.dumps({"widht": 1})}}}],
        })
    assert "widht" in str(error.value) and "width" in str(error.value)
    with pytest.raises(ClientError) as error:
        control.get_access_point_for_object_lambda(AccountId=ACCOUNT, Name="bad-payload")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
