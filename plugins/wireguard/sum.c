/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sum.c - the Internet checksum, at the speed of a copy.
 *
 * Byte order and the order of words do not matter (RFC 1071), so machine words
 * are added in halves, in the lanes of vectors, and folded once: no carry can
 * be lost for 2^32 additions. What is copied anyway is added while it passes
 * through the registers. Where the processor has wider vectors than each of
 * its kind must have, they are used. */
#include "sum.h"

#include <string.h>

#define LANES 4
#define LOW_HALF 0xffffffffu

typedef uint64_t vector __attribute__((vector_size(LANES * sizeof(uint64_t))));

static inline uint64_t word_halves(uint64_t word)
{
	return (word & LOW_HALF) + (word >> 32);
}

/* `to` NULL: only add. The compiler makes one of each. */
__attribute__((always_inline)) static inline uint64_t
pass(uint64_t sum, uint8_t *to, const uint8_t *from, size_t len)
{
	const vector half = {LOW_HALF, LOW_HALF, LOW_HALF, LOW_HALF};
	vector low = {0}, high = {0}, v;
	uint64_t word = 0;

	for (; len >= sizeof v; len -= sizeof v, from += sizeof v) {
		memcpy(&v, from, sizeof v);
		if (to) {
			memcpy(to, &v, sizeof v);
			to += sizeof v;
		}
		low += v & half;
		high += v >> 32;
	}
	low += high;
	for (int i = 0; i < LANES; i++)
		sum += low[i];
	for (; len >= sizeof word; len -= sizeof word, from += sizeof word) {
		memcpy(&word, from, sizeof word);
		if (to) {
			memcpy(to, &word, sizeof word);
			to += sizeof word;
		}
		sum += word_halves(word);
	}
	word = 0;
	memcpy(&word, from, len);
	if (to)
		memcpy(to, from, len);
	return sum + word_halves(word);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint64_t
pass_wide(uint64_t sum, uint8_t *to, const uint8_t *from, size_t len)
{
	return to ? pass(sum, to, from, len) : pass(sum, NULL, from, len);
}

static uint64_t dispatch(uint64_t sum, uint8_t *to, const uint8_t *from,
			 size_t len)
{
	if (__builtin_cpu_supports("avx2"))
		return pass_wide(sum, to, from, len);
	return to ? pass(sum, to, from, len) : pass(sum, NULL, from, len);
}
#else
static uint64_t dispatch(uint64_t sum, uint8_t *to, const uint8_t *from,
			 size_t len)
{
	return to ? pass(sum, to, from, len) : pass(sum, NULL, from, len);
}
#endif

uint64_t sum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	return dispatch(sum, NULL, p, len);
}

uint64_t sum_copy(uint64_t sum, uint8_t *to, const uint8_t *from, size_t len)
{
	return dispatch(sum, to, from, len);
}

uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & LOW_HALF) + (sum >> 32);
	sum = (sum & LOW_HALF) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
