/* The world wasi:http/proxy in C, without a library: answers with the object as it comes, letters in upper case. The
 * first letter of the key says more: `e` refuses, `x` fails after the first bytes. The tests run it (../proxy.component.wat).
 */
#include "http.h"

IMPORT(HTTP, "[method]incoming-request.consume") void request_consume(int32_t self, handle_result *result);
IMPORT(HTTP, "[resource-drop]incoming-body") void drop_body(int32_t self);
IMPORT(HTTP, "[resource-drop]incoming-request") void drop_request(int32_t self);
IMPORT(STREAMS, "[resource-drop]input-stream") void drop_input(int32_t self);

static void append(int32_t fields, const char *name, size_t length, const char *value, size_t size) {
    long_result ignored;
    fields_append(fields, name, length, value, size, &ignored);
}
#define APPEND(fields, name, value) append(fields, name, sizeof(name) - 1, value, sizeof(value) - 1)

__attribute__((export_name("wasi:http/incoming-handler@0.2.0#handle"))) void handle(int32_t request, int32_t outparam) {
    maybe_text path;
    request_path(request, &path);
    char what = path.some && path.length > 1 ? path.at[1] : 0;
    int32_t fields = fields_new();
    if (what == 'e') APPEND(fields, "x-amz-fwd-error-code", "NotToday");
    APPEND(fields, "content-type", "text/x-loud");
    APPEND(fields, "x-amz-meta-made-by", "proxy");
    int32_t response = response_new(fields);
    handle_result result;
    if (what == 'e') response_status(response, 409);
    response_body(response, &result);
    int32_t out = result.handle;
    out_write(out, &result);
    int32_t output = result.handle;
    /* The response goes out before its body is made. */
    outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    if (what == 'e') {
        write_all(output, (const uint8_t *)"come tomorrow", 13);
    } else {
        request_consume(request, &result);
        int32_t body = result.handle;
        body_stream(body, &result);
        int32_t input = result.handle;
        for (;;) {
            bytes_result bytes;
            used = 0;
            stream_read(input, 64 << 10, &bytes);
            if (bytes.failed) break;
            for (size_t i = 0; i < bytes.length; i++) {
                if (bytes.at[i] >= 'a' && bytes.at[i] <= 'z') bytes.at[i] -= 32;
            }
            write_all(output, bytes.at, bytes.length);
            if (what == 'x') __builtin_trap();
        }
        drop_input(input);
        drop_body(body);
    }
    drop_output(output);
    long_result finished;
    out_finish(out, 0, 0, &finished);
    drop_request(request);
}
