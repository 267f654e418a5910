/* Masks every digit of a text: "call 555-0199" becomes "call ***-****". Pictures and the like are refused. */
#include <string.h>

#include "refract.h"

#define TEXT(literal) ((refract_text){literal, sizeof(literal) - 1})

static bool begins(refract_maybe_text text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.some && text.value.length >= length && memcmp(text.value.at, prefix, length) == 0;
}

bool refract_transform(const refract_context *context, refract_streams streams, refract_failure *failure) {
    if (begins(context->object.content_type, "image/")) {
        *failure = (refract_failure){400, TEXT("NotText"), TEXT("digits masks texts; this object is a picture")};
        return false;
    }
    uint8_t *bytes;
    size_t length;
    while ((length = refract_read(streams, &bytes)) > 0) {
        for (size_t i = 0; i < length; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') bytes[i] = '*';
        }
        if (!refract_write(streams, bytes, length)) return true;
    }
    return true;
}
