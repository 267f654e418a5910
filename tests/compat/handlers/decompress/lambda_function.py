"""Unpacks compressed objects on their way to the caller: gzip, zlib, and the one file of a zip archive."""
import io
import zipfile
import zlib
from urllib.parse import unquote, urlparse

import boto3
import requests
from botocore.config import Config

s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"payload_signing_enabled": False}))


class Inflating:
    """Unpacks another file as it is read. It cannot be rewound, and so has nothing but `read`."""

    def __init__(self, source, wbits):
        self.source = source
        self.decompressor = zlib.decompressobj(wbits)

    def read(self, size=-1):
        while chunk := self.source.read(64 * 1024):
            if data := self.decompressor.decompress(chunk):
                return data
        return self.decompressor.flush()


def gzipped(source):
    return Inflating(source, zlib.MAX_WBITS | 16)


def zlibbed(source):
    return Inflating(source, zlib.MAX_WBITS)


def only_member(source):
    archive = zipfile.ZipFile(io.BytesIO(source.read()))
    members = archive.infolist()
    if len(members) != 1:
        raise ValueError(f"the archive holds {len(members)} files, not one")
    return archive.open(members[0])


READERS = {".gz": gzipped, ".zz": zlibbed, ".zip": only_member}


def lambda_handler(event, context):
    object_context = event["getObjectContext"]
    answer = {"RequestRoute": object_context["outputRoute"], "RequestToken": object_context["outputToken"]}
    response = requests.get(object_context["inputS3Url"], stream=True)
    if response.status_code != 200:
        s3.write_get_object_response(StatusCode=response.status_code, **answer)
        return {"status_code": response.status_code}

    key = unquote(urlparse(event["userRequest"]["url"]).path)
    reader = next((make for suffix, make in READERS.items() if key.endswith(suffix)), lambda source: source)
    try:
        body = reader(response.raw)
    except (ValueError, zipfile.BadZipFile) as error:
        s3.write_get_object_response(StatusCode=400, ErrorCode="InvalidArchive", ErrorMessage=str(error), **answer)
        return {"status_code": 400}
    prefix = "x-amz-meta-"
    metadata = {name[len(prefix):]: value for name, value in response.headers.items() if name.startswith(prefix)}
    s3.write_get_object_response(Body=body, Metadata=metadata, ContentType="text/plain", **answer)
    return {"status_code": 200}
