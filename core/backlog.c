/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams in waiting: one allocation each, for the datagram, its peer and
 * the peer's name. */
#include "backlog.h"

#include "util.h"

struct backlog_item {
	struct backlog_item *next;
	struct weir_addr peer;
	struct weir_datagram datagram;
	char bytes[]; /* the payload, then the peer's name */
};

bool backlog_put(struct backlog *b, const struct weir_datagram *d)
{
	bool named = d->peer->kind == WEIR_ADDR_NAME;
	size_t name = named ? strlen(d->peer->name) + 1 : 0;
	struct backlog_item *i;

	if (b->count >= BACKLOG_DATAGRAMS || b->bytes + d->len > BACKLOG_BYTES)
		return false;
	i = xcalloc(1, sizeof *i + d->len + name);
	i->peer = *d->peer;
	i->datagram = *d;
	i->datagram.peer = &i->peer;
	i->datagram.data = i->bytes;
	if (d->len)
		memcpy(i->bytes, d->data, d->len);
	if (named) {
		i->peer.name = i->bytes + d->len;
		memcpy(i->bytes + d->len, d->peer->name, name);
	}
	if (b->last)
		b->last->next = i;
	else
		b->first = i;
	b->last = i;
	b->count++;
	b->bytes += d->len;
	return true;
}

void backlog_drain(struct backlog *b,
		   void (*give)(void *arg, const struct weir_datagram *),
		   void *arg)
{
	struct backlog_item *i = b->first, *next;

	memset(b, 0, sizeof *b);
	for (; i; i = next) {
		next = i->next;
		give(arg, &i->datagram);
		free(i);
	}
}

static void drop(void *arg, const struct weir_datagram *d)
{
	(void)arg, (void)d;
}

void backlog_clear(struct backlog *b)
{
	backlog_drain(b, drop, NULL);
}
