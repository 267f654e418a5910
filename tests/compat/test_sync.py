"""Directories and files that are larger than memory should be, by the AWS command line and boto3 with their defaults."""
import hashlib
import io
import os
import shutil

from conftest import keys, tree


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_directory_is_synchronised_both_ways_with_deletes(aws, s3, bucket, files, tmp_path):
    there = f"s3://{bucket}/site"
    aws("s3", "sync", str(files), there)
    assert keys(s3, bucket, "site/") == sorted(tree(files))
    (files / "plain.txt").write_bytes(b"another length")
    shutil.rmtree(files / "deep")
    listed = aws("s3", "sync", "--no-progress", "--delete", str(files), there).stdout.decode()
    assert sorted(line.split(":")[0] for line in listed.splitlines() if line.startswith(("delete: ", "upload: "))) == ["delete", "upload"], listed
    back = tmp_path / "back"
    back.mkdir()
    (back / "extra").write_bytes(b"not in the bucket")
    aws("s3", "sync", "--delete", there, str(back))
    assert tree(back) == tree(files)
    # What is the same is left alone, in both directions.
    assert aws("s3", "sync", "--delete", there, str(back)).stdout == b""
    assert aws("s3", "sync", "--delete", str(files), there).stdout == b""


def test_two_hundred_mebibytes_by_multipart(aws, s3, bucket, tmp_path):
    path, back = tmp_path / "large", tmp_path / "back"
    with open(path, "wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    aws("s3", "cp", str(path), f"s3://{bucket}/large")
    assert s3.head_object(Bucket=bucket, Key="large", PartNumber=1)["PartsCount"] == 25
    aws("s3", "mv", f"s3://{bucket}/large", f"s3://{bucket}/moved")
    aws("s3", "cp", f"s3://{bucket}/moved", str(back))
    assert digest(back) == digest(path)
    assert keys(s3, bucket) == ["moved"]


def test_file_objects_go_up_and_come_down(s3, bucket):
    body = os.urandom(40 << 20)
    s3.upload_fileobj(io.BytesIO(body), bucket, "file", ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "x/y"})
    head = s3.head_object(Bucket=bucket, Key="file", ChecksumMode="ENABLED")
    assert (head["Metadata"], head["ContentType"], head["ContentLength"]) == ({"a": "b"}, "x/y", len(body))
    assert head["ChecksumType"] == "FULL_OBJECT" or head["ChecksumCRC32"].endswith("-5"), head
    out = io.BytesIO()
    s3.download_fileobj(bucket, "file", out)
    assert out.getvalue() == body
