/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim.h - the network stack alone, in virtual time: a host that only takes
 * notes, links whose packets a test reads and writes, and wires between two
 * links with delay and loss. One of each a process; sim_start begins anew. */
#ifndef SIM_H
#define SIM_H

#include <weir/netstack.h>
#include <weir/plugin.h>

#define SIM_DATAGRAMS 256
#define SIM_MS 1000ull
/* An ACK may wait so long for something that takes it along. */
#define ANSWER_US (7 * SIM_MS)

/* What the core would keep of an end. */
struct weir_end {
	struct weir_end *next;
	const struct weir_stream_ops *stream;
	const struct weir_flow_ops *flow;
	void *self;
	struct weir_session_info info;
	unsigned events; /* notified and not yet looked at */
	int failed;	 /* the errno, 0: not */
	const char *why;
	bool ready, closed;
	int unreachable; /* the errno last told of a peer; 0: none */
	struct weir_addr lost;
	int datagrams, deliveries;
	struct weir_addr peers[SIM_DATAGRAMS];
	uint32_t lens[SIM_DATAGRAMS];
	uint16_t segments[SIM_DATAGRAMS];
	uint8_t *last; /* payload of the last one */
};

struct sim_packet {
	struct sim_packet *next;
	uint64_t at_us, number;
	struct sim_link *to; /* NULL: for the test to read */
	void (*fire)(void *arg, uint64_t number); /* an event, no packet */
	void *arg;
	uint64_t fire_number;
	uint32_t len;
	uint16_t gso_size;
	uint8_t gso, flags;
	uint8_t data[];
};

struct sim_link {
	struct weir_link *link;
	struct sim_packet *out, **out_end; /* captured */
	struct sim_link *far;		   /* a wire leads there */
	uint64_t delay_us, busy_us;
	double loss, reorder;
	uint64_t reorder_us; /* how late those are; 0: a quarter of the delay */
	uint64_t rate;	     /* bytes a second, 0: no bound */
	uint64_t rest;	     /* of a microsecond, at that rate */
	uint64_t queue_us;   /* longest wait in the wire's queue, with a rate */
	uint64_t packets, bytes, lost;
	/* what left at once: now, when that was, and at most so far */
	uint64_t burst, burst_us, burst_most;
	bool refuse, full;
	int refusal; /* of streams, with `refuse` */
	/* Who holds an address of the far side; NULL: nobody. */
	uint64_t (*holder)(const struct weir_addr *client);
};

/* wire.c: what is under way. */
struct sim_wire {
	struct sim_packet **heap;
	size_t n, room;
	uint64_t number;
};

struct sim {
	uint64_t now_us;
	const struct weir_netstack_ops *ops;
	void *stack;
	struct weir_end *ends; /* newest first */
	struct sim_wire wire;
	uint64_t random;
	uint64_t timer_wakeups;
	bool real_clock; /* benches: time is the machine's */
};
extern struct sim sim;

struct sim_conf {
	int64_t max_connections, max_half_open;
	uint64_t memory, fragment_memory;
};

/* Of what is started next. */
enum { SIM_CUBIC, SIM_BBR };
extern int sim_congestion;

/* NULL: the presets. */
void sim_start(const struct sim_conf *conf);
void sim_stop(void); /* detaches, destroys; asserts that nothing is left */

struct weir_link_conf sim_link_conf(void); /* MTU 1500, 10.9.0.1, fd09::1 */
void sim_attach(struct sim_link *l, const struct weir_link_conf *conf);
void sim_connect(struct sim_link *a, struct sim_link *b, uint64_t delay_us);

/* Bytes from the link, an IP packet. */
void sim_input(struct sim_link *l, const void *data, uint32_t len);
void sim_input_train(struct sim_link *l, const void *data, uint32_t len,
		     uint8_t gso, uint16_t gso_size, uint8_t flags);
/* The oldest packet to the link, NULL: none. The caller frees it. */
struct sim_packet *sim_output(struct sim_link *l);
void sim_flush(struct sim_link *l); /* forget all captured ones */

/* Let time pass, with everything that is due in it. */
void sim_run(uint64_t us);

/* Have `fire` called then; it cannot be taken back. */
void sim_at(uint64_t at_us, void (*fire)(void *arg, uint64_t number), void *arg,
	    uint64_t number);

/* Does the link carry a packet, or lose it? When does it arrive? */
bool wire_carries(struct sim_link *from, uint32_t len, uint64_t *at_us);
void wire_put(struct sim_wire *w, struct sim_link *from, struct sim_packet *p);
void wire_add(struct sim_wire *w, struct sim_packet *p); /* at p->at_us */
struct sim_packet *wire_first(const struct sim_wire *w); /* NULL: empty */
struct sim_packet *wire_take(struct sim_wire *w);
void wire_free(struct sim_wire *w);

uint64_t sim_counter(const char *name);
double sim_random(void); /* [0, 1), the same in every run */

/* Close an end as the core would, and forget it. */
void sim_close(struct weir_end *end, int err);

#endif
