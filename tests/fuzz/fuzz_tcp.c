/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_tcp.c - the states of TCP: peers that say nearly what is right, or are
 * called by the stack, and a core that uses its ends of their connections.
 *
 * The input is the kind of link, then a script: a byte for the operation, one
 * for the pair of peer and end, and what the operation asks for. When it is
 * over either the peers fall silent, and after an hour whoever waits for them
 * must have been told; or it all ends at once. Then the core closes all, or the
 * link goes, and some minutes later nothing may be left.
 *
 * Meanwhile every byte is compared on either side, nothing is acknowledged that
 * was never said, and for all that happens there are few packets without
 * payload and few timers. */
#include "tcp_peer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PAIRS 3u
#define PORTS 4u	 /* of each */
#define FIRST_PORT 1200u /* of the first */
#define VIEWS 8
#define WRITE_SHIFTS 8
#define WRITE_MOST (65536u << (WRITE_SHIFTS - 1)) /* half the budget */
_Static_assert(WRITE_MOST <= PATTERN_MOST, "it is all pattern");
#define BUDGET (16u << 20) /* the least there is */
#define RUNS 64
#define HOARD 256u /* buffers: more than there are */
#define SETTLE_US (600 * 1000 * SIM_MS)
#define SILENCE_US (3600 * 1000 * SIM_MS)
#define ANSWERS_MOST 6u	  /* without payload, for all that happens */
#define WAKEUPS_EXTRA 64u /* beside one a millisecond */

/* How the whole is: beside these, the congestion control and the offloads. */
#define LINK_GOES 0x10 /* in the end */
#define FALLS_SILENT 0x20
#define OTHER_MTU 0x40
#define RESETS 0x80 /* in the end the core closes with an error */

/* How a connection begins. */
#define IS_HELD 0x08
#define IS_V6 0x10
#define IS_CALLED 0x20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the core wrote: the pattern, from another number on than that at which
 * it is sent. */
struct run {
	uint32_t end, base;
};

struct pair {
	struct tcp_peer peer;
	struct weir_end *end; /* NULL: none, or the core has closed it */
	void *pending;	      /* what the core would abandon */
	bool begun; /* by this peer: it talks to no older connection */
	bool accepted, finished;
	uint32_t read, written; /* by the core */
	struct run runs[RUNS];
	unsigned n_runs;
};

static struct pair pairs[PAIRS];
static uint8_t lost; /* which of the next packets to peers, in turn */
static struct weir_buffer *hoard[HOARD];
static unsigned hoarded;
static uint64_t events, answers;

/* ---- what the peers hear ---- */

static bool is_for(struct pair *p, const struct seen *s)
{
	struct path *path = &p->peer.path;

	if (!s->tcp || path->v6 != s->v6 || path->client_port != s->target_port)
		return false;
	if (p->peer.called && !path->server_port &&
	    (s->flags & (SYN | ACK)) == SYN)
		path->server_port = s->source_port;
	return path->server_port == s->source_port;
}

static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void check_heard(const struct pair *p, const struct seen *s)
{
	uint32_t at = s->seq - p->peer.irs - 1, done = 0;

	if (!p->begun || !p->peer.met || s->flags & SYN)
		return;
	assert(!(s->flags & ACK) || !is_before(p->peer.furthest, s->ack));
	assert(p->peer.called ||
	       !is_before(peer_edge(&p->peer, s) + 1,
			  p->peer.edge - (1u << p->peer.scale)));
	assert(!s->payload_len || at + s->payload_len <= p->written);
	for (unsigned i = 0; i < p->n_runs && done < s->payload_len; i++) {
		uint32_t n = p->runs[i].end - (at + done);

		if (p->runs[i].end <= at + done)
			continue;
		if (n > s->payload_len - done)
			n = s->payload_len - done;
		assert(memcmp(s->payload + done,
			      peer_pattern(p->runs[i].base + at + done),
			      n) == 0);
		done += n;
	}
	assert(done == s->payload_len);
}

static void hear_all(void)
{
	for (struct seen *s = look(&tun); s->any; s = look(&tun)) {
		struct pair *p = &pairs[s->target_port / PORTS % PAIRS];

		assert(s->checksum_ok);
		answers += !s->payload_len;
		if (!is_for(p, s) || s->flags & RST)
			continue;
		check_heard(p, s);
		peer_hear(&p->peer, s, lost & 1);
		lost = (uint8_t)(lost >> 1 | lost << 7);
	}
	assert(answers <= (events + sim.timer_wakeups) * ANSWERS_MOST);
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
		size_t len = v[i].iov_len < most - total ? v[i].iov_len
							 : most - total;

		assert(memcmp(v[i].iov_base,
			      peer_pattern(p->peer.iss + 1 + p->read +
					   (uint32_t)total),
			      len) == 0);
		total += len;
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

/* Is there room in the books for bytes that begin at another number? */
static bool may_write(const struct pair *p)
{
	return p->accepted && p->end->stream && !p->finished &&
	       p->n_runs < RUNS - 1;
}

static void wrote(struct pair *p, uint32_t base, size_t len)
{
	if (!p->n_runs || p->runs[p->n_runs - 1].base != base)
		p->runs[p->n_runs++].base = base;
	p->written += (uint32_t)len;
	p->runs[p->n_runs - 1].end = p->written;
}

static void write_some(struct pair *p)
{
	uint32_t len = script_amount() << script_byte() % WRITE_SHIFTS;
	struct iovec v = {(void *)(uintptr_t)peer_pattern(p->written), len};
	ssize_t taken;

	if (!may_write(p))
		return;
	taken = p->end->stream->write(p->end->self, &v, 1);
	assert(taken >= 0 && (size_t)taken <= len);
	wrote(p, 0, (size_t)taken);
}

static void fill(struct pair *p)
{
	struct iovec v[VIEWS];
	uint32_t less = script_amount();
	size_t room = 0;
	int n;

	if (!may_write(p))
		return;
	n = p->end->stream->reserve(p->end->self, v, VIEWS);
	for (int i = 0; i < n; i++) {
		memcpy(v[i].iov_base, peer_pattern(p->written + (uint32_t)room),
		       v[i].iov_len);
		room += v[i].iov_len;
	}
	room -= room > less ? less : 0;
	if (n <= 0)
		return;
	p->end->stream->commit(p->end->self, room);
	wrote(p, 0, room);
}

/* What one end shows, another takes without a copy. */
static void pass(struct pair *p)
{
	struct pair *to = &pairs[script_byte() % PAIRS];
	struct iovec v[VIEWS];
	struct weir_loan *loan[VIEWS];
	ssize_t taken;
	int n;

	if (to == p || !to->end || to->end->failed || !may_write(to))
		return;
	n = p->end->stream->peek_loans(p->end->self, v, loan, VIEWS);
	if (n <= 0)
		return;
	taken = to->end->stream->write_loans(to->end->self, v, loan, n);
	if (taken <= 0)
		return;
	wrote(to, p->peer.iss + 1 + p->read - to->written, (size_t)taken);
	consume(p, v, n, (size_t)taken);
}

static void finish(struct pair *p)
{
	if (p->accepted && !p->finished)
		p->end->stream->finish(p->end->self);
	p->finished = p->accepted;
}

static void close_it(struct pair *p, int err)
{
	if (p->pending && !p->end->ready && !p->end->failed)
		sim.ops->abandon(tun.link, p->pending);
	sim_close(p->end, err);
	p->end = NULL;
}

static void let_go(struct pair *p)
{
	static const int errors[] = {0, ECONNRESET, ECONNREFUSED, EHOSTUNREACH};

	close_it(p, errors[script_byte() % 4]);
}

/* ---- what else happens ---- */

/* The core opens one; the peer answers as it should, or later, or never. */
static void dial(struct pair *p, uint16_t port, uint8_t how)
{
	struct weir_addr to = {.kind = how & IS_V6 ? WEIR_ADDR_IP6
						   : WEIR_ADDR_IP4,
			       .port = port};

	peer_wait(&p->peer, &tun,
		  how & IS_V6 ? path6(port, "fd09::1", 0)
			      : path4(port, "10.9.0.1", 0));
	memcpy(to.ip, p->peer.path.client, sizeof to.ip);
	p->end = calloc(1, sizeof *p->end);
	assert(p->end);
	p->end->next = sim.ends;
	sim.ends = p->end;
	p->pending = sim.ops->open(tun.link, p->end, &to, WEIR_NET_TCP);
	assert(p->pending || p->end->failed);
	p->begun = p->accepted = true;
	hear_all();
	if (!(how & IS_HELD))
		peer_offer(&p->peer);
}

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
	if (how & IS_CALLED) {
		dial(p, port, how);
		return;
	}
	before = sim.ends;
	peer_call(&p->peer, &tun,
		  how & IS_V6 ? path6(port, "2001:db8::5", 80)
			      : path4(port, "203.0.113.5", 80),
		  how);
	if (sim.ends == before)
		return;
	p->end = sim.ends;
	p->begun = true;
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

static void offer(struct pair *p)
{
	peer_offer(&p->peer);
}

static void refuse(struct pair *p)
{
	peer_refuse(&p->peer);
}

static void run(uint64_t us)
{
	uint64_t before = sim.timer_wakeups;

	sim_run(us);
	assert(sim.timer_wakeups - before <= us / SIM_MS + WAKEUPS_EXTRA);
}

static void pass_time(struct pair *p)
{
	uint64_t us = script_amount();

	(void)p;
	run(us << script_byte() % 12);
}

/* Others have taken the memory for packets, and given some back. */
static void take_buffers(struct pair *p)
{
	unsigned want = script_byte();

	(void)p;
	while (hoarded > want)
		sim.ops->buffer_put(sim.stack, hoard[--hoarded]);
	while (hoarded < want &&
	       (hoard[hoarded] = sim.ops->buffer_get(sim.stack)))
		hoarded++;
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
	events = answers = 0;
}

/* The core touches no end that has failed, but to close it. */
static void use_end(struct pair *p, uint8_t what)
{
	static void (*const uses[])(struct pair *) = {
		accept_it, read_some, write_some, write_some,
		fill,	   pass,      finish,	  let_go};

	if (p->end && (p->end->stream || uses[what] == let_go) &&
	    (!p->end->failed || uses[what] == let_go))
		uses[what](p);
}

static void play(void)
{
	static void (*const others[])(struct pair *) = {
		begin, pass_time, pass_time,	 take_buffers,
		offer, refuse,	  choose_losses, block};
	uint8_t what = script_byte() % 32;
	struct pair *p = &pairs[script_byte() % PAIRS];

	if (!p->peer.link)
		what = 8;
	events++;
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

/* Nobody answers any more: who waits for that is told. */
static void fall_silent(void)
{
	run(SILENCE_US);
	hear_all();
	for (struct pair *p = pairs; p < pairs + PAIRS; p++)
		if (p->end && !p->end->failed) {
			assert(p->accepted && p->end->stream);
			assert(!p->peer.met ||
			       p->peer.agreed - p->peer.irs - 1 >= p->written);
		}
}

static void end(uint8_t how)
{
	int err = how & RESETS ? ECONNRESET : 0;

	if (how & LINK_GOES)
		sim.ops->detach(tun.link);
	for (struct pair *p = pairs; p < pairs + PAIRS; p++)
		if (p->end)
			close_it(p, err);
	while (sim.ends)
		sim_close(sim.ends, err);
	run(SETTLE_US);
	hear_all();
	assert(!sim_counter("connections") && !sim_counter("memory_bytes"));
	assert(!sim_counter("half_open") && !sim_counter("held_bytes"));
	assert(sim_counter("memory_peak_bytes") <= BUDGET);
	sim_stop();
	sim_flush(&tun);
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
	while (hoarded)
		sim.ops->buffer_put(sim.stack, hoard[--hoarded]);
	if (how & FALLS_SILENT)
		fall_silent();
	end(how);
	return 0;
}
