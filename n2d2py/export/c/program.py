"""``main.c`` and the Makefile: a program that reads stimuli, prints labels and tests itself."""

from __future__ import annotations

from n2d2py.export.base import Export
from n2d2py.export.c.types import literal

_MAKEFILE = """\
CC ?= cc
CFLAGS ?= -O2
# The arena holds codes of several types, one after the other in the same bytes.
override CFLAGS += -std=c99 -Wall -Wextra -fno-strict-aliasing

all: network

network: main.c network.c network.h
\t$(CC) $(CFLAGS) -o $@ main.c network.c

test: network
\t./network -check expected.bin stimuli.bin

clean:
\trm -f network

.PHONY: all test clean
"""
_TEST = "\t./network -check expected.bin stimuli.bin\n"


def makefile(export: Export) -> str:
    """The Makefile; ``make test`` runs codes, and bytes where there is a table for them."""
    both = _TEST + _TEST.replace("stimuli.bin", "stimuli.raw")
    return _MAKEFILE if export.network.lookup is None else _MAKEFILE.replace(_TEST, both)


_BEGIN = """\
/* Labels of stimuli: network [-check expected.bin] [-trace codes.bin] [-rgb] files

   A file holds codes of stimuli one after the other (network_code, channel by channel, row by row), or bytes in the
   same order (name.raw), or is a binary PGM or PPM image of the stimulus' size. The channels of an image enter as
   blue, green, red, with -rgb as red, green, blue. A line is printed for each stimulus: the label of each target.
   With -check the codes of the outputs are compared with a file of 64-bit little-endian integers; the exit status is 1
   if any differs. With -trace, in a program compiled with -DNETWORK_TRACED, the codes of each step are written so. */
#include <stdio.h>
#include <string.h>

#include "network.h"

static network_code stimulus[NETWORK_STIMULUS];
static network_output output;
#if NETWORK_BYTES
static uint8_t pixels[NETWORK_STIMULUS];
static int is_rgb;
#endif
static FILE *expected;
static unsigned long stimuli, differing;

#ifdef NETWORK_TRACED
static FILE *traced;

static void put(int64_t code)
{
    const uint64_t bits = (uint64_t)code;
    for (int k = 0; k < 8; ++k) {
        fputc((int)(bits >> (8 * k) & 0xff), traced);
    }
}

void network_trace(int step, const void *codes, int count, int size, int is_signed)
{
    (void)step;
    for (int k = 0; traced != NULL && k < count; ++k) {
        if (size == 1) {
            put(is_signed ? ((const int8_t *)codes)[k] : ((const uint8_t *)codes)[k]);
        } else if (size == 2) {
            put(is_signed ? ((const int16_t *)codes)[k] : ((const uint16_t *)codes)[k]);
        } else {
            put(size == 4 ? ((const int32_t *)codes)[k] : ((const int64_t *)codes)[k]);
        }
    }
}
#endif

static void check(int64_t code)
{
    uint64_t bits = 0;
    if (expected == NULL) {
        return;
    }
    for (int k = 0; k < 8; ++k) {
        const int byte = fgetc(expected);
        if (byte == EOF) {
            ++differing;
            return;
        }
        bits |= (uint64_t)byte << (8 * k);
    }
    differing += bits != (uint64_t)code;
}

"""

_END = """\
#if NETWORK_BYTES
/* Codes of the bytes that were read. */
static void look_up(void)
{
#if NETWORK_BYTES == 2
    network_look_up(pixels, stimulus);
#else
    for (int k = 0; k < NETWORK_STIMULUS; ++k) {
        stimulus[k] = (network_code)pixels[k];
    }
#endif
}

/* The next number of the header of an image; comments are passed over. */
static int number(FILE *file)
{
    int value = 0, c = fgetc(file);
    while (c == ' ' || c == '\\n' || c == '\\r' || c == '\\t' || c == '#') {
        if (c == '#') {
            while (c != '\\n' && c != EOF) {
                c = fgetc(file);
            }
        } else {
            c = fgetc(file);
        }
    }
    for (; c >= '0' && c <= '9' && value < 100000; c = fgetc(file)) {
        value = 10 * value + (c - '0');
    }
    return value;
}

static int read_image(FILE *file, const char *name)
{
    const int width = number(file), height = number(file), most = number(file);
    const int plane = NETWORK_STIMULUS / NETWORK_CHANNELS;
    if (width != NETWORK_WIDTH || height != NETWORK_HEIGHT || width * height != plane || most != 255) {
        fprintf(stderr, "%s: not an 8-bit image of the stimulus' size\\n", name);
        return 1;
    }
    for (int place = 0; place < plane; ++place) {
        for (int c = 0; c < NETWORK_CHANNELS; ++c) {
            const int byte = fgetc(file);
            if (byte == EOF) {
                fprintf(stderr, "%s: ends too early\\n", name);
                return 1;
            }
            const int channel = is_rgb ? c : NETWORK_CHANNELS - 1 - c;
            pixels[channel * plane + place] = (uint8_t)byte;
        }
    }
    look_up();
    answer();
    return 0;
}

static int read_pixels(FILE *file, const char *name)
{
    size_t count;
    while ((count = fread(pixels, 1, NETWORK_STIMULUS, file)) == NETWORK_STIMULUS) {
        look_up();
        answer();
    }
    if (count != 0) {
        fprintf(stderr, "%s: ends within a stimulus\\n", name);
    }
    return count != 0;
}
#endif

static int read_codes(FILE *file, const char *name)
{
    size_t count;
    while ((count = fread(stimulus, sizeof stimulus[0], NETWORK_STIMULUS, file)) == NETWORK_STIMULUS) {
        answer();
    }
    if (count != 0) {
        fprintf(stderr, "%s: ends within a stimulus\\n", name);
    }
    return count != 0;
}

static int read_file(const char *name)
{
    const size_t length = strlen(name);
    const char *const ending = length > 4 ? name + length - 4 : "";
    const int is_image = strcmp(ending, ".pgm") == 0 || strcmp(ending, ".ppm") == 0;
    FILE *const file = fopen(name, "rb");
    int failed;
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\\n", name);
        return 1;
    }
    if (!is_image && strcmp(ending, ".raw") != 0) {
        failed = read_codes(file, name);
    } else {
#if NETWORK_BYTES
        const int kind = NETWORK_CHANNELS == 1 ? '5' : '6';
        if (!is_image) {
            failed = read_pixels(file, name);
        } else if (fgetc(file) != 'P' || fgetc(file) != kind || (NETWORK_CHANNELS != 1 && NETWORK_CHANNELS != 3)) {
            fprintf(stderr, "%s: not a binary image with the stimulus' channels\\n", name);
            failed = 1;
        } else {
            failed = read_image(file, name);
        }
#else
        fprintf(stderr, "%s: bytes have no codes in this network; give it a file of codes\\n", name);
        failed = 1;
#endif
    }
    fclose(file);
    return failed;
}

int main(int count, char **words)
{
    int failed = 0;
    for (int k = 1; k < count; ++k) {
        if (strcmp(words[k], "-check") == 0 && k + 1 < count) {
            expected = fopen(words[++k], "rb");
            failed |= expected == NULL;
#if NETWORK_BYTES
        } else if (strcmp(words[k], "-rgb") == 0) {
            is_rgb = 1;
#endif
#ifdef NETWORK_TRACED
        } else if (strcmp(words[k], "-trace") == 0 && k + 1 < count) {
            traced = fopen(words[++k], "wb");
            failed |= traced == NULL;
#endif
        } else {
            failed |= read_file(words[k]);
        }
    }
#ifdef NETWORK_TRACED
    if (traced != NULL) {
        failed |= fclose(traced) != 0;
    }
#endif
    if (expected != NULL) {
        fclose(expected);
        fprintf(stderr, "%lu stimuli, %lu codes of outputs differ\\n", stimuli, differing);
    }
    return failed || differing != 0 || stimuli == 0;
}
"""


def main_source(export: Export, outputs: dict[str, tuple[str, str, int]]) -> str:
    """The text of ``main.c``."""
    body = ["/* Run the stimulus, print its labels, check its outputs. */", "static void answer(void)", "{"]
    body += ["    network_run(stimulus, &output);", "    ++stimuli;"]
    for number, decision in enumerate(export.decisions):
        c, _, _ = outputs[decision.operation]
        dims = export.network.edges[decision.operation].dims
        places = dims.width * dims.height * dims.depth
        between = '" "' if number else '""'
        body.append(f"    for (int place = 0; place < {places}; ++place) {{")
        if decision.first is not None:
            body.append(f"        const int label = output.{c}[place] >= {literal(decision.first)};")
        else:
            body += [
                "        int label = 0;",
                f"        for (int k = 1; k < {dims.channels}; ++k) {{",
                f"            if (output.{c}[k * {places} + place] > output.{c}[label * {places} + place]) {{",
                "                label = k;",
                "            }",
                "        }",
            ]
        body += [f'        printf("%s%d", place ? " " : {between}, label);', "    }"]
    if export.decisions:
        body.append("    putchar('\\n');")
    for c, _, count in outputs.values():
        body += [f"    for (int k = 0; k < {count}; ++k) {{", f"        check(output.{c}[k]);", "    }"]
    return _BEGIN + "\n".join([*body, "}", ""]) + "\n" + _END
