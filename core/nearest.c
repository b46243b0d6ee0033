/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the distance between two words is the number of
 * letters inserted, left out, changed or swapped with their neighbour, found
 * by the usual table of which three rows are kept. A word counts as meant when
 * about a third of it or less differs. */
#include "nearest.h"

#include <string.h>

#define NEAREST_LETTERS 40u /* longer words are not worth guessing at */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][NEAREST_LETTERS + 1];
	unsigned *two = row[0], *one = row[1], *now = row[2];
	size_t i, j, la = strlen(a), lb = strlen(b);

	for (j = 0; j <= lb; j++)
		one[j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		unsigned *spare = two;

		now[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			unsigned d = one[j - 1] + (a[i - 1] != b[j - 1]);

			d = least(d, least(one[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = least(d, two[j - 2] + 1);
			now[j] = d;
		}
		two = one;
		one = now;
		now = spare;
	}
	return one[lb];
}

void nearest_offer(struct nearest *n, const char *name)
{
	size_t wanted = strnlen(n->wanted, NEAREST_LETTERS + 1);
	size_t len = strnlen(name, NEAREST_LETTERS + 1);
	unsigned d, limit;

	if (!wanted || wanted > NEAREST_LETTERS || len > NEAREST_LETTERS)
		return;
	d = distance(n->wanted, name);
	limit = (unsigned)(wanted > len ? wanted : len) / 3;
	if (d > (limit ? limit : 1) || d >= len)
		return;
	if (!n->best || d < n->distance) {
		n->best = name;
		n->distance = d;
	}
}
