/* The world refract:transform for C, without generated code: implement refract_transform(), and make a component of the
 * module with `jco embed` and `jco new` (see ../build). */
#ifndef REFRACT_H
#define REFRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Text is UTF-8 and does not end with a zero. */
typedef struct { const char *at; size_t length; } refract_text;
typedef struct { uint8_t some; refract_text value; } refract_maybe_text;
typedef struct { uint8_t some; uint64_t value; } refract_maybe_u64;
typedef struct { refract_text name, value; } refract_pair;
typedef struct { const refract_pair *at; size_t length; } refract_pairs;

typedef struct {
    refract_text bucket, key;
    refract_maybe_u64 size;
    refract_maybe_text etag, last_modified, content_type, content_encoding;
    refract_pairs metadata, tags;
} refract_object;

typedef struct {
    refract_text kind, arn, principal_id, account_id;
    refract_maybe_text user_name;
} refract_caller;

typedef struct {
    refract_object object;
    refract_caller caller;
    refract_text payload;
    refract_maybe_text accept_encoding;
} refract_context;

typedef struct { uint16_t status; refract_text code, message; } refract_failure;
typedef struct { int32_t input, output; } refract_streams;

/* Implement this. Answer true when the result is written; else say why in `failure`. */
bool refract_transform(const refract_context *context, refract_streams streams, refract_failure *failure);

#define REFRACT_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

REFRACT_IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.blocking-read")
void refract_import_read(int32_t self, uint64_t most, void *result);
REFRACT_IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.check-write")
void refract_import_check(int32_t self, void *result);
REFRACT_IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.write")
void refract_import_write(int32_t self, const void *at, size_t length, void *result);
REFRACT_IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.blocking-flush")
void refract_import_flush(int32_t self, void *result);
REFRACT_IMPORT("wasi:io/streams@0.2.0", "[resource-drop]input-stream")
void refract_import_drop_input(int32_t self);
REFRACT_IMPORT("wasi:io/streams@0.2.0", "[resource-drop]output-stream")
void refract_import_drop_output(int32_t self);
REFRACT_IMPORT("refract:transform/head@0.1.0", "set-content-type")
void refract_import_set_content_type(const char *at, size_t length, void *result);

/* Where bytes from outside are put: the next read overwrites the last one's. */
static uint8_t *refract_buffer;
static size_t refract_buffer_size;
static bool refract_reading;

__attribute__((export_name("cabi_realloc"))) void *refract_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size, (void)align;
    if (!refract_reading) return realloc(old, size);
    if (size > refract_buffer_size) {
        refract_buffer = realloc(refract_buffer, size);
        refract_buffer_size = size;
    }
    return refract_buffer;
}

/* Reads some bytes, at most 64 KiB. 0 at the end. They stay until the next read. */
static inline size_t refract_read(refract_streams streams, uint8_t **at) {
    struct { uint8_t failed; union { struct { uint8_t *at; size_t length; } bytes; uint64_t pad; } value; } result;
    refract_reading = true;
    refract_import_read(streams.input, 64 << 10, &result);
    refract_reading = false;
    /* An input that fails ends the function: what comes here is the end. */
    if (result.failed) return 0;
    *at = *(uint8_t **)((uint8_t *)&result + 4);
    return *(size_t *)((uint8_t *)&result + 8);
}

/* Writes all of it. False when nobody reads any more. */
static inline bool refract_write(refract_streams streams, const uint8_t *at, size_t length) {
    struct { uint8_t failed; uint64_t room; } result;
    while (length) {
        refract_import_check(streams.output, &result);
        if (result.failed) return false;
        if (result.room == 0) {
            refract_import_flush(streams.output, &result);
            continue;
        }
        size_t some = length < result.room ? length : (size_t)result.room;
        refract_import_write(streams.output, at, some, &result);
        if (result.failed) return false;
        at += some;
        length -= some;
    }
    return true;
}

/* To be called before the first write. */
static inline bool refract_set_content_type(refract_text value) {
    struct { uint8_t failed; refract_text why; } result;
    refract_import_set_content_type(value.at, value.length, &result);
    return !result.failed;
}

typedef struct { refract_context context; refract_streams streams; } refract_arguments;
typedef struct { uint8_t failed; refract_failure failure; } refract_result;

__attribute__((export_name("transform"))) refract_result *refract_export(refract_arguments *arguments) {
    static refract_result result;
    result.failed = !refract_transform(&arguments->context, arguments->streams, &result.failure);
    refract_import_drop_input(arguments->streams.input);
    refract_import_drop_output(arguments->streams.output);
    return &result;
}

#endif
