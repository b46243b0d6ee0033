/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel.h - a WireGuard device at work: the engine between a wire, which
 * carries datagrams, and a link of the netstack, which carries packets.
 *
 * The inbound and the outbound each embed one. It lives from tunnel_init to
 * tunnel_fini; up, it has a wire; started, it has a link. */
#ifndef WIREGUARD_TUNNEL_H
#define WIREGUARD_TUNNEL_H

#include "settings.h"
#include "udp.h"

/* What carries datagrams, where that is not the tunnel's own sockets. */
struct tunnel_wire {
	int (*open)(void *self); /* 0 or an errno */
	void (*close)(void *self);
	/* As wg_ops.send, but all or nothing. */
	bool (*send)(void *self, const struct wg_endpoint *to, uint8_t *data,
		     uint32_t len, uint16_t segment, uint8_t tos);
};

struct tunnel_conf {
	struct weir_instance *instance;
	const struct weir_host *host;
	struct wg_settings *settings; /* the tunnel's from now on */
	uint32_t mtu_bytes;
	bool keepalive;			/* TCP keepalive of accepted streams */
	uint32_t congestion;		/* enum weir_congestion */
	unsigned workers;		/* threads that seal and open */
	struct weir_addr listen;	/* NONE: every address */
	const char *interface;		/* the name that wg knows; or NULL */
	const struct tunnel_wire *wire; /* NULL: sockets */
	void *wire_self;
	/* What the packets inside belong to; NULL: the service netstack. */
	const struct weir_netstack_ops *stack;
	void *stack_self;
	/* Sessions out of the tunnel; as weir_link_ops has them. */
	struct weir_end *(*accept_stream)(void *owner,
					  struct weir_session_info *,
					  const struct weir_stream_ops *,
					  void *s);
	struct weir_end *(*accept_flow)(void *owner, struct weir_session_info *,
					const struct weir_flow_ops *, void *f);
	/* Optional: whether a packet out of the tunnel may go on. */
	bool (*admit)(void *owner, const uint8_t *packet, uint32_t len);
	void *owner;
};

struct endpoints;
struct network;
struct sleep_watch;
struct uapi_socket;

struct tunnel {
	struct tunnel_conf conf;
	struct wg_device *device;
	struct wg_udp *udp; /* NULL: conf.wire */
	uint16_t port;	    /* wanted; 0: any */
	uint32_t mark;
	bool up;

	const struct weir_netstack_ops *stack;
	void *stack_self;
	struct weir_link *link;
	uint8_t *lent;	  /* room that the stack waits for a put of; or NULL */
	bool to_stranger; /* what is being sent is for no peer of ours */
	bool behind;	  /* the link waits to hear of room */

	struct weir_timer *timer;
	struct weir_timer *trim; /* memory goes back when it fires */
	bool trimming;		 /* it was set */
	struct weir_task flush;
	int done_fd; /* an eventfd that workers write; -1 without them */
	struct weir_watch *done;
	struct endpoints *endpoints;
	struct network *network;
	struct sleep_watch *sleep; /* NULL: down, or not to be had */
	struct uapi_socket *uapi;
	uint64_t *drops[WG_DROPS];
	uint64_t *handshakes, *silences, *sources_full;
};

/* Makes the device and gives it keys and peers; nothing is seen outside. What
 * failed is undone. */
bool tunnel_init(struct tunnel *, const struct tunnel_conf *,
		 struct weir_error *);
void tunnel_fini(struct tunnel *);

/* Attach the link and listen for wg. */
bool tunnel_start(struct tunnel *, struct weir_error *);
void tunnel_stop(struct tunnel *);

/* Open the wire and let the engine speak; no more than a check where it does
 * already. 0 or an errno. */
int tunnel_up(struct tunnel *);
/* What such an errno is told as. */
const char *tunnel_up_error(const struct tunnel *, int err);

/* For the wire: what came in, and that there is room again. */
void tunnel_receive(struct tunnel *, const struct wg_datagrams *v, int n);
void tunnel_writable(struct tunnel *);

/* For the network watch: routes or addresses have changed, or sending failed
 * for a reason that a new socket may mend. */
void tunnel_refresh(struct tunnel *, bool rebind);
/* Is a peer reached by a link-local address of this interface? */
bool tunnel_uses_link(const struct tunnel *, uint32_t interface);

/* report.c: a line in the log for each peer that had drops or traffic. */
void tunnel_report(const struct tunnel *);

#define PEER_LABEL_BYTES 64 /* of a name, or a public key and a NUL */
/* What a log line calls a peer. Returns `text`. */
const char *tunnel_peer_label(const struct wg_peer *,
			      char text[PEER_LABEL_BYTES]);

#endif
