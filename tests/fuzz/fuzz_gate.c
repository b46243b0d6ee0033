/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_gate.c - packets of any shape into the stack: the gate, reassembly, the
 * flows and lwIP's TCP behind it.
 *
 * The input is a script of packets. The first byte of each says how it is to
 * be treated: some are patched up to carry right checksums, or the sequence
 * numbers of a live connection, since a fuzzer would hardly guess those. A
 * connection of its own, the canary, must still talk when the script is
 * over. */
#include "client.h"

#include <stdlib.h>

#define PATCH_CHECKSUMS 0x01
#define PATCH_CANARY 0x02 /* aim it at the live connection */
#define PATCH_TRAIN 0x04
#define PATCH_TIME 0x08
#define PATCH_READ 0x10
#define PATCH_WRITE 0x20
#define PATCH_ACCEPT 0x40
#define PATCH_CLOSE 0x80
#define PATCH_PUT 0x8000 /* of the length: by room and put */
#define PATCH_FLUSH 0x4000
#define ENDS_MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct client canary, target;
static struct weir_end *canary_end, *target_end;

static void begin(void)
{
	if (sim.stack)
		return;
	tun_begin();
	client_init(&canary, &tun, path4(77, "203.0.113.1", 443));
	canary_end = client_open(&canary);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void canary_is_alive(void)
{
	struct iovec v;

	sim_flush(&tun);
	check(!canary_end->failed);
	client_send(&canary, ACK | PSH, "peep", 4);
	check(canary_end->stream->peek(canary_end->self, &v, 1) == 1);
	check(v.iov_len == 4 && memcmp(v.iov_base, "peep", 4) == 0);
	canary_end->stream->consume(canary_end->self, 4);
	v.iov_base = (void *)(uintptr_t) "chirp";
	v.iov_len = 5;
	check(canary_end->stream->write(canary_end->self, &v, 1) == 5);
	while (client_expect(&canary, ACK)->any)
		;
	client_send(&canary, ACK, NULL, 0);
	sim_flush(&tun);
}

/* Is this packet addressed to the canary? It is left alone. */
static bool is_canarys(const uint8_t *p, uint32_t len)
{
	return len >= 20 && p[0] >> 4 == 4 && p[9] == IPPROTO_TCP &&
	       memcmp(p + 12, canary.path.client, 4) == 0 &&
	       memcmp(p + 16, canary.path.server, 4) == 0;
}

/* Make it a segment of the target connection near its present numbers. */
static uint32_t aim(uint8_t *to, const uint8_t *from, uint32_t len)
{
	struct client c = target;

	if (len < 6)
		return 0;
	c.seq += (uint32_t)((int8_t)from[0] * 100);
	c.ack += (uint32_t)((int8_t)from[1] * 100);
	c.window = (uint16_t)(from[2] << 8 | from[3]);
	return make_tcp(to, &c, from[4] & 0x3f, from + 5, len - 5);
}

static void use_ends(uint32_t how)
{
	struct iovec v[4];
	int n = 0;

	for (struct weir_end *e = sim.ends, *next; e; e = next, n++) {
		next = e->next;
		if (e == canary_end || e == target_end)
			continue;
		if (n > ENDS_MOST || (how & PATCH_CLOSE)) {
			sim_close(e, how & PATCH_READ ? 111 : 0);
			continue;
		}
		if (e->stream && !e->failed && (how & PATCH_ACCEPT))
			e->stream->accept(e->self);
		if (e->stream && (how & PATCH_READ) &&
		    e->stream->peek(e->self, v, 4) > 0)
			e->stream->consume(e->self, v[0].iov_len);
	}
	if (target_end && (how & PATCH_READ) &&
	    target_end->stream->peek(target_end->self, v, 4) > 0)
		target_end->stream->consume(target_end->self, v[0].iov_len);
	if (target_end && (how & PATCH_WRITE)) {
		v[0].iov_base = (void *)(uintptr_t) "fuzz";
		v[0].iov_len = 4;
		target_end->stream->write(target_end->self, v, 1);
	}
}

static void play(const uint8_t *data, uint32_t len, uint32_t how)
{
	static uint8_t packet[PACKET_MOST];

	if (how & PATCH_CANARY) {
		len = aim(packet, data, len);
	} else {
		memcpy(packet, data, len);
		if ((how & PATCH_CHECKSUMS) && len > 20)
			fix_checksums(packet, len);
		if (is_canarys(packet, len))
			len = 0;
	}
	if (how & PATCH_PUT)
		link_put(&tun, packet, len);
	else if (how & PATCH_TRAIN)
		sim_input_train(&tun, packet, len, WEIR_GSO_UDP, 100,
				WEIR_CSUM_PARTIAL);
	else
		sim_input(&tun, packet, len);
	if (how & PATCH_FLUSH)
		sim.ops->flush(tun.link);
	if (how & PATCH_TIME)
		sim_run(500 * SIM_MS);
	use_ends(how);
	for (struct seen *s = look(&tun); s->any; s = look(&tun))
		if (s->tcp && s->target_port == target.path.client_port &&
		    s->seq == target.ack)
			target.ack += s->payload_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint16_t port = 1024;

	begin();
	port = port == 65535 ? 1024 : (uint16_t)(port + 1);
	sim_flush(&tun);
	client_init(&target, &tun, path6(port, "2001:db8::2", 80));
	target_end = client_open(&target);
	while (size >= 3) {
		uint32_t word = (uint32_t)(data[1] << 8 | data[2]);
		uint32_t len = word & 0x7ff;
		uint32_t how = data[0] | (word & (PATCH_PUT | PATCH_FLUSH));

		data += 3;
		size -= 3;
		if (len > size)
			len = (uint32_t)size;
		play(data, len, how);
		data += len;
		size -= len;
	}
	canary_is_alive();
	while (sim.ends != canary_end || sim.ends->next) {
		struct weir_end *e = sim.ends;

		if (e == canary_end)
			e = e->next;
		sim_close(e, 104);
	}
	target_end = NULL;
	return 0;
}
