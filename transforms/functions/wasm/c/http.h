/* What handlers of wasi:http/proxy in C need of the world: types, imports, memory, and a write of any length. */
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define HTTP "wasi:http/types@0.2.0"
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
