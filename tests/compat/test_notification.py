"""boto3: notifications to a queue in a file and to a webhook, over a crash of the server."""
import http.server
import json
import threading
import time
import urllib.parse

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Server, make_client

QUEUE, HOOK = (f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}" for service, name in (("sqs", "file"), ("sns", "hook")))


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes what is posted, once `open` is set; before that it answers 503."""
    open, taken = threading.Event(), []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.open.is_set():
            self.taken.append(body)
        self.send_response(204 if self.open.is_set() else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}/hook"
    listening.shutdown()


def until(found, count):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        all_of_it = found()
        if len(all_of_it) >= count:
            return all_of_it
        time.sleep(0.1)
    raise AssertionError(f"{count} messages were expected: {found()}")


def test_events_reach_their_targets(tmp_path, hook):
    flags = ["--notify-queue", "file", "--notify-webhook", f"hook={hook}", "--notify-private",
             "--lifecycle-day-seconds", "1"]
    server = Server(tmp_path, *flags)
    s3 = make_client("s3", server)
    s3.create_bucket(Bucket="told")
    s3.put_bucket_versioning(Bucket="told", VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": QUEUE + "-absent", "Events": ["s3:ObjectCreated:*"]}]})
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    configuration = {
        "QueueConfigurations": [{
            "Id": "all", "QueueArn": QUEUE,
            "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]}],
        "TopicConfigurations": [{
            "Id": "expired", "TopicArn": HOOK, "Events": ["s3:LifecycleExpiration:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"},
                                               {"Name": "Suffix", "Value": ".jpg"}]}}}],
    }
    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration=configuration)
    shown = s3.get_bucket_notification_configuration(Bucket="told")
    assert shown["QueueConfigurations"] == configuration["QueueConfigurations"]
    [rule] = shown["TopicConfigurations"][0]["Filter"]["Key"]["FilterRules"][:1]
    assert (rule["Name"].lower(), rule["Value"]) == ("prefix", "in/")
    # Rules that share an event, as far as their filters allow it, are refused: the hook gets another event.
    configuration["TopicConfigurations"][0]["Events"] = ["s3:ObjectCreated:Put"]
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration=configuration)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"

    version = s3.put_object(Bucket="told", Key="in/a b.jpg", Body=b"12345")
    s3.copy_object(Bucket="told", Key="c", CopySource={"Bucket": "told", "Key": "in/a b.jpg"})
    s3.put_object_tagging(Bucket="told", Key="c", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket="told", Key="c")
    s3.put_object_acl(Bucket="told", Key="c", ACL="public-read")
    upload = s3.create_multipart_upload(Bucket="told", Key="m")["UploadId"]
    part = s3.upload_part(Bucket="told", Key="m", UploadId=upload, PartNumber=1, Body=b"x" * 10)
    s3.complete_multipart_upload(Bucket="told", Key="m", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    s3.delete_object(Bucket="told", Key="c")
    s3.delete_object(Bucket="told", Key="in/a b.jpg", VersionId=version["VersionId"])
    s3.delete_objects(Bucket="told", Delete={"Objects": [{"Key": "m"}]})
    # What was answered is recorded, whatever becomes of the server.
    server.process.kill()
    server.process.wait()
    Hook.open.set()
    server = Server(tmp_path, *flags)
    file = tmp_path / "queues" / "file.jsonl"

    def lines():
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    messages = until(lambda: {json.dumps(line, sort_keys=True) for line in lines()}, 10)
    assert len(messages) == 10
    assert [line["Event"] for line in lines() if "Event" in line][:1] == ["s3:TestEvent"]
    # A message may be there twice, for the server was killed.
    records = [line["Records"][0] for line in map(json.loads, messages) if "Records" in line]
    names = {record["eventName"] for record in records}
    assert names == {"ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
                     "ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put", "ObjectRemoved:Delete",
                     "ObjectRemoved:DeleteMarkerCreated"}
    [put] = [record for record in records if record["eventName"] == "ObjectCreated:Put"]
    assert put["s3"]["configurationId"] == "all" and put["requestParameters"]["sourceIPAddress"] == "127.0.0.1"
    assert put["responseElements"]["x-amz-request-id"] == version["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]
    described = put["s3"]["object"]
    assert urllib.parse.unquote_plus(described["key"]) == "in/a b.jpg" and described["key"] == "in/a+b.jpg"
    assert (described["size"], described["versionId"]) == (5, version["VersionId"])
    assert f'"{described["eTag"]}"' == version["ETag"]
    [deleted] = [record for record in records if record["eventName"] == "ObjectRemoved:Delete"]
    assert deleted["s3"]["object"]["versionId"] == version["VersionId"]
    assert deleted["s3"]["object"]["sequencer"] > described["sequencer"]

    [test] = until(lambda: Hook.taken, 1)[:1]
    assert test["Event"] == "s3:TestEvent" and test["Bucket"] == "told"
    s3 = make_client("s3", server)
    s3.put_object(Bucket="told", Key="in/old.jpg", Body=b"")
    s3.put_object(Bucket="told", Key="in/old.png", Body=b"")
    s3.put_bucket_lifecycle_configuration(Bucket="told", LifecycleConfiguration={"Rules": [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "in/"}, "Expiration": {"Days": 1}}]})
    expired = until(lambda: Hook.taken, 2)[1]["Records"][0]
    assert expired["eventName"] == "LifecycleExpiration:DeleteMarkerCreated"
    assert expired["s3"]["object"]["key"] == "in/old.jpg" and expired["s3"]["object"]["versionId"]

    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="told")
    server.stop()
