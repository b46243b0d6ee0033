/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.c - a batch from a link: through the gate and on to its room. */
#include "input.h"

#include "buffer.h"
#include "burst.h"
#include "demux.h"
#include "flow.h"
#include "frag.h"
#include "icmp.h"
#include "pmtu.h"
#include "unreachable.h"

#define GROUP 16

static bool is_echo_request(const struct packet *p)
{
	return p->data[p->l4] == (p->key.v6 ? 128 : 8);
}

static void icmp_input(struct weir_link *link, struct packet *p,
		       struct weir_buffer *b)
{
	struct weir_addr target;

	if (p->too_big) {
		pmtu_input(link, p);
		buffer_put(link->stack, b);
		return;
	}
	if (p->unreachable) {
		unreachable_input(link, p);
		buffer_put(link->stack, b);
		return;
	}
	if (!is_echo_request(p)) {
		flow_echo_reply(link, p, b);
		return;
	}
	p->key.local_port = 0;
	target = packet_target(p);
	if (!link_own_address(link, &target)) {
		flow_input(link, p, b);
		return;
	}
	icmp_answer(link, p);
	buffer_put(link->stack, b);
}

static void input_packet(struct weir_link *link, struct packet *p,
			 struct weir_buffer *b);

static void fragment_input(struct weir_link *link, struct packet *p,
			   struct weir_buffer *b)
{
	struct weir_buffer *whole;
	struct packet joined;
	enum drop drop;
	uint32_t len;

	whole = frag_input(link, p, &len);
	buffer_put(link->stack, b);
	if (!whole)
		return;
	drop = packet_parse_bytes(whole->data, len, 0, &joined);
	if (!drop && joined.fragment)
		drop = DROP_OPTION; /* fragments of fragments */
	if (!drop) {
		if (joined.key.protocol == IPPROTO_TCP)
			demux_fetch_chain(link, &joined);
		input_packet(link, &joined, whole);
		return;
	}
	stack_add(link->stack, COUNT_DROP + drop, 1);
	buffer_put(link->stack, whole);
}

static void input_packet(struct weir_link *link, struct packet *p,
			 struct weir_buffer *b)
{
	if (p->fragment)
		fragment_input(link, p, b);
	else if (p->key.protocol == IPPROTO_TCP)
		demux_input(link, p, b);
	else if (p->key.protocol == IPPROTO_UDP)
		flow_input(link, p, b);
	else
		icmp_input(link, p, b);
}

static bool is_segment(const struct packet *p)
{
	return p->data && !p->fragment && p->key.protocol == IPPROTO_TCP;
}

/* With many connections nearly each packet finds its own one outside the
 * caches; the fetches of a whole group of packets overlap. */
static void fetch_all(struct weir_link *link, struct packet *p, int n)
{
	for (int i = 0; i < n; i++)
		if (is_segment(&p[i]))
			demux_fetch_chain(link, &p[i]);
	for (int i = 0; i < n; i++)
		if (is_segment(&p[i]))
			demux_fetch_node(link, &p[i]);
	for (int i = 0; i < n; i++)
		if (is_segment(&p[i]))
			demux_fetch_conn(link, &p[i]);
}

void input_packets(struct weir_link *link, struct packet *p,
		   struct weir_buffer *const *buffers, int n)
{
	fetch_all(link, p, n);
	for (int i = 0; i < n; i++)
		if (p[i].data)
			input_packet(link, &p[i], buffers[i]);
}

static void input_group(struct weir_link *link, const struct weir_ingress *v,
			int n)
{
	struct packet p[GROUP];
	struct weir_buffer *buffers[GROUP];

	for (int i = 0; i < n; i++) {
		enum drop drop = packet_parse(&v[i], &p[i]);

		buffers[i] = v[i].buffer;
		if (!drop)
			continue;
		stack_add(link->stack, COUNT_DROP + drop, 1);
		buffer_put(link->stack, v[i].buffer);
		p[i].data = NULL;
	}
	input_packets(link, p, buffers, n);
}

void link_input(struct weir_link *link, const struct weir_ingress *v, int n)
{
	gro_flush(link); /* what came before goes before */
	link->stack->batch_us = link->stack->host->now_us();
	for (int i = 0; i < n; i += GROUP)
		input_group(link, v + i, n - i < GROUP ? n - i : GROUP);
	burst_done(link->stack);
	flow_flush(link);
	link->stack->batch_us = 0;
}
