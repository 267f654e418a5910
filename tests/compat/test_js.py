"""The JavaScript SDK v3 on aliases."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import KEY_ID, SECRET

JS = pathlib.Path(__file__).parent / "js"


@pytest.mark.skipif(not shutil.which("node") or not (JS / "node_modules").exists(), reason="no JavaScript SDK")
def test_the_alias_is_a_bucket(server, points):
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = subprocess.run(["node", "client.mjs", server.url, points.access_point, points.redacted], cwd=JS,
                          env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    masked = "mail ***************\n"
    assert json.loads(done.stdout) == {
        "body": masked, "length": len(masked), "keys": ["js.txt"], "presigned": masked,
    }
