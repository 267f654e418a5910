// A fetch handler (world wasi:http/proxy): the object comes as the body of a POST, the response is the result.
// The payload {"suffix": "!"} says what to put at the end of each line.
addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  const payload = JSON.parse(request.headers.get("x-refract-payload") ?? "{}");
  const type = request.headers.get("content-type") ?? "text/plain";
  if (!type.startsWith("text/")) {
    return new Response(`shout takes texts, not ${type}`, {
      status: 400,
      headers: { "x-amz-fwd-error-code": "NotText" },
    });
  }
  const text = await request.text();
  const shouted = text.toUpperCase().replace(/(?=\n|$(?<!\n))/g, payload.suffix ?? "!");
  return new Response(shouted, { headers: { "content-type": type } });
}
