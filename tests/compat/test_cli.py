"""The AWS command line, versions 1 and 2: what the README shows."""
import json
import pathlib

from conftest import ACCOUNT, LAMBDA, ROOT

SAMPLES = ROOT / "data" / "samples"


def test_people_are_redacted_by_the_alias(aws, points):
    aws("s3", "cp", str(SAMPLES / "people.csv"), f"s3://{points.access_point}/people.csv")
    done = aws("s3", "cp", f"s3://{points.redacted}/people.csv", "-")
    assert done.stdout == (SAMPLES / "people.redacted.csv").read_bytes()


def test_listing_and_removing_go_through_both_kinds_of_alias(aws, points):
    key = f"dir/a b+ü{aws.version}.txt"
    aws("s3", "cp", str(SAMPLES / "countries.csv"), f"s3://{points.access_point}/{key}")
    for alias in (points.access_point, points.redacted):
        assert key.split("/")[1] in aws("s3", "ls", f"s3://{alias}/dir/").stdout.decode()
    aws("s3", "rm", f"s3://{points.redacted}/{key}")
    assert aws("s3", "ls", f"s3://{points.bucket}/{key}", check=False).returncode == 1


def test_a_large_file_by_multipart_and_ranges(aws, points, tmp_path):
    body = bytes(range(256)) * (100 << 10)
    path = tmp_path / "large"
    path.write_bytes(body)
    aws("s3", "cp", str(path), f"s3://{points.access_point}/large")
    back = tmp_path / "back"
    aws("s3", "cp", f"s3://{points.access_point}/large", str(back))
    assert back.read_bytes() == body


def test_sync_and_presign(aws, points, tmp_path):
    import urllib.request
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"{name}@example.com")
    aws("s3", "sync", str(tmp_path), f"s3://{points.access_point}/sync{aws.version}/")
    url = aws("s3", "presign", f"s3://{points.redacted}/sync{aws.version}/two").stdout.decode().strip()
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"*" * len("two@example.com")


def own_account(action, resource):
    """A policy that lets the account itself do something."""
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_control_and_arns_in_proxy_mode(aws, s3, tmp_path):
    name, lens = f"cli{aws.version}-ap", f"cli{aws.version}-lens"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a b.txt", Body=b"mail ada@example.com")

    def control(operation, *arguments):
        done = aws("s3control", operation, "--account-id", ACCOUNT, *arguments, proxied=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    arn = control("create-access-point", "--name", name, "--bucket", name)["AccessPointArn"]
    assert control("get-access-point", "--name", name)["Bucket"] == name
    assert name in [point["Name"] for point in control("list-access-points", "--bucket", name)["AccessPointList"]]
    policy = own_account("s3:GetObject", f"{arn}/object/*")
    control("put-access-point-policy", "--name", name, "--policy", json.dumps(policy))
    assert json.loads(control("get-access-point-policy", "--name", name)["Policy"]) == policy
    assert control("get-access-point-policy-status", "--name", name)["PolicyStatus"]["IsPublic"] is False
    control("delete-access-point-policy", "--name", name)

    configuration = {
        "SupportingAccessPoint": arn,
        "TransformationConfigurations": [{
            "Actions": ["GetObject"],
            "ContentTransformation": {"AwsLambda": {"FunctionArn": LAMBDA + "redact"}},
        }],
    }
    lens_arn = control("create-access-point-for-object-lambda", "--name", lens, "--configuration",
                       json.dumps(configuration))["ObjectLambdaAccessPointArn"]
    listed = control("list-access-points-for-object-lambda")["ObjectLambdaAccessPointList"]
    assert lens in [point["Name"] for point in listed]
    assert control("get-access-point-for-object-lambda", "--name", lens)["Name"] == lens
    got = control("get-access-point-configuration-for-object-lambda", "--name", lens)["Configuration"]
    assert got["SupportingAccessPoint"] == arn
    control("put-access-point-configuration-for-object-lambda", "--name", lens, "--configuration",
            json.dumps({**configuration, "AllowedFeatures": ["GetObject-Range"]}))
    policy = own_account("s3-object-lambda:GetObject", lens_arn)
    control("put-access-point-policy-for-object-lambda", "--name", lens, "--policy", json.dumps(policy))
    assert json.loads(control("get-access-point-policy-for-object-lambda", "--name", lens)["Policy"]) == policy
    control("delete-access-point-policy-for-object-lambda", "--name", lens)

    for bucket, expected in ((arn, b"mail ada@example.com"), (lens_arn, b"mail " + b"*" * 15)):
        out = tmp_path / "out"
        aws("s3api", "get-object", "--bucket", bucket, "--key", "a b.txt", str(out), proxied=True)
        assert out.read_bytes() == expected
    control("delete-access-point-for-object-lambda", "--name", lens)
    control("delete-access-point", "--name", name)
