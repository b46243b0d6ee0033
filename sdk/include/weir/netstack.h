/* SPDX-License-Identifier: MIT */
/* weir/netstack.h - the service "netstack/1": IP packets on one side,
 * streams and flows on the other.
 *
 * A link is where packets come from and go to: a TUN device, a tunnel. Its
 * owner attaches it, feeds it batches and gets sessions (any destination
 * address is taken: the stack is promiscuous) or opens sessions outward. IPv4
 * and IPv6 alike. Streams hold their handshake: the SYN is answered when the
 * core calls accept.
 *
 * Loop thread only. */
#ifndef WEIR_NETSTACK_H
#define WEIR_NETSTACK_H

#include <weir/host.h>

struct weir_link; /* the service's; dies with detach */

/* Room for one received packet or train, lent by the service so that payload
 * reaches its reader without a copy. */
struct weir_buffer {
	uint8_t *data;	   /* room begins here */
	uint32_t capacity; /* bytes at data; at least 65,535 + 64 */
};

enum weir_gso { WEIR_GSO_NONE, WEIR_GSO_TCP4, WEIR_GSO_TCP6, WEIR_GSO_UDP };

/* The transport checksum is a pseudo-header sum to be completed: it is trusted,
 * not verified. */
#define WEIR_CSUM_PARTIAL 1u
#define WEIR_CSUM_VALID 2u /* verified by who handed the packet over */

/* A packet from the link: the IP header at buffer->data + offset. */
struct weir_ingress {
	struct weir_buffer *buffer; /* given away with the call */
	uint32_t offset, len;
	uint16_t gso_size; /* payload bytes a segment; 0: one packet */
	uint8_t gso;	   /* enum weir_gso */
	uint8_t flags;	   /* WEIR_CSUM_* */
};

/* A packet to the link, borrowed for the call: an IP packet in views. With
 * WEIR_CSUM_PARTIAL the checksum at csum_start + csum_offset covers only the
 * pseudo header; with gso_size it is a train to be cut by the link. */
struct weir_egress {
	const struct iovec *view;
	uint16_t views;
	uint16_t gso_size;
	uint8_t gso, flags;
	uint16_t header_len; /* IP and transport headers, bytes */
	uint16_t csum_start, csum_offset;
};

#define WEIR_LINK_CSUM 1u /* takes WEIR_CSUM_PARTIAL packets */
#define WEIR_LINK_TSO 2u  /* takes TCP trains */
#define WEIR_LINK_USO 4u  /* takes UDP trains */

/* How TCP finds the rate of a path. */
enum weir_congestion {
	WEIR_CONGESTION_DEFAULT, /* as the service is configured */
	WEIR_CONGESTION_CUBIC,
	WEIR_CONGESTION_BBR,
};

struct weir_link_conf {
	uint32_t size;
	uint32_t mtu_bytes;
	uint32_t offloads; /* WEIR_LINK_* */
	/* The addresses of the link's own end: sources of ICMP errors and of
	 * connections opened outward. */
	const struct weir_cidr *addresses;
	uint32_t address_count;
	bool keepalive;	    /* TCP keepalive on every stream */
	uint32_t max_flows; /* bound of UDP and echo flows; 0: 65,536 */

	/* 1.1. What comes first here was padding that 1.0 left undefined. */
	uint32_t unused;
	uint32_t congestion; /* enum weir_congestion */
};

struct weir_link_ops {
	uint32_t size;

	/* Packets to the link; returns how many were taken. Fewer than n means
	 * full: the rest is dropped and counted. */
	int (*output)(void *link, const struct weir_egress *v, int n);

	/* A new stream or flow from the link. The owner adds what it knows to
	 * `info` (user, level) and hands everything to host->accept_stream or
	 * accept_flow of its own instance. NULL refuses it, which the client
	 * of a stream is told where `info` has a refusal (1.7). */
	struct weir_end *(*accept_stream)(void *link,
					  struct weir_session_info *info,
					  const struct weir_stream_ops *ops,
					  void *s);
	struct weir_end *(*accept_flow)(void *link,
					struct weir_session_info *info,
					const struct weir_flow_ops *ops,
					void *f);

	/* 1.4, optional: who holds this address behind the link, as a number
	 * that stands for no other holder; 0: nobody. Asked for the client's
	 * address when a stream or flow from the link begins, and in recheck.
	 * May call nothing of the stack. */
	uint64_t (*holder)(void *link, const struct weir_addr *client);
};

struct weir_netstack_ops {
	uint32_t size;

	/* NULL with the error filled in. `conf` is copied; ops stay the
	 * caller's and must live as long as the link. */
	struct weir_link *(*attach)(void *self, const struct weir_link_conf *,
				    const struct weir_link_ops *, void *link,
				    struct weir_error *);

	/* Resets its streams, closes its flows (host->fail on each end) and
	 * calls the ops no more. Buffers still held elsewhere stay valid. */
	void (*detach)(struct weir_link *);

	/* A buffer to fill; NULL when memory is out or the pool's bound is
	 * reached: leave packets where they are and try again later. */
	struct weir_buffer *(*buffer_get)(void *self);
	void (*buffer_put)(void *self, struct weir_buffer *);

	/* A batch from the link. Takes every buffer, good packet or bad. */
	void (*input)(struct weir_link *, const struct weir_ingress *v, int n);

	/* Outward: answer `end` (from an outbound's open) with a stream or flow
	 * over this link to `target`, an IP address. What it returns goes to
	 * abandon if the core gives up. */
	void *(*open)(struct weir_link *, struct weir_end *end,
		      const struct weir_addr *target, enum weir_net);
	void (*abandon)(struct weir_link *, void *pending);

	/* The link takes packets again after a short output(). What it did not
	 * take was not queued: TCP treats it as lost, and sends it again at a
	 * rate that the link can take; datagrams are gone. */
	void (*writable)(struct weir_link *);

	/* 1.1: packets one by one, for links without trains: the stack makes
	 * trains of them where they lie. A burst is any number of room() and
	 * put() in turn and one flush(); nothing is looked at for longer.
	 *
	 * room: where to put the next packet of at most `bytes` (<= 65,535),
	 * the IP header first, with 64 bytes of slack behind. What lies there
	 * is the stack's. NULL when memory is out: flush, and leave packets
	 * where they are for a while. */
	uint8_t *(*room)(struct weir_link *, uint32_t bytes);

	/* Ends each room(): a packet of `len` bytes is there, or none (0), and
	 * then anything may have been written there. flags: WEIR_CSUM_*. */
	void (*put)(struct weir_link *, uint32_t len, unsigned flags);

	/* The burst is over. */
	void (*flush)(struct weir_link *);

	/* 1.4: addresses behind the link may have changed hands. Each stream
	 * and flow whose client's address had another holder when it began than
	 * it has now (link_ops.holder) ends by host->fail, and nothing more is
	 * sent for it. Those that began without a holder, and those that open()
	 * made, go on. Not to be called within the link's ops, and rarely: all
	 * of the link's streams and flows are walked. */
	void (*recheck)(struct weir_link *);
};

#endif
