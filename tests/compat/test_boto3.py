"""boto3: data by alias and by ARN, control in proxy mode, presigned URLs of both signature versions."""
import io
import json
import urllib.error
import urllib.request

import boto3.s3.transfer
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, make_client


def code(error):
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def read(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


TEXT = b"mail ada@example.com, thanks"
MASKED = b"mail " + b"*" * 15 + b", thanks"


@pytest.fixture(scope="session")
def text(s3, points):
    s3.put_object(Bucket=points.bucket, Key="text.txt", Body=TEXT, ContentType="text/plain", Metadata={"a": "b"})
    return "text.txt"


def test_by_alias_and_by_arn(s3, proxied_s3, points, text):
    for client, bucket, expected in (
        (s3, points.bucket, TEXT), (s3, points.access_point, TEXT), (s3, points.redacted, MASKED),
        (proxied_s3, points.access_point_arn, TEXT), (proxied_s3, points.redacted_arn, MASKED),
        (proxied_s3, points.bucket, TEXT), (proxied_s3, points.identity, TEXT),
    ):
        got = client.get_object(Bucket=bucket, Key=text)
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (expected, "text/plain", {"a": "b"}), bucket


def test_what_a_lens_does_not_transform_passes_to_its_access_point(s3, points, text):
    # HeadObject is not among the actions: it is the stored object's, as on AWS.
    assert s3.head_object(Bucket=points.redacted, Key=text)["ContentLength"] == len(TEXT)
    s3.put_object(Bucket=points.redacted, Key="passed", Body=b"x")
    assert s3.get_object(Bucket=points.bucket, Key="passed")["Body"].read() == b"x"
    assert s3.delete_object(Bucket=points.redacted, Key="passed")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert text in [o["Key"] for o in s3.list_objects_v2(Bucket=points.redacted)["Contents"]]


def test_ranges_are_refused_unless_allowed(s3, control, points, text):
    for refused in ({"Range": "bytes=0-3"}, {"PartNumber": 1}):
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=points.redacted, Key=text, **refused)
        assert code(error) == ("NotImplemented", 501)
    alias, _ = points.lens(control, "compat-ranged", "redact", features=["GetObject-Range"])
    got = s3.get_object(Bucket=alias, Key=text, Range="bytes=3-8")
    assert (got["Body"].read(), got["ContentRange"]) == (MASKED[3:9], f"bytes 3-8/{len(MASKED)}")


def test_a_lens_over_nothing_says_so(s3, control, points, text):
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=points.redacted, Key="nothing")
    assert code(error) == ("NoSuchKey", 404)
    alias, _ = points.lens(control, "compat-later", "redact")
    control.put_access_point_configuration_for_object_lambda(AccountId=ACCOUNT, Name="compat-later", Configuration={
        "SupportingAccessPoint": points.access_point_arn,
        "TransformationConfigurations": [{"Actions": ["GetObject"], "ContentTransformation": {"AwsLambda": {
            "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:not-yet"}}}],
    })
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=alias, Key=text)
    assert code(error) == ("LambdaNotFound", 404)


def test_presigned_urls(server, s3, points, text):
    signed = {"Params": {"Bucket": points.redacted, "Key": text}, "ExpiresIn": 60}
    two = s3.generate_presigned_url("get_object", **signed)
    assert "AWSAccessKeyId=" in two and read(two) == MASKED
    four = make_client("s3", server, signature_version="s3v4").generate_presigned_url("get_object", **signed)
    assert "X-Amz-Signature=" in four and read(four) == MASKED
    with pytest.raises(urllib.error.HTTPError) as error:
        read(four[:-1] + ("0" if four[-1] != "0" else "1"))
    assert error.value.code == 403
    longest = {**signed, "ExpiresIn": 8 * 86400}
    with pytest.raises(urllib.error.HTTPError) as error:
        read(make_client("s3", server, signature_version="s3v4").generate_presigned_url("get_object", **longest))
    assert error.value.code in (400, 403) and b"604800" in error.value.read()


def test_presigned_sigv2_is_refused_on_a_points_host(server, proxied_s3, points, text):
    url = proxied_s3.generate_presigned_url("get_object", Params={"Bucket": points.redacted_arn, "Key": text})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": server.url}))
    with pytest.raises(urllib.error.HTTPError) as error:
        opener.open(url)
    body = error.value.read()
    assert error.value.code in (400, 403) and b"s3v4" in body, body


def test_policies_are_stored(control, points):
    statement = {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/compat-ap/object/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    control.put_access_point_policy(AccountId=ACCOUNT, Name="compat-ap", Policy=policy)
    assert control.get_access_point_policy(AccountId=ACCOUNT, Name="compat-ap")["Policy"] == policy
    control.delete_access_point_policy(AccountId=ACCOUNT, Name="compat-ap")
    with pytest.raises(ClientError) as error:
        control.get_access_point_policy(AccountId=ACCOUNT, Name="compat-ap")
    assert code(error) == ("NoSuchAccessPointPolicy", 404)
    with pytest.raises(ClientError) as error:
        control.put_access_point_policy(AccountId=ACCOUNT, Name="compat-ap", Policy="{")
    assert code(error) == ("MalformedPolicy", 400)


def test_multipart_checksums_copies_tags_and_attributes(s3, points):
    body = bytes(range(256)) * (12 << 12)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(body), points.access_point, "big", Config=config)
    assert s3.get_object(Bucket=points.bucket, Key="big")["Body"].read() == body
    assert s3.head_object(Bucket=points.bucket, Key="big", PartNumber=2)["PartsCount"] == 3
    s3.copy_object(Bucket=points.bucket, Key="copy", CopySource={"Bucket": points.access_point, "Key": "big"})
    assert s3.get_object(Bucket=points.bucket, Key="copy")["Body"].read() == body
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        s3.put_object(Bucket=points.bucket, Key=algorithm, Body=b"abc", ChecksumAlgorithm=algorithm)
        got = s3.get_object_attributes(Bucket=points.bucket, Key=algorithm, ObjectAttributes=["Checksum", "ObjectSize"])
        assert f"Checksum{algorithm}" in got["Checksum"] and got["ObjectSize"] == 3
    tags = [{"Key": "k", "Value": "v"}]
    s3.put_object_tagging(Bucket=points.bucket, Key="copy", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=points.access_point, Key="copy")["TagSet"] == tags
    gone = s3.delete_objects(Bucket=points.bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "never"}]})
    assert sorted(o["Key"] for o in gone["Deleted"]) == ["copy", "never"]


def test_nobody_without_a_key_gets_in(server, points, text):
    for path in (f"{points.bucket}/{text}", f"{points.access_point}/{text}", f"{points.redacted}/{text}",
                 "_refract/v1/functions"):
        with pytest.raises(urllib.error.HTTPError) as error:
            read(f"{server.url}/{path}")
        assert error.value.code == 403, path
    wrong = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="AKIANOBODY",
                         aws_secret_access_key="x")
    with pytest.raises(ClientError) as error:
        wrong.list_buckets()
    assert code(error) == ("InvalidAccessKeyId", 403)


def test_an_olap_is_no_source_of_a_copy(s3, points, text):
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=points.bucket, Key="x", CopySource={"Bucket": points.redacted, "Key": text})
    assert code(error) == ("InvalidRequest", 400)


def test_what_comes_later_says_so(s3, points):
    with pytest.raises(ClientError) as error:
        s3.get_bucket_replication(Bucket=points.bucket)
    assert code(error) == ("NotImplemented", 501)


def test_versions_locks_and_sharing(s3, server):
    """What the store keeps beside the current object, and who else may see it."""
    s3.create_bucket(Bucket="kept", ObjectLockEnabledForBucket=True)
    first = s3.put_object(Bucket="kept", Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket="kept", Key="k", Body=b"two", ObjectLockLegalHoldStatus="ON")
    assert s3.get_object(Bucket="kept", Key="k", VersionId=first)["Body"].read() == b"one"
    marker = s3.delete_object(Bucket="kept", Key="k")
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="kept", Key="k")
    assert code(error) == ("NoSuchKey", 404)
    listed = s3.list_object_versions(Bucket="kept")
    assert [len(listed["Versions"]), len(listed["DeleteMarkers"])] == [2, 1]
    held = listed["Versions"][0]["VersionId"]
    with pytest.raises(ClientError) as error:
        s3.delete_object(Bucket="kept", Key="k", VersionId=held)
    assert code(error) == ("AccessDenied", 403)
    s3.delete_object(Bucket="kept", Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"two"
    s3.put_object_acl(Bucket="kept", Key="k", ACL="public-read")
    assert read(f"{server.url}/kept/k") == b"two"
    s3.put_public_access_block(Bucket="kept", PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    with pytest.raises(urllib.error.HTTPError) as refused:
        read(f"{server.url}/kept/k")
    assert refused.value.code == 403
