// Refract's runtime client for Node.js functions: asks the Lambda Runtime API for events and runs the handler.
import dns from "node:dns";
import fs from "node:fs";
import http from "node:http";
import module, { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const PATH = "/2018-06-01/runtime/";
const STREAMS = Symbol.for("aws.lambda.runtime.handler.streaming");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function send(method, target, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: PATH + target, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ headers: answer.headers, status: answer.statusCode, body: Buffer.concat(chunks).toString() }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function describe(error) {
  if (error instanceof Error || (error && typeof error === "object" && "message" in error && "name" in error)) {
    return { errorType: error.name?.replace(/[^\x20-\x7e]/g, "") ?? "Error", errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

async function fail(target, error) {
  const document = describe(error);
  console.error(`${new Date().toISOString()}\tERROR\t${JSON.stringify(document)}`);
  const body = Buffer.from(JSON.stringify(document));
  await send("POST", target, {
    "Content-Type": "application/json",
    "Content-Length": body.length,
    "Lambda-Runtime-Function-Error-Type": document.errorType,
  }, body);
}

// `route.127.0.0.1` is what SDKs make of an output route before an address; no resolver knows it.
function nameRoutes() {
  const plain = (name) => (typeof name === "string" && name.endsWith(".127.0.0.1") ? "127.0.0.1" : name);
  const lookup = dns.lookup;
  dns.lookup = (name, ...rest) => lookup(plain(name), ...rest);
  const promised = dns.promises.lookup;
  dns.promises.lookup = (name, ...rest) => promised(plain(name), ...rest);
}

// `import` does not look at NODE_PATH, where the SDK is.
function bringSdk() {
  const home = process.env.NODE_PATH?.split(":")[0];
  if (!home) return;
  const base = pathToFileURL(path.join(home, "..", "index.js")).href;
  const bare = (specifier) => !/^([./]|[a-z]+:)/i.test(specifier);
  if (module.registerHooks) {
    module.registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          if (!bare(specifier) || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
          return next(specifier, { ...context, parentURL: base });
        }
      },
    });
    return;
  }
  const hooks = `export async function resolve(specifier, context, next) {
    try { return await next(specifier, context); } catch (error) {
      if (/^([./]|[a-z]+:)/i.test(specifier) || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      return next(specifier, { ...context, parentURL: ${JSON.stringify(base)} });
    }
  }`;
  module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

class InitError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function isModule(file) {
  if (file.endsWith(".mjs")) return true;
  if (file.endsWith(".cjs")) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (fs.existsSync(manifest)) return JSON.parse(fs.readFileSync(manifest, "utf8")).type === "module";
    if (folder === process.env.LAMBDA_TASK_ROOT || folder === path.dirname(folder)) return false;
  }
}

async function load(name) {
  const base = path.basename(name);
  const dot = base.indexOf(".");
  if (dot < 1 || name.includes("..")) throw new InitError("Runtime.MalformedHandlerName", `Bad handler ${name}`);
  const stem = path.resolve(process.env.LAMBDA_TASK_ROOT, path.dirname(name), base.slice(0, dot));
  const file = ["", ".js", ".mjs", ".cjs"].map((end) => stem + end).find((one) => fs.statSync(one, { throwIfNoEntry: false })?.isFile());
  if (!file) throw new InitError("Runtime.ImportModuleError", `Error: Cannot find module '${base.slice(0, dot)}'`);
  let found;
  try {
    if (isModule(file)) {
      bringSdk();
      found = await import(pathToFileURL(file).href);
    } else {
      found = createRequire(pathToFileURL(file).href)(file);
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new InitError("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      let message = `Error: ${error.message}`;
      if (/'(@aws-sdk|@smithy|axios)/.test(error.message)) {
        message += ". It is not in the package, and this server has no Node.js runtime directory that holds it: run `refract function runtime install node`";
      }
      throw new InitError("Runtime.ImportModuleError", message);
    }
    throw error;
  }
  const steps = base.slice(dot + 1).split(".");
  const walk = (from) => steps.reduce((value, step) => value?.[step], from);
  const handler = walk(found) ?? walk(found.default);
  if (handler === undefined) throw new InitError("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new InitError("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const context = {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
  if (headers["lambda-runtime-client-context"]) context.clientContext = JSON.parse(headers["lambda-runtime-client-context"]);
  return context;
}

// Runs a plain handler: it answers by a promise, by its callback, or by context.done and its like.
function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => {
      if (error !== undefined && error !== null) return reject(error);
      if (context.callbackWaitsForEmptyEventLoop) setImmediate(() => resolve(value));
      else resolve(value);
    };
    context.done = callback;
    context.succeed = (value) => callback(null, value);
    context.fail = (error) => callback(error ?? new Error("handled"));
    // A handler that neither answers nor waits for anything has answered nothing.
    const over = () => resolve(undefined);
    process.once("beforeExit", over);
    const done = (settle) => (value) => { process.removeListener("beforeExit", over); settle(value); };
    const answer = handler(event, context, callback);
    if (answer && typeof answer.then === "function") answer.then(done(resolve), done(reject));
  });
}

// Runs a streaming handler: what it writes is the body of the answer, and an error stands in the trailers.
function stream(handler, event, context, target) {
  return new Promise((resolve, reject) => {
    let type = "application/octet-stream";
    const request = http.request({
      host, port, method: "POST", path: PATH + target,
      headers: {
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        "Transfer-Encoding": "chunked",
        "Content-Type": type,
      },
    }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
    });
    request.on("error", reject);
    request.setContentType = (value) => { type = value; };
    const broken = (error) => {
      const document = describe(error);
      console.error(`${new Date().toISOString()}\tERROR\t${JSON.stringify(document)}`);
      request.addTrailers({
        "Lambda-Runtime-Function-Error-Type": document.errorType,
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(document)).toString("base64"),
      });
      request.end();
    };
    Promise.resolve().then(() => handler(event, request, context)).then(
      () => { if (!request.writableEnded) request.end(); },
      broken,
    );
  });
}

async function main() {
  nameRoutes();
  globalThis.awslambda = {
    streamifyResponse(handler) {
      handler[STREAMS] = true;
      return handler;
    },
    HttpResponseStream: {
      from(under, prelude) {
        under.setContentType("application/vnd.awslambda.http-integration-response");
        under.write(JSON.stringify(prelude));
        under.write(Buffer.alloc(8));
        return under;
      },
    },
  };
  let handler;
  try {
    handler = await load(process.env._HANDLER);
  } catch (error) {
    await fail("init/error", error);
    process.exit(1);
  }
  for (;;) {
    const { headers, body } = await send("GET", "invocation/next", {});
    const context = contextOf(headers);
    const target = `invocation/${context.awsRequestId}/`;
    if (headers["lambda-runtime-trace-id"]) process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    const uncaught = (error) => { fail(target + "error", error).finally(() => process.exit(1)); };
    process.once("uncaughtException", uncaught);
    process.once("unhandledRejection", uncaught);
    try {
      if (handler[STREAMS]) {
        await stream(handler, JSON.parse(body), context, target + "response");
      } else {
        const answer = await call(handler, JSON.parse(body), context);
        const text = Buffer.from(JSON.stringify(answer === undefined ? null : answer) ?? "null");
        await send("POST", target + "response", { "Content-Type": "application/json", "Content-Length": text.length }, text);
      }
    } catch (error) {
      await fail(target + "error", error);
    }
    process.removeListener("uncaughtException", uncaught);
    process.removeListener("unhandledRejection", uncaught);
  }
}

await main();
