"""s3cmd, with signatures of both versions."""
import shutil
import urllib.request

import pytest
from conftest import KEY_ID, SECRET, keys, program, run, tree


@pytest.fixture(params=["4", "2"])
def s3cmd(request, server, tmp_path):
    found = program("s3cmd")
    host = server.url.removeprefix("http://")
    configuration = tmp_path / "s3cfg"
    configuration.write_text(
        f"[default]\naccess_key = {KEY_ID}\nsecret_key = {SECRET}\nhost_base = {host}\nhost_bucket = {host}\n"
        f"use_https = False\nsignature_v2 = {request.param == '2'}\n")
    return lambda *words: run([found, "--config", configuration, "--no-progress", *words], tmp_path)


def test_s3cmd_syncs_signs_and_removes(s3cmd, s3, bucket, files, tmp_path):
    there = f"s3://{bucket}"
    (files / "many").write_bytes(bytes(range(256)) * (64 << 10))
    s3cmd("sync", f"{files}/", f"{there}/tree/")
    assert keys(s3, bucket, "tree/") == sorted(tree(files))
    assert s3.head_object(Bucket=bucket, Key="tree/many", PartNumber=1)["PartsCount"] == 2
    (files / "plain.txt").write_bytes(b"changed")
    shutil.rmtree(files / "deep")
    s3cmd("sync", "--delete-removed", f"{files}/", f"{there}/tree/")
    assert keys(s3, bucket, "tree/") == sorted(tree(files))
    back = tmp_path / "back"
    back.mkdir()
    s3cmd("sync", f"{there}/tree/", f"{back}/")
    assert tree(back) == tree(files)
    s3cmd("cp", f"{there}/tree/plain.txt", f"{there}/copied")
    s3cmd("mv", f"{there}/copied", f"{there}/moved")
    assert "plain.txt" in s3cmd("ls", f"{there}/tree/") and "MD5 sum" in s3cmd("info", f"{there}/moved")
    with urllib.request.urlopen(s3cmd("signurl", f"{there}/moved", "+60").strip()) as answer:
        assert answer.read() == b"changed"
    s3cmd("setacl", "--acl-public", f"{there}/moved")
    s3cmd("del", "--recursive", "--force", f"{there}/")
    s3cmd("rb", there)
    assert bucket not in s3cmd("ls")


def test_s3cmd_makes_buckets(s3cmd, s3, request):
    name = "by-s3cmd-" + request.node.callspec.params["s3cmd"]
    s3cmd("mb", f"s3://{name}")
    assert name in [found["Name"] for found in s3.list_buckets()["Buckets"]]
