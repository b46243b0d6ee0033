/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keypair.c - which keys a peer uses: previous, current and next.
 *
 * The initiator knows that the responder has the new keys, and uses them at
 * once. The responder keeps them as `next` until the first authenticated packet
 * shows that the initiator has them too. The previous ones still open what the
 * network has reordered. */
#include "device.h"

#include <stdlib.h>

static void keypair_free(struct keypair *k)
{
	if (!k)
		return;
	index_remove(&k->peer->device->indices, k->local_index);
	aead_wipe(&k->seal);
	aead_wipe(&k->open);
	crypto_wipe(k, sizeof *k);
	free(k);
}

static void keypair_rotate_initiator(struct wg_peer *p, struct keypair *k)
{
	keypair_free(p->previous);
	if (p->next) {
		/* Both sides began a handshake: the peer's keypair was never
		 * used, and is late now. */
		p->previous = p->next;
		p->next = NULL;
		keypair_free(p->current);
	} else {
		p->previous = p->current;
	}
	p->current = k;
}

static void keypair_rotate_responder(struct wg_peer *p, struct keypair *k)
{
	keypair_free(p->next);
	p->next = k;
	keypair_free(p->previous);
	p->previous = NULL;
}

bool keypair_begin(struct wg_peer *p, struct handshake *h, bool initiator,
		   uint64_t now_us)
{
	struct keypair *k = calloc(1, sizeof *k);
	struct index_entry *e;
	struct transport_keys keys;

	if (!k)
		return false;
	handshake_derive(h, &keys);
	aead_init(&k->seal, p->device->aead, AEAD_SEAL, keys.send);
	aead_init(&k->open, p->device->aead, AEAD_OPEN, keys.receive);
	crypto_wipe(&keys, sizeof keys);
	k->peer = p;
	k->serial = ++p->device->keypairs;
	k->born_us = now_us;
	k->local_index = h->local_index;
	k->remote_index = h->remote_index;
	k->initiator = initiator;
	e = index_find(&p->device->indices, k->local_index);
	e->kind = INDEX_KEYPAIR;
	e->what = k;
	if (initiator)
		keypair_rotate_initiator(p, k);
	else
		keypair_rotate_responder(p, k);
	return true;
}

bool keypair_confirm(struct keypair *k)
{
	struct wg_peer *p = k->peer;

	if (p->next != k)
		return false;
	keypair_free(p->previous);
	p->previous = p->current;
	p->current = k;
	p->next = NULL;
	return true;
}

void keypair_clear_all(struct wg_peer *p)
{
	keypair_free(p->previous);
	keypair_free(p->current);
	keypair_free(p->next);
	p->previous = p->current = p->next = NULL;
}

/* Moves the birth back. It may wrap below 0: an age is a difference. */
void keypair_age_all(struct wg_peer *p, uint64_t us)
{
	struct keypair *all[] = {p->previous, p->current, p->next};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i])
			all[i]->born_us -= us;
}
