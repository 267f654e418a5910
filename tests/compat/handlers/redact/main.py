"""Masks personal data in texts. Callers whose user names are in the payload, {"trusted": ["ada"]}, read all of it."""
import json
import logging
import re

import boto3
import urllib3

logger = logging.getLogger()
logger.setLevel(logging.INFO)
http = urllib3.PoolManager()
s3 = boto3.client("s3")

PATTERNS = {
    "EMAIL": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+\w"),
    "SSN": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "PHONE": re.compile(r"\+?\b\d{1,3}[ -]\(?\d{3}\)?[ -]\d{3}[ -]\d{4}\b"),
    "CARD": re.compile(r"\b(?:\d{4}[ -]?){3}\d{4}\b"),
}


def redact(text):
    counts = {}
    for name, pattern in PATTERNS.items():
        text, counts[name] = pattern.subn(lambda match: "*" * len(match.group()), text)
    return text, counts


def get_object(context, headers):
    """Fetches the object with the headers that the URL of it was signed with."""
    signed = re.search(r"X-Amz-SignedHeaders=([^&]*)", context["inputS3Url"]).group(1).split("%3B")
    passed = {name: value for name, value in headers.items() if name.lower() in signed and name.lower() != "host"}
    return http.request("GET", context["inputS3Url"], headers=passed)


def lambda_handler(event, context):
    get_context = event["getObjectContext"]
    respond = {"RequestRoute": get_context["outputRoute"], "RequestToken": get_context["outputToken"]}
    response = get_object(get_context, event["userRequest"]["headers"])
    if response.status != 200:
        code = re.search(rb"<Code>(\w+)</Code>", response.data)
        s3.write_get_object_response(StatusCode=response.status, ErrorCode=code.group(1).decode() if code else "Unknown",
                                     ErrorMessage="The object cannot be read.", **respond)
        return
    identity = event["userIdentity"]
    trusted = json.loads(event["configuration"]["payload"] or "{}").get("trusted", [])
    body, counts = response.data.decode("utf-8"), {}
    if identity.get("userName") not in trusted:
        body, counts = redact(body)
    logger.info("redacted %s for %s", counts, identity["arn"])
    s3.write_get_object_response(Body=body.encode("utf-8"), ContentType=response.headers["Content-Type"],
                                 Metadata={f"redacted-{name.lower()}": str(count) for name, count in counts.items()},
                                 StatusCode=200, **respond)
