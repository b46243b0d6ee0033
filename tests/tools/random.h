/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random.h - SplitMix64 (Steele, Lea, Flood 2014): random numbers that are the
 * same again from the same state. */
#ifndef TESTS_TOOLS_RANDOM_H
#define TESTS_TOOLS_RANDOM_H

#include <stdint.h>

static inline uint64_t random_scramble(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint64_t random_next(uint64_t *state)
{
	return random_scramble(*state += 0x9e3779b97f4a7c15ull);
}

#endif
