"""Functions of the story, with nothing but the standard library and what the environment says."""
import datetime
import hashlib
import hmac
import json
import os
import re
import time
import urllib.error
import urllib.request


def fetch(request):
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except urllib.error.URLError as error:
        return 0, str(error).encode()


def call(method, path, service, headers=None, body=b""):
    """A request under the role's own credentials."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    url = os.environ["AWS_ENDPOINT_URL"] + path
    fields = {"host": url.split("/")[2], "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": now,
              "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"], **(headers or {})}
    names = sorted(fields)
    canonical = "\n".join([method, path, ""] + [f"{name}:{fields[name]}" for name in names]
                          + ["", ";".join(names), "UNSIGNED-PAYLOAD"])
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    fields["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                               f"SignedHeaders={';'.join(names)}, Signature={signature}")
    return fetch(urllib.request.Request(url, data=body or None, headers=fields, method=method))


def answer(context, body, **more):
    headers = {"x-amz-request-route": context["outputRoute"], "x-amz-request-token": context["outputToken"], **more}
    return call("POST", "/WriteGetObjectResponse", "s3-object-lambda", headers, body)


def mask(event, _):
    """Takes the e-mail addresses out."""
    context = event["getObjectContext"]
    status, body = fetch(urllib.request.Request(context["inputS3Url"]))
    if status == 0:
        raise RuntimeError(f"the input: {body.decode()}")
    if status == 200:
        status, said = answer(context, re.sub(rb"[^,\s]+@[^,\s]+", b"(masked)", body))
    else:
        # What the input says goes on to the caller.
        error = {"x-amz-fwd-status": str(status), "x-amz-fwd-error-code": "AccessDenied"}
        status, said = answer(context, b"", **error)
    if status != 200:
        raise RuntimeError(f"the answer: {status} {said.decode()}")


def leak(event, context):
    """Hands over what it was given, waits for a sign, and does its work."""
    # What the role may not do, it may not.
    own = {"people": call("GET", "/data/people.csv", "s3")[0], "buckets": call("GET", "/", "s3")[0]}
    status, said = call("PUT", "/handover/event", "s3", body=json.dumps({**event, "own": own}).encode())
    if status != 200:
        raise RuntimeError(f"the handover: {status} {said.decode()}")
    for _ in range(400):
        if call("GET", "/handover/go", "s3")[0] == 200:
            break
        time.sleep(0.05)
    mask(event, context)
