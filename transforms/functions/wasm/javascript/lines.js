// The world refract:transform in JavaScript: numbers the lines of a text.
const decoder = new TextDecoder();
const encoder = new TextEncoder();

function write(output, text) {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += 4096) {
    output.blockingWriteAndFlush(bytes.subarray(at, at + 4096));
  }
}

function* chunks(input) {
  for (;;) {
    let bytes;
    try {
      bytes = input.blockingRead(65536n);
    } catch (error) {
      if (error.payload?.tag === "closed") return;
      throw error;
    }
    yield bytes;
  }
}

export function transform(context, input, output) {
  const { start = 1 } = JSON.parse(context.payload || "{}");
  let number = start;
  let rest = "";
  for (const bytes of chunks(input)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop();
    write(output, lines.map((line) => `${number++}\t${line}\n`).join(""));
  }
  if (rest) write(output, `${number}\t${rest}`);
}
