#include "network.h"

#include <stddef.h>

static union arena_bytes {
    uint8_t as_uint8_t[16];
    int8_t as_int8_t[16];
} memory;

/* The arena is found through a volatile pointer: a compiler that knows that two pointers of different types begin in
   one object may compute one from the other, and GCC 12 with -O2 then loses codes. */
static union arena_bytes *const volatile arena = &memory;

static int16_t row[3];

/* Index number bit / bits of a packed array, lowest bits first. */
static int level_index(const uint8_t *packed, size_t bit, unsigned bits)
{
    const uint8_t *const at = packed + bit / 8;
    const uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    return (int)((word >> (bit % 8)) & ((1u << bits) - 1u));
}

/* fc1: FullyConnected and rescaling */
static const uint8_t op_fc1_weights[4] = {
    114, 10, 0, 0,
};

static const uint8_t op_fc1_thresholds[6] = {
    3, 12, 23, 3, 12, 23,
};

static const uint8_t op_fc1_first[2] = {
    0, 3,
};

static const uint8_t op_fc1_end[2] = {
    3, 6,
};

static const uint8_t op_fc1_signs[2] = {
    1, 1,
};

static uint8_t op_fc1_rescaled(int32_t sum, int channel)
{
    int low = op_fc1_first[channel], high = op_fc1_end[channel];
    const int64_t reached = (int64_t)sum * op_fc1_signs[channel];
    while (low < high) {
        const int middle = (low + high) / 2;
        if (op_fc1_thresholds[middle] <= reached) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const int number = low - op_fc1_first[channel];
    return (uint8_t)(number);
}

static void op_fc1(const uint8_t *x, uint8_t *y)
{
    for (int o = 0; o < 2; ++o) {
        for (int k = 0; k < 3; ++k) {
            row[k] = (int16_t)(2 * level_index(op_fc1_weights, (size_t)(o * 3 + k) * 2, 2) - 3);
        }
        int32_t sum = 0;
        for (int k = 0; k < 3; ++k) {
            sum += (int32_t)row[k] * x[k];
        }
        y[o] = op_fc1_rescaled(sum, o);
    }
}

/* fc2: FullyConnected */
static const uint8_t op_fc2_weights[3] = {
    1, 0, 0,
};

static const uint8_t op_fc2_bias[1] = {
    5,
};

static void op_fc2(const uint8_t *x, int8_t *y)
{
    for (int o = 0; o < 1; ++o) {
        for (int k = 0; k < 2; ++k) {
            row[k] = (int16_t)(2 * level_index(op_fc2_weights, (size_t)(o * 2 + k) * 1, 1) - 1);
        }
        int32_t sum = 0;
        for (int k = 0; k < 2; ++k) {
            sum += (int32_t)row[k] * x[k];
        }
        y[o] = (int8_t)((int32_t)sum * ((int32_t)1 << 1) + op_fc2_bias[o]);
    }
}

void network_run(const uint8_t *stimulus, network_output *output)
{
    op_fc1(stimulus, arena->as_uint8_t + 0);
    NETWORK_TRACE(0, arena->as_uint8_t + 0, 2, uint8_t);
    op_fc2(arena->as_uint8_t + 0, arena->as_int8_t + 8);
    NETWORK_TRACE(1, arena->as_int8_t + 8, 1, int8_t);
    for (int k = 0; k < 1; ++k) {
        output->fc2[k] = ((const int8_t *)(arena->as_int8_t + 8))[k];
    }
}
