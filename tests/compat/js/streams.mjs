// The JavaScript SDK with streams: a file put, a stream of no known length uploaded in parts, both read back as streams.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const [endpoint, bucket, path] = process.argv.slice(2);
const client = new S3Client({ endpoint, region: "us-east-1" });

async function digest(stream) {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

async function* parts() {
  for (let n = 0; n < 12; n++) yield Buffer.alloc(1 << 20, n);
}

await client.send(new PutObjectCommand({ Bucket: bucket, Key: "file", Body: createReadStream(path) }));
const upload = new Upload({ client, params: { Bucket: bucket, Key: "stream", Body: Readable.from(parts()) } });
await upload.done();
const get = async (Key) => digest((await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body);
const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "stream", PartNumber: 1 }));
const ranged = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "stream", Range: "bytes=1048574-1048577" }));
const result = {
  file: await get("file"),
  stream: await get("stream"),
  expected: await digest(Readable.from(parts())),
  parts: head.PartsCount,
  range: Array.from(await ranged.Body.transformToByteArray()),
};
const gone = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: "file" }, { Key: "stream" }] } }));
console.log(JSON.stringify({ ...result, gone: gone.Deleted.map((one) => one.Key).sort() }));
