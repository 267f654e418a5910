"""s3fs-fuse: a bucket as a file system."""
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from conftest import KEY_ID, SECRET, keys, program, tree


@pytest.fixture
def mounted(server, bucket, tmp_path):
    found = program("s3fs")
    if not pathlib.Path("/dev/fuse").exists():
        pytest.skip("s3fs: there is no /dev/fuse")
    password, point, log = tmp_path / "password", tmp_path / "mount", tmp_path / "log"
    password.write_text(f"{KEY_ID}:{SECRET}")
    password.chmod(0o600)
    point.mkdir()
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [found, bucket, point, "-f", "-o", f"url={server.url},use_path_request_style,passwd_file={password}"],
            stdout=out, stderr=out)
    deadline = time.monotonic() + 20
    while not point.is_mount() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if not point.is_mount():
        process.kill()
        process.wait()
        said = log.read_text()
        if "fuse" in said.lower() and ("permitted" in said or "denied" in said or "fusermount" in said):
            pytest.skip("s3fs: this machine does not let us mount")
        pytest.fail(f"s3fs did not mount: {said[-2000:]}")
    yield point
    subprocess.run(["fusermount", "-u", point], check=False)
    try:
        process.wait(20)
    finally:
        process.kill()


def test_a_mounted_bucket_is_written_and_read(mounted, s3, bucket, files):
    shutil.copytree(files, mounted / "tree")
    assert tree(mounted / "tree") == tree(files)
    large = os.urandom(30 << 20)
    (mounted / "large").write_bytes(large)
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == large
    with open(mounted / "tree/plain.txt", "ab") as file:
        file.write(b"appended\n")
    assert s3.get_object(Bucket=bucket, Key="tree/plain.txt")["Body"].read() == b"plain\nappended\n"
    (mounted / "large").rename(mounted / "renamed")
    (mounted / "renamed").chmod(0o600)
    assert (mounted / "renamed").read_bytes() == large and (mounted / "renamed").stat().st_mode & 0o777 == 0o600
    s3.put_object(Bucket=bucket, Key="from elsewhere", Body=b"boto3")
    assert (mounted / "from elsewhere").read_bytes() == b"boto3"
    shutil.rmtree(mounted / "tree")
    assert [key for key in keys(s3, bucket) if not key.endswith("/")] == ["from elsewhere", "renamed"]
