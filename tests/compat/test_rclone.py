"""rclone, as it is configured for an S3 store of no known make."""
import json
import shutil

import pytest
from conftest import KEY_ID, SECRET, keys, program, run, tree


@pytest.fixture
def rclone(server, tmp_path):
    found = program("rclone")
    remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": server.url, "REGION": "us-east-1",
              "ACCESS_KEY_ID": KEY_ID, "SECRET_ACCESS_KEY": SECRET}
    environment = {f"RCLONE_CONFIG_REFRACT_{name}": value for name, value in remote.items()}
    return lambda *words: run([found, *words], tmp_path, **environment)


def test_rclone_syncs_checks_and_moves(rclone, s3, bucket, files, tmp_path):
    there = f"refract:{bucket}/tree"
    (files / "many").write_bytes(bytes(range(256)) * (48 << 10))
    rclone("sync", "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", files, there)
    assert keys(s3, bucket, "tree/") == sorted(tree(files))
    assert s3.head_object(Bucket=bucket, Key="tree/many")["ETag"].endswith('-3"')
    rclone("check", files, there)
    rclone("check", "--download", files, there)
    (files / "plain.txt").write_bytes(b"changed")
    shutil.rmtree(files / "deep")
    rclone("sync", files, there)
    rclone("moveto", f"{there}/million", f"{there}/moved/million")
    (files / "moved").mkdir()
    (files / "million").rename(files / "moved/million")
    rclone("check", files, there)
    listed = json.loads(rclone("lsjson", "--recursive", "--files-only", "--hash", there))
    assert sorted(found["Path"] for found in listed) == sorted(tree(files))
    rclone("sync", there, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(files)
    # Times are kept, in metadata.
    assert (tmp_path / "back/empty").stat().st_mtime_ns == (files / "empty").stat().st_mtime_ns
    rclone("purge", there)
    assert keys(s3, bucket) == []


def test_rclone_makes_and_removes_buckets(rclone):
    rclone("mkdir", "refract:by-rclone")
    assert "by-rclone" in rclone("lsd", "refract:")
    rclone("rmdir", "refract:by-rclone")
    assert "by-rclone" not in rclone("lsd", "refract:")
