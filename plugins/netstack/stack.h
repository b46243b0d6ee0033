/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.h - an instance of the service and its links, as the rooms of this
 * plugin share them. No lwIP in here: see conn.h. */
#ifndef NETSTACK_STACK_H
#define NETSTACK_STACK_H

#include "gro.h"
#include "packet.h"
#include "sieve.h"
#include "table.h"
#include "timer.h"

#include <weir/netstack.h>

#define TTL 64 /* of what we send */
#define SECOND_US 1000000ull
#define BURST_WAITING_MOST 64

enum congestion_choice { CHOICE_CUBIC, CHOICE_BBR };

struct netstack_conf {
	int64_t max_connections, max_half_open;
	uint64_t memory, fragment_memory; /* bytes; memory 0: a part of RAM */
	int congestion;			  /* enum congestion_choice */
};

/* Statistics, in the order of their names in stack.c. */
enum count {
	COUNT_DROP, /* + enum drop; DROP_NONE unused */
	COUNT_CONNECTIONS = COUNT_DROP + DROP_REASONS,
	COUNT_CONNECTIONS_TOTAL,
	COUNT_HALF_OPEN,
	COUNT_FLOWS,
	COUNT_FLOWS_TOTAL,
	COUNT_FLOWS_EVICTED,
	COUNT_SYN_DROPPED,
	COUNT_SYN_PUT_OFF,
	COUNT_HALF_OPEN_EVICTED,
	COUNT_NO_CONNECTION,
	COUNT_MEMORY_DROPPED,
	COUNT_FRAGMENTS_DROPPED,
	COUNT_OUTPUT_DROPPED,
	COUNT_FLOW_REFUSED,
	COUNT_RETRANSMITS,
	COUNT_HELD_BYTES,
	COUNT_MEMORY,
	COUNT_MEMORY_PEAK,
	COUNT_RENEGED,
	COUNT_CHALLENGES,
	COUNT_CHALLENGES_SPARED,
	COUNT_PMTU_LOWERED,
	COUNT_PMTU_IGNORED,
	COUNT_BLACK_HOLES,
	COUNT_BLACK_HOLES_UNDONE,
	COUNTS,
};

struct slab;
struct block;
struct conn;
struct held_syn;

struct netstack {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct netstack_conf *conf;
	uint64_t *count[COUNTS];
	struct siphash_key key;
	uint64_t batch_us; /* the time, while a batch is worked on; 0: ask */
	struct wheel wheel;
	struct sieve sieve; /* of SYNs, in a flood */
	struct weir_link *links;
	uint16_t next_link_id;

	/* memory.c: the budget; what may be held in all, and by queues that are
	 * not nearly empty; what is */
	uint64_t memory, memory_most, memory_common, memory_used;

	/* buffer.c: what is lent, kept for reuse, and held by receive queues */
	struct slab *free_slabs;
	uint32_t slabs, slabs_max, slabs_free, slabs_idle;
	uint64_t held_bytes;

	/* send.c: big blocks kept for reuse */
	struct block *free_blocks;
	uint32_t blocks_free, blocks_idle;
	struct wheel_timer trim_timer; /* trim.c */

	/* burst.c: who has something to send at its end; NULL: gone */
	struct conn *burst[BURST_WAITING_MOST];
	uint8_t burst_waiting;
	bool burst_ends;

	/* demux.c: of the segment in hand. lwIP sees of one that is ahead of
	 * others its header only: this is its length. */
	uint32_t ahead;
	uint8_t ecn_marks; /* what it and its IP header say of congestion */

	/* accept.c */
	struct held_syn *oldest_syn, *newest_syn;

	/* segment.c: challenges left of the second that began then */
	uint64_t challenge_us;
	uint32_t challenges;

	/* frag.c */
	struct table fragments;
	struct reassembly *oldest, *newest;
	struct wheel_timer fragment_timer;
	uint64_t fragment_bytes;
};

#define DELIVER_BATCH 64

struct flow;

/* Datagrams of one flow out of one batch, on their way to the core. */
struct flow_batch {
	struct flow *flow;
	int n;
	struct weir_datagram v[DELIVER_BATCH];
	struct weir_addr peers[DELIVER_BATCH];
	struct weir_buffer *buffers[DELIVER_BATCH];
};

struct netif; /* lwIP's */
struct tcp_pcb_listen;

struct weir_link {
	struct netstack *stack;
	struct weir_link *next;
	const struct weir_link_ops *ops;
	void *owner;
	uint32_t mtu, offloads, max_flows;
	uint16_t id;	    /* tells its fragments from those of other links */
	uint8_t congestion; /* enum congestion_choice */
	bool keepalive;
	struct weir_cidr *addresses;
	uint32_t address_count;

	struct netif *netif;
	struct tcp_pcb_listen *listener;
	struct table conns; /* struct conn: whole tuple */
	uint16_t gso_size;  /* of the segment tcp_out.c is sending */
	bool add_ece;	    /* to what lwIP is sending */

	struct table flows; /* struct flow: the client's endpoint */
	struct flow *newest_flow, *oldest_flow;
	uint32_t outward_flows; /* of them */
	struct narrow *narrow;	/* narrow.c; NULL: nothing was learnt */
	struct flow_batch batch;
	struct gro gro;
	uint16_t ip4_id;
	uint32_t ip6_id;

	/* A bucket of replies that nobody asked for: RST and ICMP errors. */
	uint64_t reply_us;
};

static inline void stack_add(struct netstack *s, unsigned which, uint64_t n)
{
	*s->count[which] += n;
}

static inline void stack_set(struct netstack *s, unsigned which, uint64_t n)
{
	*s->count[which] = n;
}

/* The clock is read once a batch: that costs as much as an ACK does. */
static inline uint64_t stack_now_us(const struct netstack *s)
{
	return s->batch_us ? s->batch_us : s->host->now_us();
}

/* tcp_timer.c: the timers of connections. */
void tcp_timer_init(struct netstack *s);

/* trim.c: something was kept for reuse; give it back if it is not. The _idle
 * counts are the least that lay unused since the last time. */
void trim_later(struct netstack *s);
void trim_init(struct netstack *s);
void trim_all(struct netstack *s);

/* stack.c: life of an instance and of a link. */
struct netstack *stack_new(struct weir_instance *, const struct weir_host *,
			   const struct netstack_conf *, struct weir_error *);
void stack_free(struct netstack *s);
struct weir_link *link_attach(void *self, const struct weir_link_conf *conf,
			      const struct weir_link_ops *ops, void *owner,
			      struct weir_error *e);
void link_detach(struct weir_link *link);

/* Is it one of the link's own addresses? NULL if not. */
const struct weir_cidr *link_own_address(const struct weir_link *link,
					 const struct weir_addr *a);
/* The link's own address of that family, or NULL. */
const struct weir_cidr *link_address(const struct weir_link *link, bool v6);

/* Packets to the link; what it does not take is counted. */
void link_output(struct weir_link *link, const struct weir_egress *v, int n);

/* May an unasked reply be sent? At most 1,000 a second. */
bool link_may_reply(struct weir_link *link);

#endif
