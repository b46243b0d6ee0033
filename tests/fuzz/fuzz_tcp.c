/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_tcp.c - the states of TCP: peers that say nearly what is right, and a
 * core that uses its ends of their connections.
 *
 * The input is the kind of link, then a script: a byte for the operation, one
 * for the pair of peer and end, and what the operation asks for. When it is
 * over the core closes all, and some minutes later nothing may be left. */
#include "tcp_peer.h"

#include <errno.h>
#include <stdlib.h>

#define PAIRS 3u
#define PORTS 4u	 /* of each */
#define FIRST_PORT 1200u /* of the first */
#define VIEWS 8
#define WRITE_SHIFTS 8
#define WRITE_MOST (65536u << (WRITE_SHIFTS - 1)) /* half the budget */
#define BUDGET (16u << 20)			  /* the least there is */
#define SETTLE_US (600 * 1000 * SIM_MS)

/* How the whole is: beside these, the congestion control and the offloads. */
#define OTHER_MTU 0x40
#define RESETS 0x80 /* in the end the core closes with an error */

/* How a connection begins. */
#define IS_HELD 0x08
#define IS_V6 0x10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
	struct tcp_peer peer;
	struct weir_end *end; /* NULL: none, or the core has closed it */
	bool accepted, finished;
	uint32_t read; /* by the core */
};

static struct sim_link tun;
static struct pair pairs[PAIRS];
static uint8_t lost; /* which of the next packets to peers, in turn */

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void hear_all(void)
{
	for (struct seen *s = look(&tun); s->any; s = look(&tun)) {
		struct pair *p = &pairs[s->target_port / PORTS % PAIRS];

		check(s->checksum_ok);
		if (!s->tcp || (s->flags & RST) ||
		    p->peer.path.client_port != s->target_port)
			continue;
		peer_hear(&p->peer, s, lost & 1);
		lost = (uint8_t)(lost >> 1 | lost << 7);
	}
}

/* ---- what the core does ---- */

static void accept_it(struct pair *p)
{
	if (!p->accepted)
		p->end->stream->accept(p->end->self);
	p->accepted = true;
}

static void consume(struct pair *p, const struct iovec *v, int n, size_t most)
{
	size_t total = 0;

	for (int i = 0; i < n && total < most; i++) {
		const uint8_t *bytes = v[i].iov_base;

		for (size_t k = 0; k < v[i].iov_len && total < most; k++)
			check(bytes[k] ==
			      peer_pattern(p->peer.iss + 1 + p->read +
					   (uint32_t)total++));
	}
	p->read += (uint32_t)total;
	p->end->stream->consume(p->end->self, total);
}

static void read_some(struct pair *p)
{
	uint32_t left = script_byte() % 2 ? script_amount() : UINT32_MAX;
	struct iovec v[VIEWS];
	int n = p->end->stream->peek(p->end->self, v, VIEWS);

	if (n > 0)
		consume(p, v, n, left);
}

static void write_some(struct pair *p)
{
	static uint8_t bytes[WRITE_MOST];
	uint32_t len = script_amount() << script_byte() % WRITE_SHIFTS;

	if (p->accepted && !p->finished)
		p->end->stream->write(p->end->self, &(struct iovec){bytes, len},
				      1);
}

static void fill(struct pair *p)
{
	struct iovec v[VIEWS];
	uint32_t less = script_amount();
	size_t room = 0;
	int n;

	if (!p->accepted || p->finished)
		return;
	n = p->end->stream->reserve(p->end->self, v, VIEWS);
	for (int i = 0; i < n; i++) {
		memset(v[i].iov_base, 0, v[i].iov_len);
		room += v[i].iov_len;
	}
	if (n > 0)
		p->end->stream->commit(p->end->self,
				       room > less ? room - less : room);
}

/* What one end shows, another takes without a copy. */
static void pass(struct pair *p)
{
	struct pair *to = &pairs[script_byte() % PAIRS];
	struct iovec v[VIEWS];
	struct weir_loan *loan[VIEWS];
	ssize_t taken;
	int n;

	if (to == p || !to->end || to->end->failed || !to->accepted ||
	    to->finished)
		return;
	n = p->end->stream->peek_loans(p->end->self, v, loan, VIEWS);
	if (n <= 0)
		return;
	taken = to->end->stream->write_loans(to->end->self, v, loan, n);
	if (taken > 0)
		consume(p, v, n, (size_t)taken);
}

static void finish(struct pair *p)
{
	if (p->accepted && !p->finished)
		p->end->stream->finish(p->end->self);
	p->finished = p->accepted;
}

static void let_go(struct pair *p)
{
	static const int errors[] = {0, ECONNRESET, ECONNREFUSED, EHOSTUNREACH};

	sim_close(p->end, errors[script_byte() % 4]);
	p->end = NULL;
}

/* ---- what else happens ---- */

/* A connection, on a port that may have had one. */
static void begin(struct pair *p)
{
	struct weir_end *before;
	uint8_t how = script_byte();
	uint16_t port = (uint16_t)(FIRST_PORT + (p - pairs) * PORTS +
				   script_byte() % PORTS);

	if (p->end)
		let_go(p);
	memset(p, 0, sizeof *p);
	before = sim.ends;
	peer_call(&p->peer, &tun,
		  how & IS_V6 ? path6(port, "2001:db8::5", 80)
			      : path4(port, "203.0.113.5", 80),
		  how);
	if (sim.ends == before)
		return;
	p->end = sim.ends;
	if (how & IS_HELD)
		return;
	accept_it(p);
	hear_all();
	peer_speak(&p->peer);
}

static void speak(struct pair *p)
{
	peer_speak(&p->peer);
}

static void refuse_size(struct pair *p)
{
	peer_refuse_size(&p->peer);
}

static void pass_time(struct pair *p)
{
	uint64_t us = script_amount();

	(void)p;
	sim_run(us << script_byte() % 12);
}

static void choose_losses(struct pair *p)
{
	(void)p;
	lost = script_byte();
}

/* The link takes nothing for a while. */
static void block(struct pair *p)
{
	(void)p;
	tun.full = script_byte() & 1;
}

static void start(uint8_t how)
{
	static const uint32_t offloads[] = {0, WEIR_LINK_CSUM,
					    WEIR_LINK_CSUM | WEIR_LINK_TSO};
	struct weir_link_conf link = sim_link_conf();
	struct sim_conf conf = {16, 8, BUDGET, 1 << 20};

	sim_congestion = how & 1 ? SIM_BBR : SIM_CUBIC;
	link.keepalive = how & 2;
	link.offloads = offloads[(how >> 2) % 3];
	if (how & OTHER_MTU)
		link.mtu_bytes =
			(uint32_t[]){576, 1280, 9000, 65535}[script_byte() % 4];
	sim_start(&conf);
	sim_attach(&tun, &link);
	memset(pairs, 0, sizeof pairs);
	lost = 0;
}

/* The core touches no end that has failed, but to close it. */
static void use_end(struct pair *p, uint8_t what)
{
	static void (*const uses[])(struct pair *) = {
		accept_it, read_some, write_some, write_some,
		fill,	   pass,      finish,	  let_go};

	if (p->end && (!p->end->failed || uses[what] == let_go))
		uses[what](p);
}

static void play(void)
{
	static void (*const others[])(struct pair *) = {
		begin,	   pass_time,	pass_time,     pass_time,
		pass_time, refuse_size, choose_losses, block};
	uint8_t what = script_byte() % 32;
	struct pair *p = &pairs[script_byte() % PAIRS];

	if (!p->peer.link)
		what = 8;
	if (what < 16)
		sim.ops->flush(tun.link);
	if (what < 8)
		use_end(p, what);
	else if (what < 16)
		others[what - 8](p);
	else
		speak(p);
	hear_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how;

	script_begin(data, size);
	how = script_byte();
	start(how);
	while (script_goes_on())
		play();
	sim.ops->flush(tun.link);
	tun.full = false;
	while (sim.ends)
		sim_close(sim.ends, how & RESETS ? ECONNRESET : 0);
	sim_run(SETTLE_US);
	hear_all();
	check(!sim_counter("connections") && !sim_counter("memory_bytes"));
	check(sim_counter("memory_peak_bytes") <= BUDGET);
	sim_stop();
	sim_flush(&tun);
	return 0;
}
