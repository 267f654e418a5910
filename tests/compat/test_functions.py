"""Functions that run code: unmodified AWS Lambda packages behind the Lambda API and Object Lambda access points."""
import base64
import collections
import concurrent.futures
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
import zipfile

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, KEY_ID, ROLE, SECRET, Server, binary, make_client, make_role

# In the style of AWS's own samples: boto3, a presigned URL, WriteGetObjectResponse.
UPPER = '''
import urllib.parse
import urllib.request
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    object_context = event["getObjectContext"]
    with urllib.request.urlopen(object_context["inputS3Url"]) as response:
        original = response.read().decode("utf-8")
    s3.write_get_object_response(
        Body=original.upper(),
        RequestRoute=object_context["outputRoute"],
        RequestToken=object_context["outputToken"],
        Metadata={"made-by": event["configuration"]["payload"]},
        ContentType="text/x-upper",
    )
    return {"status_code": 200}
'''

# As UPPER, with nothing but the standard library and what the environment says.
PLAIN = '''
import json, os, urllib.request, urllib.error


def answer(context, body, **headers):
    import datetime, hashlib, hmac
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    url = os.environ["AWS_ENDPOINT_URL"] + "/WriteGetObjectResponse"
    fields = {"host": url.split("/")[2], "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": now,
              "x-amz-request-route": context["outputRoute"], "x-amz-request-token": context["outputToken"],
              "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"], **headers}
    names = sorted(fields)
    canonical = "\\n".join(["POST", "/WriteGetObjectResponse", ""] + [f"{n}:{fields[n]}" for n in names]
                          + ["", ";".join(names), "UNSIGNED-PAYLOAD"])
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/s3-object-lambda/aws4_request"
    text = f"AWS4-HMAC-SHA256\\n{now}\\n{scope}\\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    fields["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                               f"SignedHeaders={';'.join(names)}, Signature={signature}")
    request = urllib.request.Request(url, data=body, headers=fields, method="POST")
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
'''


def package(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o755 << 16
            archive.writestr(info, text)
    return out.getvalue()


class Functions:
    """A server for functions, and clients of it."""

    def __init__(self, directory, *flags, seconds=20):
        self.runtimes = directory / "runtimes"
        # Full isolation where the host has it, and the tests either way.
        self.server = Server(directory / "store", "--allow-weak-isolation", "--runtime-dir", str(self.runtimes),
                             "--function-retry-seconds", "1", "--object-lambda-seconds", str(seconds),
                             "--function-queue", "4", "--function-queue-seconds", "20", *flags)
        self.awslambda = make_client("lambda", self.server)
        self.iam = make_role(self.server)
        self.s3 = make_client("s3", self.server)
        self.control = make_client("s3control", self.server, proxied=True)
        self.s3.create_bucket(Bucket="functions")
        self.point = self.control.create_access_point(AccountId=ACCOUNT, Name="functions-ap", Bucket="functions")
        self.count = 0

    def create(self, files, runtime="python3.11", handler="app.handler", **more):
        if isinstance(files, str):
            files = {"app.py": files}
        self.count += 1
        name = f"f{self.count}"
        # Memory is CPU, as on AWS.
        options = {"MemorySize": 1769, "Timeout": 20, **more}
        options = {"Role": ROLE, **options}
        self.awslambda.create_function(FunctionName=name, Runtime=runtime, Handler=handler,
                                       Code={"ZipFile": package(files)}, **options)
        self.awslambda.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def invoke(self, name, event=None, **more):
        answer = self.awslambda.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
        return answer, json.loads(answer["Payload"].read() or b"null")

    def lens(self, name, *actions, features=(), payload="a payload"):
        self.count += 1
        made = self.control.create_access_point_for_object_lambda(
            AccountId=ACCOUNT, Name=f"lens{self.count}", Configuration={
                "SupportingAccessPoint": self.point["AccessPointArn"],
                "AllowedFeatures": list(features),
                "TransformationConfigurations": [{
                    "Actions": list(actions or ["GetObject"]),
                    "ContentTransformation": {"AwsLambda": {
                        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}",
                        "FunctionPayload": payload,
                    }},
                }],
            })
        return made["Alias"]["Value"]

    def log(self, name, request_id):
        done = subprocess.run(
            [binary(), "function", "logs", name, "--request-id", request_id, "--endpoint-url", self.server.url],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "AKIACOMPATTESTS00000",
                 "AWS_SECRET_ACCESS_KEY": "compat-tests-secret-access-key-000000000"},
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def fn(tmp_path_factory):
    functions = Functions(tmp_path_factory.mktemp("functions"))
    yield functions
    functions.server.stop()


def refused(call, *arguments, **more):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="module")
def python_runtime(fn):
    done = subprocess.run([binary(), "function", "runtime", "install", "python", "--runtime-dir", str(fn.runtimes)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"boto3 cannot be installed: {done.stderr}")


def test_a_function_lives_through_the_api(fn):
    name = fn.create("def handler(event, context):\n    print('seen')\n    return {'got': event}\n", Publish=True)
    client = fn.awslambda
    answer, body = fn.invoke(name, {"a": 1}, LogType="Tail")
    assert (answer["StatusCode"], body, answer["ExecutedVersion"]) == (200, {"got": {"a": 1}}, "$LATEST")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith("START RequestId: ") and "\nseen\n" in log and "\nREPORT RequestId: " in log

    shown = client.get_function(FunctionName=name)
    assert shown["Configuration"]["State"] == "Active"
    assert name in [one["FunctionName"] for one in client.list_functions()["Functions"]]
    code = package({"app.py": "import os\ndef handler(event, context):\n    return os.environ['WHO']\n"})
    changed = client.update_function_code(FunctionName=name, ZipFile=code)
    assert changed["CodeSha256"] != shown["Configuration"]["CodeSha256"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"WHO": "blue"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert fn.invoke(name)[1] == "blue"
    assert client.publish_version(FunctionName=name)["Version"] == "2"
    assert client.publish_version(FunctionName=name)["Version"] == "2"
    versions = [one["Version"] for one in client.list_versions_by_function(FunctionName=name)["Versions"]]
    assert versions == ["$LATEST", "1", "2"]
    assert fn.invoke(name, {}, Qualifier="1")[1] == {"got": {}}

    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.update_alias(FunctionName=name, Name="live",
                        RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert fn.invoke(name, {}, Qualifier="live")[1] == "blue"
    assert [one["Name"] for one in client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    assert refused(client.delete_function, FunctionName=name, Qualifier="1") == ("ResourceConflictException", 409)
    client.delete_alias(FunctionName=name, Name="live")
    assert refused(client.get_alias, FunctionName=name, Name="live") == ("ResourceNotFoundException", 404)

    client.add_permission(FunctionName=name, StatementId="s1", Action="lambda:InvokeFunction",
                          Principal="s3.amazonaws.com", SourceAccount=ACCOUNT)
    policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}
    client.remove_permission(FunctionName=name, StatementId="s1")
    assert refused(client.get_policy, FunctionName=name) == ("ResourceNotFoundException", 404)

    arn = shown["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"k": "v"})
    assert client.list_tags(Resource=arn)["Tags"] == {"k": "v"}
    client.untag_resource(Resource=arn, TagKeys=["k"])
    assert client.list_tags(Resource=arn)["Tags"] == {}
    assert client.get_account_settings()["AccountUsage"]["FunctionCount"] >= 1
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert client.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 1
    client.delete_function_event_invoke_config(FunctionName=name)

    assert client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert refused(client.invoke, FunctionName=name) == ("TooManyRequestsException", 429)
    client.delete_function_concurrency(FunctionName=name)
    assert fn.invoke(name)[1] == "blue"
    client.delete_function(FunctionName=name)
    assert refused(client.get_function, FunctionName=name) == ("ResourceNotFoundException", 404)


def test_what_is_not_valid_is_refused(fn):
    good = {"FunctionName": "bad", "Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler",
            "Code": {"ZipFile": package({"app.py": "x"})}}
    for change, code in [
        ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": package({"../evil.py": "x"})}}, "InvalidParameterValueException"),
        ({"MemorySize": 20_000}, "ValidationException"),
        ({"Timeout": 901}, "ValidationException"),
        ({"Runtime": "java21"}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "InvalidParameterValueException"),
        ({"Code": {"S3Bucket": "functions", "S3Key": "absent.zip"}}, "InvalidParameterValueException"),
        ({"Role": ROLE + "2"}, "InvalidParameterValueException"),
        ({"Role": "reader"}, "ValidationException"),
    ]:
        assert refused(fn.awslambda.create_function, **{**good, **change})[0] == code, change.keys()


def test_a_function_may_what_its_role_may(fn, python_runtime):
    iam, trust = fn.iam, {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}}
    role = iam.create_role(RoleName="own", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    source = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    seen = {"who": boto3.client("sts").get_caller_identity()["Arn"]}
    s3 = boto3.client("s3")
    for name, call in {"get": lambda: s3.get_object(Bucket="functions", Key="role"),
                       "put": lambda: s3.put_object(Bucket="functions", Key="role", Body=b"")}.items():
        try:
            call()
            seen[name] = "done"
        except ClientError as error:
            seen[name] = error.response["Error"]["Code"]
    return seen
"""
    fn.s3.put_object(Bucket="functions", Key="role", Body=b"x")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        fn.create(source, Role=role)
    trust["Statement"]["Principal"] = {"Service": "lambda.amazonaws.com"}
    iam.update_assume_role_policy(RoleName="own", PolicyDocument=json.dumps(trust))
    name = fn.create(source, Role=role)
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/own/{name}"
    assert fn.invoke(name)[1] == {"who": who, "get": "AccessDenied", "put": "AccessDenied"}
    iam.put_role_policy(RoleName="own", PolicyName="read", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::functions/*"}}))
    assert fn.invoke(name)[1] == {"who": who, "get": "done", "put": "AccessDenied"}
    # Its credentials end with the role, those of a warm worker at once, and no other worker starts.
    iam.delete_role_policy(RoleName="own", PolicyName="read")
    iam.delete_role(RoleName="own")
    assert "InvalidClientTokenId" in fn.invoke(name)[1]["errorMessage"]
    fn.awslambda.update_function_configuration(FunctionName=name, Timeout=19)
    assert refused(fn.awslambda.invoke, FunctionName=name) == ("InvalidRuntimeException", 502)


def test_another_account_is_let_in_where_both_sides_allow(fn):
    name = fn.create("def handler(event, context):\n    return 'in'\n")
    made = subprocess.run(
        [binary(), "account", "create", "222222222222", "--name", "other", "--email", "other@example.com",
         "--endpoint-url", fn.server.url],
        env={**os.environ, "AWS_ACCESS_KEY_ID": "AKIACOMPATTESTS00000",
             "AWS_SECRET_ACCESS_KEY": "compat-tests-secret-access-key-000000000"}, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    other = boto3.client("lambda", endpoint_url=fn.server.url, region_name="us-east-1",
                         aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert refused(other.invoke, FunctionName=arn) == ("AccessDeniedException", 403)
    fn.awslambda.add_permission(FunctionName=name, StatementId="other", Action="lambda:InvokeFunction",
                                Principal="222222222222")
    assert json.loads(other.invoke(FunctionName=arn)["Payload"].read()) == "in"
    assert refused(other.get_function, FunctionName=arn) == ("AccessDeniedException", 403)
    assert refused(other.invoke, FunctionName=name) == ("AccessDeniedException", 403)
    fn.awslambda.remove_permission(FunctionName=name, StatementId="other")
    assert refused(other.invoke, FunctionName=arn) == ("AccessDeniedException", 403)


def test_code_may_come_from_a_bucket(fn):
    fn.s3.put_object(Bucket="functions", Key="code.zip",
                     Body=package({"app.py": "def handler(e, c):\n    return 'bucket'\n"}))
    name = fn.create({"app.py": "x"})
    fn.awslambda.update_function_code(FunctionName=name, S3Bucket="functions", S3Key="code.zip")
    assert fn.invoke(name)[1] == "bucket"


def test_failures_read_as_awss(fn):
    name = fn.create("import os, time\ndef handler(event, context):\n"
                     "    if event.get('exit'): os._exit(3)\n    if event.get('sleep'): time.sleep(30)\n"
                     "    raise ValueError('no good')\n", Timeout=2)
    answer, body = fn.invoke(name)
    assert (answer["FunctionError"], body["errorType"], body["errorMessage"]) == ("Unhandled", "ValueError", "no good")
    assert body["stackTrace"]
    assert fn.invoke(name, {"exit": 1})[1]["errorType"] == "Runtime.ExitError"
    answer, body = fn.invoke(name, {"sleep": 1})
    assert body["errorType"] == "Sandbox.Timedout" and "Task timed out after 2.00 seconds" in body["errorMessage"]
    assert fn.invoke(name)[1]["errorType"] == "ValueError"
    broken = fn.create("import nothing_of_this_name\n")
    assert fn.invoke(broken)[1]["errorType"] == "Runtime.ImportModuleError"
    assert fn.invoke(fn.create("x = 1\n"))[1]["errorType"] == "Runtime.HandlerNotFound"


def test_a_boto3_function_transforms_a_get(fn, python_runtime):
    fn.s3.put_object(Bucket="functions", Key="dir/a b+ü.txt", Body="grüße".encode())
    lens = fn.lens(fn.create(UPPER))
    read = fn.s3.get_object(Bucket=lens, Key="dir/a b+ü.txt")
    assert read["Body"].read() == "GRÜSSE".encode()
    assert (read["ContentType"], read["Metadata"]) == ("text/x-upper", {"made-by": "a payload"})


def test_the_command_line_makes_and_reads(fn, python_runtime, tmp_path):
    program = pathlib.Path(__file__).parent / ".venv" / "bin" / "aws"
    if not program.exists():
        program = shutil.which("aws")
    if not program:
        pytest.skip("no aws-cli")
    (tmp_path / "upper.zip").write_bytes(package({"app.py": UPPER}))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "AKIACOMPATTESTS00000",
                   "AWS_SECRET_ACCESS_KEY": "compat-tests-secret-access-key-000000000",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}

    def aws(*arguments):
        done = subprocess.run([program, "--endpoint-url", fn.server.url, *arguments], env=environment, cwd=tmp_path,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    aws("lambda", "create-function", "--function-name", "from-cli", "--runtime", "python3.11", "--role", ROLE,
        "--handler", "app.handler", "--zip-file", "fileb://upper.zip", "--timeout", "20", "--memory-size", "1769")
    aws("lambda", "wait", "function-active-v2", "--function-name", "from-cli")
    fn.s3.put_object(Bucket="functions", Key="cli.txt", Body=b"from the shell")
    lens = fn.lens("from-cli")
    assert aws("s3api", "get-object", "--bucket", lens, "--key", "cli.txt", "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == b"FROM THE SHELL"


def test_the_event_is_awss(fn):
    name = fn.create(PLAIN + "\ndef handler(event, context):\n"
                     "    answer(event['getObjectContext'], json.dumps(event).encode())\n")
    lens = fn.lens(name)
    signed = fn.s3.generate_presigned_url("get_object", Params={"Bucket": lens, "Key": "absent key"})
    request = urllib.request.Request(signed, headers={"X-Function-Params": "One", "accept": "text/csv"})
    # A function is invoked even where there is no such key.
    raw = socket_get(request)
    event = json.loads(raw)
    assert list(event) == ["xAmzRequestId", "getObjectContext", "configuration", "userRequest", "userIdentity",
                           "protocolVersion"]
    assert event["protocolVersion"] == "1.00" and event["configuration"]["payload"] == "a payload"
    assert event["userRequest"]["headers"]["X-Function-Params"] == "One"
    assert event["userRequest"]["url"].startswith("https://lens") and "Signature" not in event["userRequest"]["url"]
    assert ".s3-object-lambda.us-east-1.amazonaws.com/absent key" in event["userRequest"]["url"]
    assert event["userIdentity"]["type"] == "Root"
    assert urllib.parse.urlsplit(event["getObjectContext"]["inputS3Url"]).path == "/absent%20key"


def socket_get(request):
    """GET with the header names as they are written; urllib would change them."""
    import http.client
    parts = urllib.parse.urlsplit(request.full_url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.putrequest("GET", f"{parts.path}?{parts.query}")
    for name, value in (("X-Function-Params", "One"), ("accept", "text/csv")):
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse().read()


def test_the_url_of_the_input_reads_one_object_and_a_role_does_nothing_else(fn):
    fn.s3.put_object(Bucket="functions", Key="mine", Body=b"mine")
    fn.s3.put_object(Bucket="functions", Key="other", Body=b"other")
    name = fn.create(PLAIN + '''
def status(url, method="GET", headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers)) as reply:
            return [reply.status, reply.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, ""]


def handler(event, context):
    url = event["getObjectContext"]["inputS3Url"]
    seen = {
        "own": status(url), "range": status(url, headers={"Range": "bytes=1-2"}),
        "other": status(url.replace("/mine?", "/other?")), "put": status(url, "PUT"), "delete": status(url, "DELETE"),
        "admin": status(os.environ["AWS_ENDPOINT_URL"] + "/_refract/v1/keys"),
        "metrics": status(os.environ["AWS_ENDPOINT_URL"] + "/_refract/metrics"),
        "stolen": answer({"outputRoute": "olap", "outputToken": "x" * 59}, b"")[0],
    }
    seen["first"] = answer(event["getObjectContext"], json.dumps(seen).encode())[0]
    seen["again"] = answer(event["getObjectContext"], b"twice")[0]
    print(json.dumps(seen))
''')
    read = fn.s3.get_object(Bucket=fn.lens(name), Key="mine")
    seen = json.loads(read["Body"].read())
    assert seen == {"own": [200, "mine"], "range": [206, "in"], "other": [403, ""], "put": [403, ""],
                    "delete": [403, ""], "admin": [403, ""], "metrics": [403, ""], "stolen": 400}
    time.sleep(0.3)
    log = fn.log(name, read["ResponseMetadata"]["RequestId"])
    assert '"first": 200, "again": 400' in log, log


def test_the_first_byte_comes_before_the_last_is_made(fn):
    name = fn.create(PLAIN + '''
import time


def handler(event, context):
    def slowly():
        yield b"first"
        time.sleep(1.5)
        yield b"last"
    answer(event["getObjectContext"], slowly())
''')
    lens = fn.lens(name)
    fn.invoke(name, {"getObjectContext": {"outputRoute": "x", "outputToken": "y"}})
    started = time.monotonic()
    body = fn.s3.get_object(Bucket=lens, Key="k")["Body"]
    assert body.read(5) == b"first"
    first = time.monotonic() - started
    assert body.read() == b"last"
    assert time.monotonic() - started - first > 0.8


def test_errors_of_functions_reach_the_caller_by_their_codes(fn):
    def code(source, **more):
        lens = fn.lens(fn.create(PLAIN + source, **more))
        return refused(fn.s3.get_object, Bucket=lens, Key="k")

    own = "def handler(event, context):\n    "
    context = "event['getObjectContext']"
    assert code(own + f"answer({context}, b'', **{{'x-amz-fwd-status': '403', 'x-amz-fwd-error-code': 'NotToday'}})") \
        == ("NotToday", 403)
    assert code(own + f"answer({context}, b'', **{{'x-amz-fwd-status': '404', 'x-amz-fwd-error-message': 'x'}})") \
        == ("NoSuchKey", 404)
    assert code(own + f"answer({context}, b'', **{{'x-amz-fwd-status': '418'}})") == ("LambdaInvalidResponse", 400)
    assert code(own + "pass") == ("LambdaResponseNotReceived", 500)
    assert code(own + "raise ValueError()") == ("LambdaRuntimeError", 500)
    assert code(own + "import time; time.sleep(9)", Timeout=1) == ("LambdaTimeout", 500)
    missing = fn.lens("there-is-none")
    assert refused(fn.s3.get_object, Bucket=missing, Key="k") == ("LambdaNotFound", 404)
    stopped = fn.create(PLAIN + own + "pass")
    fn.awslambda.put_function_concurrency(FunctionName=stopped, ReservedConcurrentExecutions=0)
    assert refused(fn.s3.get_object, Bucket=fn.lens(stopped), Key="k") == ("SlowDown", 503)


def test_heads_and_listings_are_return_values(fn):
    fn.s3.put_object(Bucket="functions", Key="heads/one", Body=b"12345", Metadata={"a": "b"})
    head = fn.create("""
import urllib.parse
import urllib.request
def handler(event, context):
    url = event["headObjectContext"]["inputS3Url"]
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as reply:
        headers = {name.lower(): value for name, value in reply.headers.items()}
    headers["x-amz-meta-seen"] = "yes"
    return {"statusCode": 200, "headers": headers}
""")
    seen = fn.s3.head_object(Bucket=fn.lens(head, "HeadObject"), Key="heads/one")
    assert (seen["ContentLength"], seen["Metadata"]) == (5, {"a": "b", "seen": "yes"})
    listing = fn.create("""
import urllib.parse
import urllib.request
def handler(event, context):
    if "listObjectsContext" in event:
        return {"statusCode": 200, "listBucketResult": {"name": "n", "maxKeys": 5, "isTruncated": False,
                "contents": [{"key": "made&up", "size": 7}]}}
    with urllib.request.urlopen(event["listObjectsV2Context"]["inputS3Url"]) as reply:
        return {"statusCode": 200, "listResultXml": reply.read().decode().replace("heads/one", "heads/two")}
""")
    lens = fn.lens(listing, "ListObjects", "ListObjectsV2")
    v2 = fn.s3.list_objects_v2(Bucket=lens, Prefix="heads/")
    assert [one["Key"] for one in v2["Contents"]] == ["heads/two"] and v2["Name"] == "functions"
    v1 = fn.s3.list_objects(Bucket=lens)
    assert [(one["Key"], one["Size"]) for one in v1["Contents"]] == [("made&up", 7)]


class Queues:
    """A server with two queues in files, which can crash."""
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"

    def __init__(self, directory):
        self.directory = directory
        self.start()
        make_role(self.server)

    def start(self):
        self.server = Server(self.directory, "--allow-weak-isolation", "--function-retry-seconds", "1",
                             "--notify-queue", "work", "--notify-queue", "dead")
        self.awslambda, self.s3 = make_client("lambda", self.server), make_client("s3", self.server)

    def crash(self):
        self.server.process.kill()
        self.server.process.wait()

    def create(self, name, source, **more):
        self.awslambda.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="app.handler",
                                       Code={"ZipFile": package({"app.py": source})}, Timeout=20, MemorySize=512, **more)

    def lines(self, name):
        file = self.directory / "queues" / f"{name}.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def logs(self, name):
        done = subprocess.run([binary(), "function", "logs", name, "--endpoint-url", self.server.url],
                              env={**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def queues(tmp_path):
    made = Queues(tmp_path / "store")
    yield made
    made.server.stop()


def test_events_survive_a_crash(queues):
    queues.create("noted", "def handler(event, context):\n    print('seen', event['n'])\n    return event\n")
    queues.awslambda.put_function_concurrency(FunctionName="noted", ReservedConcurrentExecutions=0)
    for n in range(5):
        queues.awslambda.invoke(FunctionName="noted", InvocationType="Event", Payload=json.dumps({"n": n}))
    queues.awslambda.put_function_event_invoke_config(
        FunctionName="noted", DestinationConfig={"OnSuccess": {"Destination": queues.arn + "work"}})
    queues.crash()
    queues.start()
    queues.awslambda.delete_function_concurrency(FunctionName="noted")
    eventually(lambda: len(queues.lines("work")) >= 5, 60)
    records = queues.lines("work")
    assert sorted(record["requestPayload"]["n"] for record in records) == [0, 1, 2, 3, 4]
    assert {record["requestContext"]["condition"] for record in records} == {"Success"}
    assert records[0]["responsePayload"] == records[0]["requestPayload"]
    # What is done does not come again.
    queues.server.stop()
    queues.start()
    time.sleep(1)
    assert "seen" not in queues.logs("noted")


def test_notifications_of_a_bucket_reach_a_function_that_lets_s3_invoke_it(queues):
    queues.create("told", "def handler(event, context):\n    record = event['Records'][0]\n"
                          "    print('told', record['eventName'], record['s3']['object']['key'])\n")
    queues.s3.create_bucket(Bucket="photos")
    arn = queues.awslambda.get_function(FunctionName="told")["Configuration"]["FunctionArn"]
    configuration = {"LambdaFunctionConfigurations": [
        {"Id": "new", "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    put = queues.s3.put_bucket_notification_configuration
    assert refused(put, Bucket="photos", NotificationConfiguration=configuration) == ("InvalidArgument", 400)
    permission = {"FunctionName": "told", "StatementId": "s3", "Action": "lambda:InvokeFunction",
                  "Principal": "s3.amazonaws.com", "SourceAccount": ACCOUNT}
    queues.awslambda.add_permission(**permission, SourceArn="arn:aws:s3:::other")
    assert refused(put, Bucket="photos", NotificationConfiguration=configuration) == ("InvalidArgument", 400)
    queues.awslambda.remove_permission(FunctionName="told", StatementId="s3")
    queues.awslambda.add_permission(**permission, SourceArn="arn:aws:s3:::photos")
    put(Bucket="photos", NotificationConfiguration=configuration)
    shown = queues.s3.get_bucket_notification_configuration(Bucket="photos")
    assert shown["LambdaFunctionConfigurations"] == configuration["LambdaFunctionConfigurations"]
    queues.s3.put_object(Bucket="photos", Key="a b.jpg", Body=b"x")
    eventually(lambda: "told ObjectCreated:Put a+b.jpg" in queues.logs("told"), 20)
    # What is not allowed any more does not happen any more.
    queues.awslambda.remove_permission(FunctionName="told", StatementId="s3")
    queues.s3.put_object(Bucket="photos", Key="late.jpg", Body=b"x")
    time.sleep(1.5)
    assert "late.jpg" not in queues.logs("told")


def test_a_function_consumes_a_queue(queues):
    queues.create("consumer", """
import json
def handler(event, context):
    failed = []
    for record in event["Records"]:
        key = json.loads(record["body"])["Records"][0]["s3"]["object"]["key"]
        print("took", key, record["attributes"]["ApproximateReceiveCount"], record["eventSourceARN"])
        if key.startswith("bad"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
""")
    client, s3 = queues.awslambda, queues.s3
    s3.create_bucket(Bucket="inbox")
    s3.put_bucket_notification_configuration(
        Bucket="inbox", SkipDestinationValidation=True, NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": queues.arn + "work", "Events": ["s3:ObjectCreated:*"]}]})
    for key in ("one", "bad", "two"):
        s3.put_object(Bucket="inbox", Key=key, Body=b"x")
    eventually(lambda: len(queues.lines("work")) == 3)

    mapping = {"EventSourceArn": queues.arn + "work", "FunctionName": "consumer"}
    create = client.create_event_source_mapping
    assert refused(create, **{**mapping, "EventSourceArn": queues.arn + "none"}) == \
        ("InvalidParameterValueException", 400)
    assert refused(create, **mapping, BatchSize=100) == ("InvalidParameterValueException", 400)
    assert refused(create, **{**mapping, "FunctionName": "nobody"}) == ("ResourceNotFoundException", 404)
    made = create(**mapping, BatchSize=10, MaximumRetryAttempts=1, FunctionResponseTypes=["ReportBatchItemFailures"],
                  DestinationConfig={"OnFailure": {"Destination": queues.arn + "dead"}})
    assert refused(create, **mapping) == ("ResourceConflictException", 409)
    uuid = made["UUID"]
    eventually(lambda: queues.lines("dead"), 30)
    [dead] = queues.lines("dead")
    assert dead["Records"][0]["s3"]["object"]["key"] == "bad"
    took = [line for line in queues.logs("consumer").splitlines() if line.startswith("took ")]
    arn = mapping["EventSourceArn"]
    assert took == [f"took one 1 {arn}", f"took bad 1 {arn}", f"took two 1 {arn}", f"took bad 2 {arn}"]
    shown = client.get_event_source_mapping(UUID=uuid)
    assert (shown["State"], shown["BatchSize"], shown["MaximumRetryAttempts"]) == ("Enabled", 10, 1)
    assert [one["UUID"] for one in client.list_event_source_mappings(FunctionName="consumer")["EventSourceMappings"]] == [uuid]

    # It goes on where it was, also after a crash, and rests while it is disabled.
    time.sleep(1)
    queues.crash()
    queues.start()
    client, s3 = queues.awslambda, queues.s3
    client.update_event_source_mapping(UUID=uuid, Enabled=False)
    s3.put_object(Bucket="inbox", Key="three", Body=b"x")
    time.sleep(1.5)
    assert "took" not in queues.logs("consumer")
    client.update_event_source_mapping(UUID=uuid, Enabled=True, MaximumBatchingWindowInSeconds=1, BatchSize=50)
    s3.put_object(Bucket="inbox", Key="four", Body=b"x")
    eventually(lambda: "took four" in queues.logs("consumer"), 20)
    took = [line.split()[1] for line in queues.logs("consumer").splitlines() if line.startswith("took ")]
    assert took == ["three", "four"]

    # What no filter matches is passed by, and does not come back when the filters go.
    update = client.update_event_source_mapping
    pattern = {"body": {"Records": {"s3": {"object": {"key": [{"suffix": ".csv"}]}}}}}
    criteria = {"Filters": [{"Pattern": json.dumps(pattern)}]}
    wrong = {"Filters": [{"Pattern": '{"body": [{"wildcard": "*"}]}'}]}
    assert refused(update, UUID=uuid, FilterCriteria=wrong) == ("InvalidParameterValueException", 400)
    assert refused(update, UUID=uuid, FilterCriteria={"Filters": [criteria["Filters"][0]] * 11}) == \
        ("InvalidParameterValueException", 400)
    update(UUID=uuid, FilterCriteria=criteria, ScalingConfig={"MaximumConcurrency": 2})
    shown = client.get_event_source_mapping(UUID=uuid)
    assert (shown["FilterCriteria"], shown["ScalingConfig"]) == (criteria, {"MaximumConcurrency": 2})
    for key in ("five", "six.csv"):
        s3.put_object(Bucket="inbox", Key=key, Body=b"x")
    eventually(lambda: "took six.csv" in queues.logs("consumer"), 20)
    assert "FilterCriteria" not in update(UUID=uuid, FilterCriteria={})
    s3.put_object(Bucket="inbox", Key="seven", Body=b"x")
    eventually(lambda: "took seven" in queues.logs("consumer"), 20)
    took = [line.split()[1] for line in queues.logs("consumer").splitlines() if line.startswith("took ")]
    assert took == ["three", "four", "six.csv", "seven"]
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    assert refused(client.get_event_source_mapping, UUID=uuid) == ("ResourceNotFoundException", 404)


def test_events_are_tried_again_and_recorded(fn):
    name = fn.create("def handler(event, context):\n    raise ValueError('again')\n")
    fn.awslambda.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::functions"}})
    answer = fn.awslambda.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    assert answer["StatusCode"] == 202
    prefix = f"aws/lambda/async/{name}/"
    for _ in range(100):
        found = fn.s3.list_objects_v2(Bucket="functions", Prefix=prefix).get("Contents", [])
        if found:
            break
        time.sleep(0.2)
    record = json.loads(fn.s3.get_object(Bucket="functions", Key=found[0]["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert (record["requestPayload"], record["responsePayload"]["errorMessage"]) == ({"n": 1}, "again")


def counted(fn, name):
    """What the metrics say of a function: outcomes by their word, and sums of the other counters."""
    with urllib.request.urlopen(f"{fn.server.url}/_refract/metrics") as answer:
        text = answer.read().decode()
    seen = collections.Counter()
    for kind, labels, value in re.findall(r"^refract_function_(\w+?)_total\{(.*)\} (\S+)$", text, re.M):
        if f'function="{name}"' in labels:
            word = re.search('outcome="(.*?)"', labels)
            seen[word.group(1) if word else kind] += float(value)
    return seen


def usage(server, *arguments):
    """The rows of the usage table, as the command shows them."""
    done = subprocess.run([binary(), "function", "usage", *arguments, "--endpoint-url", server.url],
                          env={**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["usage"]


def eventually(check, timeout=10):
    """Waits until a check holds."""
    end = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


def test_sixteen_callers_of_four_workers_are_answered_or_refused_and_counted(fn):
    name = fn.create(PLAIN + """
import time
def handler(event, context):
    time.sleep(0.7)
    if event.get("fail"):
        raise ValueError("as asked")
    if "getObjectContext" in event:
        answer(event["getObjectContext"], b"x" * 1000)
    return 1
""", MemorySize=512)
    fn.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=4)
    lens = fn.lens(name)
    # No client tries again what was refused.
    awslambda = make_client("lambda", fn.server, retries={"total_max_attempts": 1}, max_pool_connections=32)
    s3 = make_client("s3", fn.server, retries={"total_max_attempts": 1}, max_pool_connections=32)

    def by_invoke(n):
        try:
            answer = awslambda.invoke(FunctionName=name, Payload=json.dumps({"fail": n % 2}))
            answer["Payload"].read()
            return "error" if "FunctionError" in answer else "answered"
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]

    def by_lens(n):
        try:
            return "answered" if s3.get_object(Bucket=lens, Key="k")["Body"].read() == b"x" * 1000 else "wrong"
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]

    total = collections.Counter()
    for call, refusal in ((by_invoke, ("TooManyRequestsException", 429)), (by_lens, ("SlowDown", 503))):
        with concurrent.futures.ThreadPoolExecutor(16) as callers:
            seen = collections.Counter(callers.map(call, range(16)))
        assert set(seen) <= {"answered", "error", refusal} and seen.total() == 16, seen
        # The first of them starts alone, and four wait; those that are warm run at once.
        assert seen[refusal] >= 1 and seen["answered"] + seen["error"] >= 5, seen
        total += collections.Counter({"throttled": seen.pop(refusal)}) + seen
    eventually(lambda: sum(counted(fn, name)[word] for word in ("answered", "error", "throttled")) == 32)
    metrics = counted(fn, name)
    assert {word: metrics[word] for word in ("answered", "error", "throttled")} == dict(total), metrics
    assert metrics["failed"] == metrics["abandoned"] == 0
    assert 1 <= metrics["cold_starts"] <= 4, metrics
    ran = total["answered"] + total["error"]
    assert 0.7 * ran < metrics["billed_seconds"] < 10 * ran
    assert metrics["memory_gigabyte_seconds"] == pytest.approx(metrics["billed_seconds"] / 2)
    [through_lens] = usage(fn.server, name, "--group-by", "object_lambda", "--object-lambda", lens.split("-")[0])
    assert through_lens["sent_bytes"] >= 1000 * through_lens["invocations"] > 0
    [row] = usage(fn.server, name, "--group-by", "function,version")
    assert (row["requests"], row["invocations"], row["errors"], row["throttles"], row["failures"]) == \
        (32, ran, total["error"], total["throttled"], 0)
    assert (row["version"], row["cold_starts"]) == ("$LATEST", metrics["cold_starts"])
    assert row["gb_seconds"] == pytest.approx(metrics["memory_gigabyte_seconds"])


def test_the_request_id_of_a_failed_get_leads_to_the_log(fn):
    name = fn.create("def handler(event, context):\n    print('before it')\n    raise ValueError('this is why')\n")
    with pytest.raises(ClientError) as caught:
        fn.s3.get_object(Bucket=fn.lens(name), Key="k")
    answer = caught.value.response
    log = fn.log(name, answer["ResponseMetadata"]["RequestId"])
    assert "before it" in log and "this is why" in log and log.startswith("START RequestId: ")
    assert fn.log(name, answer["Error"]["LambdaRequestId"]) == log


def test_usage_survives_a_restart_and_the_command_shows_it(tmp_path):
    def open_server():
        server = Server(tmp_path / "store", "--allow-weak-isolation")
        return server, make_client("lambda", server)

    server, client = open_server()
    make_role(server)
    code = package({"app.py": "def handler(event, context):\n    return 'x' * 10\n"})
    client.create_function(FunctionName="used", Runtime="python3.11", Role=ROLE, Handler="app.handler",
                           Code={"ZipFile": code}, Timeout=20)
    for _ in range(3):
        client.invoke(FunctionName="used", Payload=b"{}")
    server.stop()
    server, client = open_server()
    client.invoke(FunctionName="used", Payload=b"{}")
    [row] = usage(server, "used")
    assert (row["function"], row["invocations"], row["cold_starts"]) == ("used", 4, 2)
    assert (row["received_bytes"], row["sent_bytes"]) == (8, 48)
    # A crash loses what came in the last seconds at most.
    time.sleep(2.5)
    server.process.kill()
    server.process.wait()
    server, _ = open_server()
    assert usage(server, "--group-by", "executor")[0]["invocations"] == 4
    server.stop()


def test_built_ins_are_counted_as_well(fn):
    fn.s3.put_object(Bucket="functions", Key="counted.txt", Body=b"ada@example.org " * 10)
    lens = fn.lens("builtin-redact", payload="{}")
    for _ in range(3):
        fn.s3.get_object(Bucket=lens, Key="counted.txt")["Body"].read()
    [row] = usage(fn.server, "--group-by", "executor,object_lambda", "--object-lambda", lens.split("-")[0])
    assert (row["executor"], row["invocations"], row["errors"]) == ("builtin", 3, 0)
    assert (row["received_bytes"], row["sent_bytes"]) == (480, 480)


def test_provisioned_workers_are_ready_before_they_count(fn):
    client = fn.awslambda
    name = fn.create("""
import os, time
time.sleep(0.5)
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
""", MemorySize=256, Publish=True)
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    put = client.put_provisioned_concurrency_config
    assert refused(put, FunctionName=name, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1) == \
        ("InvalidParameterValueException", 400)
    assert refused(put, FunctionName=name, Qualifier="7", ProvisionedConcurrentExecutions=1) == \
        ("ResourceNotFoundException", 404)
    assert refused(client.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1") == \
        ("ProvisionedConcurrencyConfigNotFoundException", 404)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert refused(put, FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=4) == \
        ("InvalidParameterValueException", 400)
    made = put(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
    assert (made["Status"], made["AvailableProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert refused(put, FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1) == \
        ("InvalidParameterValueException", 400)
    assert refused(client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=1) == \
        ("InvalidParameterValueException", 400)

    def config():
        return client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")

    eventually(lambda: config()["Status"] == "READY")
    assert config()["AvailableProvisionedConcurrentExecutions"] == 2
    [listed] = client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(f":{name}:1")
    with concurrent.futures.ThreadPoolExecutor(3) as callers:
        seen = list(callers.map(lambda _: fn.invoke(name, {"sleep": 6}, Qualifier="1")[1], range(3)))
    assert sorted(seen) == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
    metrics = counted(fn, name)
    assert (metrics["cold_starts"], metrics["provisioned_invocations"]) == (1, 2)
    # What is not provisioned shares the rest.
    assert fn.invoke(name)[1] == "on-demand"
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert refused(client.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1") == \
        ("ProvisionedConcurrencyConfigNotFoundException", 404)
    broken = fn.create("raise ValueError('no init')\n", Publish=True)
    put(FunctionName=broken, Qualifier="1", ProvisionedConcurrentExecutions=1)
    eventually(lambda: client.get_provisioned_concurrency_config(
        FunctionName=broken, Qualifier="1")["Status"] == "FAILED")
    client.delete_provisioned_concurrency_config(FunctionName=broken, Qualifier="1")


@pytest.mark.skipif(not shutil.which("node"), reason="no Node.js")
def test_node_handlers(fn):
    plain = fn.create({"index.mjs": "export const handler = async (event) => ({ doubled: event.n * 2 });\n"},
                      runtime="nodejs20.x", handler="index.handler")
    assert fn.invoke(plain, {"n": 21})[1] == {"doubled": 42}
    called = fn.create({"index.js": "exports.handler = (event, context, done) => done(new TypeError('bad'));\n"},
                       runtime="nodejs20.x", handler="index.handler")
    assert fn.invoke(called)[1]["errorType"] == "TypeError"
    streaming = fn.create({"index.mjs": """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  for (const part of ["one", "two"]) stream.write(part);
  if (event.fail) throw new Error("half way");
  stream.end();
});
"""}, runtime="nodejs20.x", handler="index.handler")
    events = fn.awslambda.invoke_with_response_stream(FunctionName=streaming, Payload=b"{}")["EventStream"]
    chunks = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    assert chunks == b"onetwo"
    events = fn.awslambda.invoke_with_response_stream(FunctionName=streaming, Payload=b'{"fail": 1}')["EventStream"]
    last = list(events)[-1]["InvokeComplete"]
    assert "half way" in last["ErrorDetails"]


def test_a_package_may_bring_its_own_bootstrap(fn):
    bootstrap = """#!/bin/sh
exec python3 - <<'P'
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        name, body = event.headers["Lambda-Runtime-Aws-Request-Id"], event.read()
    urllib.request.urlopen(urllib.request.Request(api + name + "/response", data=b'{"from":"bootstrap"}', method="POST"))
P
"""
    if not os.path.exists("/usr/bin/python3"):
        pytest.skip("no python3 in /usr/bin for the bootstrap")
    name = fn.create({"bootstrap": bootstrap}, runtime="provided.al2023", handler="any")
    assert fn.invoke(name)[1] == {"from": "bootstrap"}


def test_a_clear_word_where_a_runtime_directory_is_missing(tmp_path):
    server = Server(tmp_path / "store", "--allow-weak-isolation")
    try:
        make_role(server)
        client = make_client("lambda", server)
        client.create_function(FunctionName="needs", Runtime="python3.11", Role=ROLE, Handler="app.handler",
                               MemorySize=1769, Code={"ZipFile": package({"app.py": "import boto3\n"})})
        body = json.loads(client.invoke(FunctionName="needs")["Payload"].read())
        assert "refract function runtime install python" in body["errorMessage"]
    finally:
        server.stop()


def test_a_connection_that_a_function_keeps_is_there_after_a_pause(tmp_path):
    fn = Functions(tmp_path, "--head-seconds", "1")
    try:
        name = fn.create("""
import http.client, os

connection = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL"].split("//")[1])
connection.connect()
# As a client that does not look whether its connection is still there.
connection.auto_open = 0


def handler(event, context):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status
""")
        for _ in range(2):
            answer = fn.awslambda.invoke(FunctionName=name, Payload=b"{}")
            assert (answer.get("FunctionError"), answer["Payload"].read()) == (None, b"200")
            time.sleep(2.5)
    finally:
        fn.server.stop()
