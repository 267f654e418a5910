// Removes fields from a JSON document, or from each line of a file of such (JSON lines).
// The fields stand in the environment: REMOVED_FIELDS=contactEmail,itemRating
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import { S3Client, WriteGetObjectResponseCommand } from "@aws-sdk/client-s3";
import axios from "axios";

const client = new S3Client({ region: process.env.AWS_REGION });
const removed = new Set((process.env.REMOVED_FIELDS ?? "").split(","));

const strip = (value) => {
  if (Array.isArray(value)) return value.map(strip);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !removed.has(name)).map(([name, inner]) => [name, strip(inner)]));
};

async function eachLine(source, target) {
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    if (line) target.write(`${JSON.stringify(strip(JSON.parse(line)))}\n`);
  }
  target.end();
}

export const handler = async (event) => {
  const { outputRoute, outputToken, inputS3Url } = event.getObjectContext;
  const respond = (rest) => client.send(new WriteGetObjectResponseCommand({ RequestRoute: outputRoute, RequestToken: outputToken, ...rest }));
  let response;
  try {
    response = await axios.get(inputS3Url, { responseType: "stream" });
  } catch (error) {
    await respond({ StatusCode: error.response?.status ?? 500, ErrorCode: "CannotRead", ErrorMessage: error.message });
    return { statusCode: 200 };
  }
  const { pathname } = new URL(event.userRequest.url);
  if (pathname.endsWith(".jsonl")) {
    const body = new PassThrough();
    await Promise.all([eachLine(response.data, body), respond({ Body: body, ContentType: "application/x-ndjson" })]);
  } else {
    const chunks = [];
    for await (const chunk of response.data) chunks.push(chunk);
    const document = strip(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    await respond({ Body: JSON.stringify(document), ContentType: "application/json" });
  }
  return { statusCode: 200 };
};
