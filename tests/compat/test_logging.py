"""boto3: server access logs, from the configuration to the lines of a delivered log."""
import json
import re
import time

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Server, make_client

# A quoted text, a time in brackets, or a word.
FIELD = re.compile(r'"[^"]*"|\[[^\]]*\]|\S+')


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("logs"), "--log-delivery-seconds", "1")
    yield make_client("s3", running)
    running.stop()


def policy(prefix):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::logs/{prefix}*",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::watched"},
                      "StringEquals": {"aws:SourceAccount": ACCOUNT}}}]})


def test_requests_are_logged(quick):
    quick.create_bucket(Bucket="logs")
    quick.create_bucket(Bucket="watched")
    status = {"LoggingEnabled": {
        "TargetBucket": "logs", "TargetPrefix": "w/",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}}}
    with pytest.raises(ClientError) as refused:
        quick.put_bucket_logging(Bucket="watched", BucketLoggingStatus=status)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    quick.put_bucket_policy(Bucket="logs", Policy=policy("w/"))
    quick.put_bucket_logging(Bucket="watched", BucketLoggingStatus=status)
    assert quick.get_bucket_logging(Bucket="watched")["LoggingEnabled"] == status["LoggingEnabled"]

    put = quick.put_object(Bucket="watched", Key="a b", Body=b"12345")
    quick.get_object(Bucket="watched", Key="a b", Range="bytes=0-1")["Body"].read()
    with pytest.raises(ClientError):
        quick.get_object(Bucket="watched", Key="absent")
    quick.copy_object(Bucket="watched", Key="c", CopySource={"Bucket": "watched", "Key": "a b"})
    quick.delete_objects(Bucket="watched", Delete={"Objects": [{"Key": "c"}]})
    lines = {}
    for _ in range(50):
        time.sleep(0.2)
        for entry in quick.list_objects_v2(Bucket="logs").get("Contents", []):
            key = entry["Key"]
            pattern = rf"w/{ACCOUNT}/us-east-1/watched/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\d-00-00-00-[0-9A-F]{{16}}"
            assert re.fullmatch(pattern, key), key
            for line in quick.get_object(Bucket="logs", Key=key)["Body"].read().decode().splitlines():
                fields = FIELD.findall(line)
                assert len(fields) == 26, line
                lines[fields[6], fields[7]] = fields
        if ("REST.POST.MULTI_OBJECT_DELETE", "-") in lines:
            break
    written = lines["REST.PUT.OBJECT", "a%20b"]
    assert written[5] == put["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]
    assert (written[9], written[10], written[12]) == ("200", "-", "5")
    assert written[19] == "SigV4" and written[21] == "AuthHeader" and written[16].startswith('"Boto3')
    read = lines["REST.GET.OBJECT", "a%20b"]
    assert (read[9], read[11], read[12]) == ("206", "2", "5") and read[8].startswith('"GET /watched/a%20b')
    absent = lines["REST.GET.OBJECT", "absent"]
    assert (absent[9], absent[10]) == ("404", "NoSuchKey")
    assert {("REST.COPY.OBJECT", "c"), ("REST.COPY.OBJECT_GET", "a%20b"), ("BATCH.DELETE.OBJECT", "c")} <= set(lines)

    quick.put_bucket_logging(Bucket="watched", BucketLoggingStatus={})
    assert "LoggingEnabled" not in quick.get_bucket_logging(Bucket="watched")


def test_what_cannot_take_logs_is_refused(quick):
    quick.create_bucket(Bucket="other")
    for target in ("absent-bucket", "other"):
        with pytest.raises(ClientError) as refused:
            enabled = {"TargetBucket": target, "TargetPrefix": ""}
            quick.put_bucket_logging(Bucket="other", BucketLoggingStatus={"LoggingEnabled": enabled})
        expected = "InvalidTargetBucketForLogging" if target == "absent-bucket" else "AccessDenied"
        assert refused.value.response["Error"]["Code"] == expected
