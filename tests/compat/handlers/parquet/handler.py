"""Makes report.parquet of report.csv when it is asked for: there is no such object, and there need be none.

The execution role may read the CSV through the supporting access point (s3:GetObject).
"""
import os
import tempfile
from urllib.parse import unquote, urlparse

import boto3
import duckdb
from botocore.exceptions import ClientError

s3 = boto3.client("s3")


def lambda_handler(event, context):
    object_context = event["getObjectContext"]
    answer = {"RequestRoute": object_context["outputRoute"], "RequestToken": object_context["outputToken"]}
    key = unquote(urlparse(event["userRequest"]["url"]).path).lstrip("/")
    stem, extension = os.path.splitext(key)
    if extension != ".parquet":
        s3.write_get_object_response(StatusCode=400, ErrorCode="InvalidKey", ErrorMessage="Ask for .parquet.", **answer)
        return
    with tempfile.TemporaryDirectory() as directory:
        source, target = os.path.join(directory, "in.csv"), os.path.join(directory, "out.parquet")
        try:
            # Without HeadObject, which download_file would ask first.
            found = s3.get_object(Bucket=event["configuration"]["supportingAccessPointArn"], Key=f"{stem}.csv")
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            s3.write_get_object_response(StatusCode=status, ErrorCode=error.response["Error"]["Code"],
                                         ErrorMessage=error.response["Error"]["Message"], **answer)
            return
        with open(source, "wb") as file:
            for chunk in found["Body"].iter_chunks(1 << 20):
                file.write(chunk)
        duckdb.connect().execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
        with open(target, "rb") as file:
            s3.write_get_object_response(Body=file, ContentType="application/vnd.apache.parquet",
                                         ContentLength=os.path.getsize(target), **answer)
