"""The JavaScript SDK v3 on aliases, and with streams."""
import hashlib
import json
import os
import pathlib

import pytest
from conftest import KEY_ID, SECRET, program, run

JS = pathlib.Path(__file__).parent / "js"


def node(script, *words):
    found = program("node")
    if not (JS / "node_modules/@aws-sdk").exists():
        pytest.skip("the JavaScript SDK is not installed")
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    return json.loads(run([found, script, *words], JS, **keys))


def test_the_alias_is_a_bucket(server, points):
    masked = "mail ***************\n"
    assert node("client.mjs", server.url, points.access_point, points.redacted) == {
        "body": masked, "length": len(masked), "keys": ["js.txt"], "presigned": masked,
    }


def test_streams_go_up_and_come_down(server, bucket, tmp_path):
    body = os.urandom(7 << 20)
    path = tmp_path / "file"
    path.write_bytes(body)
    done = node("streams.mjs", server.url, bucket, path)
    assert done["stream"] == done.pop("expected")
    assert done == {"file": hashlib.sha256(body).hexdigest(), "stream": done["stream"], "parts": 3,
                    "range": [0, 0, 1, 1], "gone": ["file", "stream"]}
