"""HEAD and LIST: keys under hidden/ are not listed, and each object says what it was read through."""
import xml.etree.ElementTree as ElementTree

import requests

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
ElementTree.register_namespace("", NAMESPACE)
HIDDEN = "hidden/"


def head(context):
    response = requests.head(context["inputS3Url"])
    return {
        "statusCode": response.status_code,
        "headers": {**dict(response.headers), "x-amz-meta-lens": "listing"},
    }


def list_as_xml(context):
    """Answers the XML that it was given, without some of it."""
    response = requests.get(context["inputS3Url"])
    if response.status_code != 200:
        return {"statusCode": response.status_code, "errorCode": "CannotList", "errorMessage": response.reason}
    result = ElementTree.fromstring(response.text)
    for found in result.findall(f"{{{NAMESPACE}}}Contents"):
        if found.findtext(f"{{{NAMESPACE}}}Key").startswith(HIDDEN):
            result.remove(found)
    return {"statusCode": 200, "listResultXml": ElementTree.tostring(result, encoding="unicode")}


def list_as_json(context):
    """Answers a document in JSON, made of the XML."""
    result = ElementTree.fromstring(requests.get(context["inputS3Url"]).text)
    text = lambda element, name: element.findtext(f"{{{NAMESPACE}}}{name}")  # noqa: E731
    contents = [
        {
            "key": text(found, "Key"),
            "lastModified": text(found, "LastModified"),
            "eTag": text(found, "ETag"),
            "size": int(text(found, "Size")),
            "storageClass": text(found, "StorageClass"),
        }
        for found in result.findall(f"{{{NAMESPACE}}}Contents")
        if not text(found, "Key").startswith(HIDDEN)
    ]
    return {
        "statusCode": 200,
        "listBucketResult": {
            "name": text(result, "Name"),
            "prefix": text(result, "Prefix"),
            "encodingType": text(result, "EncodingType"),
            "keyCount": len(contents),
            "maxKeys": int(text(result, "MaxKeys")),
            "isTruncated": text(result, "IsTruncated") == "true",
            "contents": contents,
        },
    }


def lambda_handler(event, context):
    if "headObjectContext" in event:
        return head(event["headObjectContext"])
    if "listObjectsContext" in event:
        return list_as_xml(event["listObjectsContext"])
    return list_as_json(event["listObjectsV2Context"])
