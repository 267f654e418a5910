"""A thumbnail of a picture: `?size=64` in the request says how large it may be."""
import io
from urllib.parse import parse_qs, urlparse

import boto3
import requests
from PIL import Image, UnidentifiedImageError


def handler(event, context):
    s3 = boto3.client("s3")
    get_context = event["getObjectContext"]
    route, token = get_context["outputRoute"], get_context["outputToken"]
    query = parse_qs(urlparse(event["userRequest"]["url"]).query)
    size = int(query.get("size", ["128"])[0])

    original = requests.get(get_context["inputS3Url"])
    try:
        picture = Image.open(io.BytesIO(original.content))
    except UnidentifiedImageError:
        s3.write_get_object_response(StatusCode=400, ErrorCode="NotAPicture", ErrorMessage="This object is no picture.",
                                     RequestRoute=route, RequestToken=token)
        return {"status_code": 400}
    picture.thumbnail((size, size), Image.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format=picture.format or "PNG")
    buffer.seek(0)
    s3.write_get_object_response(Body=buffer, ContentType=Image.MIME[picture.format or "PNG"], RequestRoute=route,
                                 RequestToken=token)
    return {"status_code": 200}
