#include "inflate.h"

#include <string.h>

#define MAX_BITS 15
#define FAST_BITS 10
#define LITERALS 288
#define DISTANCES 30

/* A canonical Huffman code: short codes by one look-up, long ones bit by bit. */
struct code {
    uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length, or 0 */
    uint16_t count[MAX_BITS + 1];
    uint16_t symbol[LITERALS];
};

struct stream {
    const unsigned char *at, *end;
    uint64_t bits;
    unsigned have;
};

static void refill(struct stream *in) {
    while (in->have <= 56 && in->at < in->end) {
        in->bits |= (uint64_t)*in->at++ << in->have;
        in->have += 8;
    }
}

/* The next `count` bits, at most 16; -1 at the end of the data. */
static int take(struct stream *in, unsigned count) {
    if (in->have < count) refill(in);
    if (in->have < count) return -1;
    int value = (int)(in->bits & ((1u << count) - 1));
    in->bits >>= count;
    in->have -= count;
    return value;
}

static int build(struct code *code, const unsigned char *lengths, unsigned symbols) {
    uint16_t offsets[MAX_BITS + 1], first[MAX_BITS + 1];
    memset(code->count, 0, sizeof code->count);
    memset(code->fast, 0, sizeof code->fast);
    for (unsigned i = 0; i < symbols; i++) code->count[lengths[i]]++;
    code->count[0] = 0;
    int left = 1;
    offsets[1] = 0;
    first[0] = 0;
    for (unsigned bits = 1, value = 0; bits <= MAX_BITS; bits++) {
        left = (left << 1) - code->count[bits];
        if (left < 0) return -1;
        value = (value + (bits > 1 ? code->count[bits - 1] : 0)) << 1;
        first[bits] = (uint16_t)value;
        if (bits < MAX_BITS) offsets[bits + 1] = offsets[bits] + code->count[bits];
    }
    for (unsigned i = 0; i < symbols; i++) {
        unsigned bits = lengths[i];
        if (!bits) continue;
        code->symbol[offsets[bits]++] = (uint16_t)i;
        unsigned value = first[bits]++;
        if (bits > FAST_BITS) continue;
        unsigned turned = 0; /* codes are packed with their first bit lowest */
        for (unsigned bit = 0; bit < bits; bit++) turned |= (value >> bit & 1) << (bits - 1 - bit);
        for (; turned < 1u << FAST_BITS; turned += 1u << bits) code->fast[turned] = (uint16_t)(i << 4 | bits);
    }
    return 0;
}

static int decode(struct stream *in, const struct code *code) {
    refill(in);
    unsigned found = code->fast[in->bits & ((1u << FAST_BITS) - 1)];
    if (found) {
        unsigned bits = found & 15;
        if (bits > in->have) return -1;
        in->bits >>= bits;
        in->have -= bits;
        return (int)(found >> 4);
    }
    int value = 0, first = 0, index = 0;
    uint64_t ahead = in->bits;
    for (unsigned bits = 1; bits <= MAX_BITS && bits <= in->have; bits++, ahead >>= 1) {
        value |= (int)(ahead & 1);
        int count = code->count[bits];
        if (value - count < first) {
            in->bits >>= bits;
            in->have -= bits;
            return code->symbol[index + (value - first)];
        }
        index += count;
        first = (first + count) << 1;
        value <<= 1;
    }
    return -1;
}

static int read_codes(struct stream *in, struct code *literals, struct code *distances) {
    static const unsigned char order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[LITERALS + 32] = {0};
    int literal_count = take(in, 5), distance_count = take(in, 5), length_count = take(in, 4);
    if (literal_count < 0 || distance_count < 0 || length_count < 0) return -1;
    literal_count += 257;
    distance_count += 1;
    if (literal_count > 286 || distance_count > DISTANCES) return -1;
    for (int i = 0; i < length_count + 4; i++) {
        int bits = take(in, 3);
        if (bits < 0) return -1;
        lengths[order[i]] = (unsigned char)bits;
    }
    if (build(literals, lengths, 19) != 0) return -1;
    unsigned char all[LITERALS + 32] = {0};
    for (int i = 0; i < literal_count + distance_count;) {
        int symbol = decode(in, literals);
        if (symbol < 0 || symbol > 18) return -1;
        if (symbol < 16) {
            all[i++] = (unsigned char)symbol;
            continue;
        }
        if (symbol == 16 && i == 0) return -1;
        unsigned char repeated = symbol == 16 ? all[i - 1] : 0;
        int extra = take(in, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
        int times = extra + (symbol == 18 ? 11 : 3);
        if (extra < 0 || i + times > literal_count + distance_count) return -1;
        while (times--) all[i++] = repeated;
    }
    if (build(literals, all, (unsigned)literal_count) != 0) return -1;
    return build(distances, all + literal_count, (unsigned)distance_count);
}

static int fixed_codes(struct code *literals, struct code *distances) {
    unsigned char lengths[LITERALS];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    if (build(literals, lengths, LITERALS) != 0) return -1;
    memset(lengths, 5, DISTANCES);
    return build(distances, lengths, DISTANCES);
}

/* One block of literals and matches; the new end of the output, or NULL. */
static unsigned char *inflate_block(struct stream *in, const struct code *literals, const struct code *distances,
                                    unsigned char *start, unsigned char *at, unsigned char *end) {
    static const uint16_t length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                             31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                   2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t distance_base[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                               33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                               1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    static const unsigned char distance_extra[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                     6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
    for (;;) {
        int symbol = decode(in, literals);
        if (symbol < 0) return NULL;
        if (symbol < 256) {
            if (at == end) return NULL;
            *at++ = (unsigned char)symbol;
            continue;
        }
        if (symbol == 256) return at;
        if (symbol > 285) return NULL;
        int more = take(in, length_extra[symbol - 257]);
        int code = decode(in, distances);
        if (more < 0 || code < 0 || code >= DISTANCES) return NULL;
        size_t length = (size_t)(length_base[symbol - 257] + more);
        int further = take(in, distance_extra[code]);
        size_t distance = (size_t)(distance_base[code] + further);
        if (further < 0 || distance > (size_t)(at - start) || length > (size_t)(end - at)) return NULL;
        const unsigned char *from = at - distance;
        if (distance >= length) memcpy(at, from, length);
        else
            for (size_t i = 0; i < length; i++) at[i] = from[i];
        at += length;
    }
}

static unsigned char *stored_block(struct stream *in, unsigned char *at, unsigned char *end) {
    unsigned partial = in->have & 7;
    in->bits >>= partial;
    in->have -= partial;
    int length = take(in, 16), inverted = take(in, 16);
    if (length < 0 || inverted < 0 || length != (~inverted & 0xffff) || length > end - at) return NULL;
    while (length && in->have >= 8) {
        *at++ = (unsigned char)take(in, 8);
        length--;
    }
    if (length > in->end - in->at) return NULL;
    memcpy(at, in->at, (size_t)length);
    in->at += length;
    return at + length;
}

int inflate_all(const unsigned char *data, size_t length, unsigned char *out, size_t size) {
    struct stream in = {data, data + length, 0, 0};
    struct code literals, distances;
    unsigned char *at = out, *end = out + size;
    for (int last = 0; !last;) {
        last = take(&in, 1);
        int type = take(&in, 2);
        if (last < 0 || type < 0 || type == 3) return -1;
        if (type == 0) {
            at = stored_block(&in, at, end);
        } else {
            if ((type == 1 ? fixed_codes(&literals, &distances) : read_codes(&in, &literals, &distances)) != 0)
                return -1;
            at = inflate_block(&in, &literals, &distances, out, at, end);
        }
        if (!at) return -1;
    }
    return at == end ? 0 : -1;
}
