/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers.c - open addressing, at most half full; what is removed closes its
 * gap. Keys are points of a curve, and only who configures the device puts
 * them here: any of their bits are as good as a hash, and all are used since
 * people like keys that begin with their name. */
#include "device.h"

#include <stdlib.h>

#define SIZE_LEAST 16u

static uint32_t home_of(const struct peers *t, const uint8_t key[WG_KEY_BYTES])
{
	uint32_t words[WG_KEY_BYTES / sizeof(uint32_t)], mixed = 0;

	memcpy(words, key, WG_KEY_BYTES);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		mixed = (mixed << 5 | mixed >> 27) ^ words[i];
	return mixed & (t->size - 1);
}

/* Where this key is, or would be put. */
static uint32_t slot_of(const struct peers *t, const uint8_t key[WG_KEY_BYTES])
{
	uint32_t at = home_of(t, key);

	while (t->slots[at] &&
	       memcmp(t->slots[at]->remote.public_key, key, WG_KEY_BYTES) != 0)
		at = (at + 1) & (t->size - 1);
	return at;
}

void peers_init(struct peers *t)
{
	*t = (struct peers){.last = &t->first};
}

void peers_fini(struct peers *t)
{
	peers_trim(t);
	free(t->slots);
	peers_init(t);
}

static bool make_slots(struct peers *t, uint32_t more)
{
	struct peers grown = {.size = t->size ? t->size : SIZE_LEAST};

	while (grown.size / 2 < t->count + more)
		grown.size *= 2;
	if (grown.size == t->size)
		return true;
	grown.slots = calloc(grown.size, sizeof *grown.slots);
	if (!grown.slots)
		return false;
	for (struct wg_peer *p = t->first; p; p = p->after)
		grown.slots[slot_of(&grown, p->remote.public_key)] = p;
	free(t->slots);
	t->slots = grown.slots;
	t->size = grown.size;
	return true;
}

bool peers_reserve(struct peers *t, uint32_t more)
{
	if (!make_slots(t, more))
		return false;
	for (; t->spares < more; t->spares++) {
		struct wg_peer *p = calloc(1, sizeof *p);

		if (!p)
			return false;
		p->after = t->spare;
		t->spare = p;
	}
	return true;
}

void peers_trim(struct peers *t)
{
	struct wg_peer *p;

	while ((p = t->spare)) {
		t->spare = p->after;
		free(p);
	}
	t->spares = 0;
}

struct wg_peer *peers_add(struct peers *t, const uint8_t key[WG_KEY_BYTES])
{
	struct wg_peer *p = t->spare;

	if (!p)
		abort();
	t->spare = p->after;
	t->spares--;
	memcpy(p->remote.public_key, key, WG_KEY_BYTES);
	t->slots[slot_of(t, key)] = p;
	t->count++;
	p->after = NULL;
	p->before = t->last;
	*t->last = p;
	t->last = &p->after;
	return p;
}

static void close_gap(struct peers *t, uint32_t gap)
{
	uint32_t mask = t->size - 1;

	t->slots[gap] = NULL;
	for (uint32_t at = (gap + 1) & mask; t->slots[at];
	     at = (at + 1) & mask) {
		uint32_t home = home_of(t, t->slots[at]->remote.public_key);

		/* Does its way from home to here lead over the gap? */
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		t->slots[gap] = t->slots[at];
		t->slots[at] = NULL;
		gap = at;
	}
}

void peers_remove(struct peers *t, struct wg_peer *p)
{
	close_gap(t, slot_of(t, p->remote.public_key));
	t->count--;
	*p->before = p->after;
	if (p->after)
		p->after->before = p->before;
	else
		t->last = p->before;
	crypto_wipe(p, sizeof *p);
	free(p);
}

struct wg_peer *peers_find(const struct peers *t,
			   const uint8_t key[WG_KEY_BYTES])
{
	return t->size ? t->slots[slot_of(t, key)] : NULL;
}
