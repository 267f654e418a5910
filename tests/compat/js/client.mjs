// The JavaScript SDK on an alias: put, get, head, list, a presigned URL. Prints one JSON document.
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [endpoint, accessPoint, lens] = process.argv.slice(2);
const client = new S3Client({ endpoint, region: "us-east-1" });
const text = "mail ada@example.com\n";
await client.send(new PutObjectCommand({ Bucket: accessPoint, Key: "js.txt", Body: text }));
const get = new GetObjectCommand({ Bucket: lens, Key: "js.txt" });
const through = await client.send(get);
const head = await client.send(new HeadObjectCommand({ Bucket: lens, Key: "js.txt" }));
const listed = await client.send(new ListObjectsV2Command({ Bucket: lens, Prefix: "js" }));
const presigned = await fetch(await getSignedUrl(client, get, { expiresIn: 60 }));
console.log(JSON.stringify({
  body: await through.Body.transformToString(),
  length: head.ContentLength,
  keys: listed.Contents.map((object) => object.Key),
  presigned: await presigned.text(),
}));
