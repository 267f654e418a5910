"""The world refract:transform in Python: keeps the named fields of JSON lines.

The payload {"fields": ["name", "city"]} names them.
"""

import json

import wit_world
from componentize_py_types import Err
from wit_world.imports import head
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import Failure


def chunks(stream):
    while True:
        try:
            yield stream.blocking_read(64 * 1024)
        except Err as error:
            if isinstance(error.value, StreamError_Closed):
                return
            raise


def lines(stream):
    rest = b""
    for chunk in chunks(stream):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def write(stream, data):
    for at in range(0, len(data), 4096):
        stream.blocking_write_and_flush(data[at : at + 4096])


class WitWorld(wit_world.WitWorld):
    def transform(self, context, input, output):
        fields = json.loads(context.payload).get("fields")
        if not isinstance(fields, list):
            raise Err(Failure(400, "InvalidPayload", 'the payload must be {"fields": […]}'))
        head.set_content_type("application/x-ndjson")
        for line in lines(input):
            record = json.loads(line)
            kept = {name: record[name] for name in fields if name in record}
            write(output, json.dumps(kept, ensure_ascii=False).encode() + b"\n")
