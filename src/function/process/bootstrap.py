"""Refract's runtime client for Python functions: asks the Lambda Runtime API for events and runs the handler."""
import decimal
import http.client
import importlib
import json
import os
import sys
import time
import traceback

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
PATH = "/2018-06-01/runtime/"
# What AWS's image brings beside the standard library.
BROUGHT = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "requests", "certifi", "six"}


class Identity:
    def __init__(self, fields):
        self.cognito_identity_id = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id = fields.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, fields):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, fields.get(name))


class ClientContext:
    def __init__(self, document):
        self.client = Client(document.get("client") or {})
        self.custom = document.get("custom")
        self.env = document.get("env")


class Context:
    def __init__(self, headers):
        environment = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        document = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = ClientContext(json.loads(document)) if document else None
        self.identity = Identity({})

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def name_routes():
    """`route.127.0.0.1` is what SDKs make of an output route before an address; no resolver knows it."""
    import socket

    real = socket.getaddrinfo

    def getaddrinfo(host, *rest, **more):
        if isinstance(host, str) and host.endswith(".127.0.0.1"):
            host = "127.0.0.1"
        return real(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


def encode(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def report(error, frames, request_id=None):
    document = {"errorMessage": str(error), "errorType": type(error).__name__}
    if request_id:
        document["requestId"] = request_id
    document["stackTrace"] = traceback.format_list(frames)
    return document


class Api:
    def __init__(self):
        self.connection = http.client.HTTPConnection(API)

    def next(self):
        self.connection.request("GET", PATH + "invocation/next")
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the Runtime API answered {answer.status}")
        return answer.headers, body

    def post(self, path, body, headers=None):
        self.connection.request("POST", PATH + path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def fail(self, path, document, kind):
        self.post(path, json.dumps(document).encode(), {"Lambda-Runtime-Function-Error-Type": kind})


def load(handler):
    module, dot, function = handler.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)")
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}"
        if (error.name or "").partition(".")[0] in BROUGHT:
            message += (f". {error.name} is not in the package, and this server has no Python runtime directory that "
                        "holds it: run `refract function runtime install python`")
        raise InitError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}") from error
    try:
        return getattr(loaded, function)
    except AttributeError:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'") from None


class InitError(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def main():
    api = Api()
    name_routes()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        handler = load(os.environ["_HANDLER"])
    except InitError as error:
        document = {"errorMessage": str(error), "errorType": error.kind, "requestId": "", "stackTrace": []}
        print(f"[ERROR] {error.kind}: {error}", flush=True)
        api.fail("init/error", document, error.kind)
        return 1
    except BaseException as error:
        document = report(error, traceback.extract_tb(error.__traceback__))
        print(f"[ERROR] {type(error).__name__}: {error}", flush=True)
        api.fail("init/error", document, f"Runtime.{type(error).__name__}")
        return 1
    while True:
        headers, body = api.next()
        context = Context(headers)
        path = f"invocation/{context.aws_request_id}/"
        if "Lambda-Runtime-Trace-Id" in headers:
            os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        try:
            answer = handler(json.loads(body), context)
        except Exception as error:
            # The first frame is ours.
            frames = traceback.extract_tb(error.__traceback__)[1:]
            document = report(error, frames, context.aws_request_id)
            print(f"[ERROR] {document['errorType']}: {document['errorMessage']}\n"
                  f"Traceback (most recent call last):\n{''.join(document['stackTrace'])}", flush=True)
            api.fail(path + "error", document, document["errorType"])
            continue
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        try:
            text = json.dumps(answer, default=encode, ensure_ascii=False).encode("utf-8", "surrogatepass")
        except Exception as error:
            document = {"errorMessage": f"Unable to marshal response: {error}", "errorType": "Runtime.MarshalError",
                        "requestId": context.aws_request_id, "stackTrace": []}
            api.fail(path + "error", document, "Runtime.MarshalError")
            continue
        api.post(path + "response", text)


if __name__ == "__main__":
    sys.exit(main())
