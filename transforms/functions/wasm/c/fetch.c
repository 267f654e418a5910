/* The world wasi:http/proxy in C, without a library: answers with what another server says. The key says which:
 * `h127.0.0.1_8080/path` by HTTP, `s…` by HTTPS. What comes instead of an answer is refused with the number of its
 * error-code. The tests run it (../fetch.component.wat).
 */
#include "http.h"

#define OUT "wasi:http/outgoing-handler@0.2.0"
#define POLL "wasi:io/poll@0.2.0"

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
