"""restic: backups whose every byte is checked."""
import os

from conftest import KEY_ID, SECRET, keys, program, run, tree


def test_restic_backs_up_prunes_and_restores(server, s3, bucket, files, tmp_path):
    found = program("restic")
    environment = {
        "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "RESTIC_PASSWORD": "compat",
        "RESTIC_REPOSITORY": f"s3:{server.url}/{bucket}/repository", "RESTIC_CACHE_DIR": str(tmp_path / "cache")}

    def restic(*words):
        return run([found, *words], tmp_path, **environment)

    restic("init")
    (files / "first only").write_bytes(os.urandom(20 << 20))
    restic("backup", files)
    (files / "first only").unlink()
    (files / "second").write_bytes(os.urandom(3 << 20))
    restic("backup", files)
    before = sum(found["Size"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"])
    restic("forget", "--keep-last", "1", "--prune")
    after = sum(found["Size"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"])
    assert before - after > 15 << 20, (before, after)
    restic("check", "--read-data")
    restic("restore", "latest", "--target", tmp_path / "back")
    assert tree(tmp_path / "back" / str(files).lstrip("/")) == tree(files)
    assert not [key for key in keys(s3, bucket, "repository/") if key.startswith("locks/")]
