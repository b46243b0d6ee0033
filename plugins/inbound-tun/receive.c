/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a TUN has to read.
 *
 * Theory of operation: when the device is readable a burst is read, of no more
 * bytes than a processor's own cache holds, so that they are still in it when
 * the core hands them on; the rest makes the next turn. It is as many packets
 * as the device's queue holds: half as many ACKs come in a turn as it sends
 * packets, and a ping behind them finds the queue full. From a device with
 * offloads come trains: each is read into a buffer lent by the netstack, and a
 * batch is handed over in one call. From one without come packets: each is read
 * to where the netstack wants it, so that it can make trains of them. Where the
 * netstack has no memory the watch is dropped for a moment: packets wait in the
 * device's own queue, which is bounded, and the loop does not spin. */
#include "receive.h"

#include <errno.h>

#define BATCH 64 /* trains handed over at once */
#define BURST_PACKETS 512
#define BURST_BYTES (512u << 10)
#define PAUSE_MOST_US 16000
#define ROOM_AHEAD 16u /* bytes before the IP header, which lies aligned */
#define PACKET_MOST 65535u

static void tun_pause(struct tun *t)
{
	t->host->watch_free(t->watch);
	t->watch = NULL;
	t->host->timer_set(t->later, t->pause_us);
	t->pause_us *= 2;
	if (t->pause_us > PAUSE_MOST_US)
		t->pause_us = PAUSE_MOST_US;
}

static int receive_train(struct tun *t, struct weir_ingress *p)
{
	int err;

	p->buffer = t->spare ? t->spare : t->stack->buffer_get(t->stack_self);
	t->spare = NULL;
	if (!p->buffer)
		return ENOBUFS;
	p->offset = ROOM_AHEAD;
	err = tun_read(&t->device, p->buffer->data + ROOM_AHEAD, ROOM_AHEAD,
		       p->buffer->capacity - ROOM_AHEAD, p);
	if (err)
		t->spare = p->buffer;
	return err;
}

static int receive_batch(struct tun *t, uint32_t *bytes)
{
	struct weir_ingress burst[BATCH];
	int n = 0, err = 0;

	for (int reads = 0; reads < BATCH && *bytes < BURST_BYTES; reads++) {
		err = receive_train(t, &burst[n]);
		if (!err)
			*bytes += burst[n++].len;
		else if (err != EBADMSG)
			break;
		else
			++*t->dropped_in;
	}
	*t->packets_in += (unsigned)n;
	if (n)
		t->stack->input(t->link, burst, n);
	return err;
}

static int receive_trains(struct tun *t)
{
	uint32_t bytes = 0;
	int err = 0;

	for (int reads = 0; reads < BURST_PACKETS && bytes < BURST_BYTES &&
			    (!err || err == EBADMSG);
	     reads += BATCH)
		err = receive_batch(t, &bytes);
	*t->bytes_in += bytes;
	return err;
}

/* A packet longer than the MTU was cut off: the device's MTU, which is not
 * always ours to set, is another one. The next will find room. */
static int receive_packet(struct tun *t)
{
	struct weir_ingress p = {.len = 0};
	uint8_t *at = t->stack->room(t->link, t->room);
	int err;

	if (!at)
		return ENOBUFS;
	err = tun_read(&t->device, at, 0, t->room, &p);
	if (!err && p.len == t->room && t->room < PACKET_MOST) {
		t->room = PACKET_MOST;
		err = EBADMSG;
	}
	t->stack->put(t->link, err ? 0 : p.len, p.flags);
	if (err)
		return err;
	++*t->packets_in;
	*t->bytes_in += p.len;
	return 0;
}

static int receive_packets(struct tun *t)
{
	uint64_t from = *t->bytes_in;
	int err = 0;

	if (!t->room)
		t->room = (uint32_t)t->conf->mtu + 1;
	for (int reads = 0; reads < BURST_PACKETS; reads++) {
		err = receive_packet(t);
		if (err == EBADMSG)
			++*t->dropped_in;
		else if (err || *t->bytes_in - from >= BURST_BYTES)
			break;
	}
	t->stack->flush(t->link);
	return err;
}

void tun_ready(void *arg, unsigned events)
{
	struct tun *t = arg;
	bool trains = t->device.offloads & (WEIR_LINK_TSO | WEIR_LINK_USO);
	int err;

	(void)events;
	if (trains || !WEIR_HAS(t->stack, flush))
		err = receive_trains(t);
	else
		err = receive_packets(t);
	if (err == ENOBUFS)
		tun_pause(t);
	else if (err && err != EAGAIN && err != EBADMSG)
		tun_gone(t);
	else
		t->pause_us = PAUSE_LEAST_US;
}
