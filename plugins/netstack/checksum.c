/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checksum.c - the Internet checksum.
 *
 * One's complement addition does not care about the order of the words nor
 * about byte order, so whole machine words are added and folded only once. The
 * two halves of each 64-bit word go to the sum apart: no carry can be lost for
 * 2^32 additions, and two words are added at a time. */
#include "checksum.h"

#include <arpa/inet.h>
#include <string.h>

/* Two words; on nearly every machine one register. */
typedef uint64_t pair __attribute__((vector_size(16)));

#define PAIR sizeof(pair)

/* Nothing returns a vector: where processors need not have a register for one
 * the compiler warns that it is returned in another way. */
static inline void add_pair(pair *sum, const uint8_t *p)
{
	pair words;

	memcpy(&words, p, sizeof words);
	*sum += (words & 0xffffffff) + (words >> 32);
}

static inline uint64_t word_halves(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return (word & 0xffffffff) + (word >> 32);
}

/* Fewer than eight bytes. Headers end in four: they get no call of memcpy. */
static inline uint64_t sum_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint32_t four;
	uint16_t two, one = 0;

	if (len & 4) {
		memcpy(&four, p, sizeof four);
		sum += four;
		p += sizeof four;
	}
	if (len & 2) {
		memcpy(&two, p, sizeof two);
		sum += two;
		p += sizeof two;
	}
	if (len & 1) {
		memcpy(&one, p, 1);
		sum += one;
	}
	return sum;
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	pair even = {0}, odd = {0};

	if (len >= 4 * PAIR) {
		for (; len >= 4 * PAIR; len -= 4 * PAIR, p += 4 * PAIR) {
			add_pair(&even, p);
			add_pair(&even, p + PAIR);
			add_pair(&odd, p + 2 * PAIR);
			add_pair(&odd, p + 3 * PAIR);
		}
		even += odd;
		sum += even[0] + even[1];
	}
	for (; len >= 8; len -= 8, p += 8)
		sum += word_halves(p);
	return sum + sum_tail(p, len);
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t checksum_pseudo(const uint8_t *source, const uint8_t *target, int v6,
			 uint8_t protocol, uint32_t len)
{
	size_t size = v6 ? 16 : 4;
	uint64_t sum = (uint64_t)htonl(len) + htons(protocol);

	sum = checksum_add(sum, source, size);
	return checksum_add(sum, target, size);
}

uint16_t checksum_lwip(const void *data, int len)
{
	return checksum_fold(checksum_add(0, data, (size_t)len));
}
