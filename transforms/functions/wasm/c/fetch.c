/* The world wasi:http/proxy in C, without a library: answers with what another server says. The key says which:
 * `h127.0.0.1_8080/path` by HTTP, `s…` by HTTPS. What comes instead of an answer is refused with the number of its
 * error-code. The tests run it (../fetch.component.wat).
 */
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define HTTP "wasi:http/types@0.2.0"
#define OUT "wasi:http/outgoing-handler@0.2.0"
#define POLL "wasi:io/poll@0.2.0"
#define STREAMS "wasi:io/streams@0.2.0"

/* A result whose error is of no interest, and one with a handle. */
typedef struct { uint8_t failed; int32_t handle; } handle_result;
typedef struct { uint8_t failed; uint8_t *at; size_t length; } bytes_result;
typedef struct { uint8_t failed; uint64_t room; } room_result;
typedef struct { uint8_t some; char *at; size_t length; } maybe_text;
/* result<_, error-code>: what is behind the first byte stands eight further, and is no longer than this. */
typedef struct { uint64_t words[8]; } long_result;

IMPORT(HTTP, "[method]incoming-request.path-with-query") void request_path(int32_t self, maybe_text *result);
IMPORT(HTTP, "[constructor]fields") int32_t fields_new(void);
IMPORT(HTTP, "[method]fields.append")
void fields_append(int32_t self, const char *name, size_t length, const char *value, size_t size, void *result);
IMPORT(HTTP, "[constructor]outgoing-request") int32_t out_request(int32_t fields);
IMPORT(HTTP, "[method]outgoing-request.set-scheme")
int32_t out_scheme(int32_t self, int32_t some, int32_t scheme, const char *at, size_t length);
IMPORT(HTTP, "[method]outgoing-request.set-authority")
int32_t out_authority(int32_t self, int32_t some, const char *at, size_t length);
IMPORT(HTTP, "[method]outgoing-request.set-path-with-query")
int32_t out_path(int32_t self, int32_t some, const char *at, size_t length);
IMPORT(OUT, "handle") void send(int32_t request, int32_t some, int32_t options, long_result *result);
IMPORT(HTTP, "[method]future-incoming-response.subscribe") int32_t future_subscribe(int32_t self);
IMPORT(HTTP, "[method]future-incoming-response.get") void future_get(int32_t self, long_result *result);
IMPORT(POLL, "[method]pollable.block") void poll_block(int32_t self);
IMPORT(HTTP, "[method]incoming-response.consume") void response_consume(int32_t self, handle_result *result);
IMPORT(HTTP, "[method]incoming-body.stream") void body_stream(int32_t self, handle_result *result);
IMPORT(HTTP, "[constructor]outgoing-response") int32_t response_new(int32_t fields);
IMPORT(HTTP, "[method]outgoing-response.set-status-code") int32_t response_status(int32_t self, int32_t status);
IMPORT(HTTP, "[method]outgoing-response.body") void response_body(int32_t self, handle_result *result);
IMPORT(HTTP, "[static]response-outparam.set")
void outparam_set(int32_t self, int32_t failed, int32_t response, int32_t a, int64_t b, int32_t c, int32_t d, int32_t e,
                  int32_t f);
IMPORT(HTTP, "[method]outgoing-body.write") void out_write(int32_t self, handle_result *result);
IMPORT(HTTP, "[static]outgoing-body.finish")
void out_finish(int32_t self, int32_t some, int32_t trailers, long_result *result);
IMPORT(STREAMS, "[method]input-stream.blocking-read") void stream_read(int32_t self, uint64_t most, bytes_result *result);
IMPORT(STREAMS, "[method]output-stream.check-write") void stream_check(int32_t self, room_result *result);
IMPORT(STREAMS, "[method]output-stream.write")
void stream_write(int32_t self, const void *at, size_t length, void *result);
IMPORT(STREAMS, "[method]output-stream.blocking-flush") void stream_flush(int32_t self, void *result);
IMPORT(STREAMS, "[resource-drop]output-stream") void drop_output(int32_t self);

/* What comes from outside is put here, one thing after the other until the next read. */
static _Alignas(16) uint8_t heap[160 << 10];
static size_t used;

__attribute__((export_name("cabi_realloc"))) void *give(void *old, size_t old_size, size_t align, size_t size) {
    (void)old, (void)old_size;
    used = (used + align - 1) & ~(align - 1);
    if (used + size > sizeof heap) __builtin_trap();
    void *at = heap + used;
    used += size;
    return at;
}

static void write_all(int32_t stream, const uint8_t *at, size_t length) {
    room_result room;
    while (length) {
        stream_check(stream, &room);
        if (room.failed) return;
        if (room.room == 0) {
            stream_flush(stream, &room);
            continue;
        }
        size_t some = length < room.room ? length : (size_t)room.room;
        stream_write(stream, at, some, &room);
        if (room.failed) return;
        at += some;
        length -= some;
    }
}

/* The response to the request that the key means, or minus one and the number of the error. */
static int32_t fetch(char *path, size_t length, uint8_t *error) {
    size_t end = 2;
    for (; end < length && path[end] != '/'; end++) {
        if (path[end] == '_') path[end] = ':';
    }
    int32_t request = out_request(fields_new());
    out_scheme(request, 1, path[1] == 's', 0, 0);
    if (out_authority(request, 1, path + 2, end - 2)) return -1;
    if (out_path(request, 1, path + end, length - end)) return -1;
    long_result sent;
    send(request, 0, 0, &sent);
    if (sent.words[0] & 255) {
        *error = (uint8_t)sent.words[1];
        return -1;
    }
    int32_t future = (int32_t)sent.words[1];
    poll_block(future_subscribe(future));
    /* option, result, result, handle or error-code. */
    long_result got;
    future_get(future, &got);
    if (got.words[2] & 255) {
        *error = (uint8_t)got.words[3];
        return -1;
    }
    return (int32_t)got.words[3];
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.0#handle"))) void handle(int32_t request, int32_t outparam) {
    maybe_text path;
    request_path(request, &path);
    uint8_t error = 255;
    int32_t fetched = path.some && path.length > 2 ? fetch(path.at, path.length, &error) : -1;
    int32_t fields = fields_new();
    long_result ignored;
    if (fetched < 0) fields_append(fields, "x-amz-fwd-error-code", 20, "NoAnswer", 8, &ignored);
    int32_t response = response_new(fields);
    if (fetched < 0) response_status(response, 502);
    handle_result result;
    response_body(response, &result);
    int32_t out = result.handle;
    out_write(out, &result);
    int32_t output = result.handle;
    outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    if (fetched < 0) {
        uint8_t digits[3] = {'0' + error / 100, '0' + error / 10 % 10, '0' + error % 10};
        write_all(output, digits, 3);
    } else {
        response_consume(fetched, &result);
        body_stream(result.handle, &result);
        int32_t input = result.handle;
        for (;;) {
            bytes_result bytes;
            used = 0;
            stream_read(input, 64 << 10, &bytes);
            if (bytes.failed) break;
            write_all(output, bytes.at, bytes.length);
        }
    }
    drop_output(output);
    out_finish(out, 0, 0, &ignored);
}
