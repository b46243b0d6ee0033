/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checksum.c - the Internet checksum.
 *
 * One's complement addition does not care about the order of the words nor
 * about byte order, so whole machine words are added and folded only once. The
 * two halves of each 64-bit word go to the sum apart: no carry can be lost for
 * 2^32 additions, and the compiler is free to use vectors. */
#include "checksum.h"

#include <arpa/inet.h>
#include <string.h>

static inline uint64_t word_halves(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return (word & 0xffffffff) + (word >> 32);
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t last = 0;

	for (; len >= 32; len -= 32, p += 32)
		sum += word_halves(p) + word_halves(p + 8) +
		       word_halves(p + 16) + word_halves(p + 24);
	for (; len >= 8; len -= 8, p += 8)
		sum += word_halves(p);
	if (len) {
		memcpy(&last, p, len);
		sum += (last & 0xffffffff) + (last >> 32);
	}
	return sum;
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
