/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.c - packets that wait for a key: 128 a peer, and so many bytes for
 * all peers. The oldest gives way, as its reader has the least use for it. */
#include "device.h"

#include <stdlib.h>

void staged_init(struct staged *s)
{
	*s = (struct staged){.last = &s->first};
}

struct staged_packet *staged_new(uint32_t len)
{
	struct staged_packet *packet = malloc(sizeof *packet + len);

	if (packet) {
		packet->next = NULL;
		packet->len = len;
	}
	return packet;
}

struct staged_packet *staged_get(struct wg_peer *p)
{
	struct staged *s = &p->staged;
	struct staged_packet *packet = s->first;

	if (!packet)
		return NULL;
	s->first = packet->next;
	if (!s->first)
		s->last = &s->first;
	s->packets--;
	p->device->staged_bytes -= packet->len;
	return packet;
}

static void staged_drop_oldest(struct wg_peer *p, enum wg_drop why)
{
	free(staged_get(p));
	device_drop(p->device, p, why);
}

void staged_put(struct wg_peer *p, struct staged_packet *packet)
{
	struct staged *s = &p->staged;
	struct wg_device *d = p->device;

	*s->last = packet;
	s->last = &packet->next;
	s->packets++;
	d->staged_bytes += packet->len;
	while (s->packets > STAGED_PACKETS_MAX ||
	       (d->staged_bytes > STAGED_BYTES_MAX && s->packets > 1))
		staged_drop_oldest(p, WG_DROP_STAGED);
}

void staged_clear(struct wg_peer *p, enum wg_drop why)
{
	while (p->staged.first)
		staged_drop_oldest(p, why);
}
