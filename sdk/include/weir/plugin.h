/* SPDX-License-Identifier: MIT */
/* weir/plugin.h - what a plugin is: one shared object with one exported
 * symbol, an identity that can be read without loading it, and components.
 *
 * The life of an instance: its options are decoded; create() (no side effects
 * that another could see); start(); it works; stop(), which ends - at once or
 * later - with host->stopped(); destroy(). A failed create() returns NULL
 * with the error filled in. Services start first, then outbounds, then
 * inbounds; they stop in the reverse order. */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <weir/host.h>
#include <weir/option.h>

enum weir_kind { WEIR_INBOUND, WEIR_OUTBOUND, WEIR_SNIFFER, WEIR_SERVICE };

struct weir_outbound_ops {
	uint32_t size;

	/* Carry the session of `end` on to `target`. Answer, now or later, with
	 * host->stream_ready (TCP), flow_ready (UDP, ICMP) or fail. Returns
	 * what abandon() will be handed if the core gives up before the answer
	 * (unused where the answer was given inside open). A flow's target is
	 * the peer of its first datagram. */
	void *(*open)(void *self, struct weir_end *end,
		      const struct weir_addr *target, enum weir_net net);

	/* The core no longer wants an open that was not yet answered; the end's
	 * handle is gone. */
	void (*abandon)(void *self, void *pending);

	uint32_t nets; /* which networks open() takes: WEIR_NET_* bits */
	bool via;      /* honours `via`: dials with tag NULL where it is set */

	/* 1.4, optional: bytes of the largest IP packet, headers and all, in
	 * which a datagram of a flow through this outbound goes uncut; 0: not
	 * known. Asked from create on, also before start. */
	uint32_t (*mtu)(void *self);
};

enum weir_verdict { WEIR_NO, WEIR_MORE, WEIR_YES };

/* What a sniffer saw. `host` has no port and is lower case; empty: none. */
struct weir_sniffed {
	uint32_t size;
	const char *protocol; /* static */
	char host[256];
};

/* Pure and stateless: bytes in, verdict out. */
struct weir_sniffer_ops {
	uint32_t size;
	uint32_t nets;	    /* WEIR_NET_* bits */
	uint32_t max_bytes; /* more are never needed */

	/* TCP: the stream's first bytes, in views. UDP: one view a datagram. */
	enum weir_verdict (*look)(const struct iovec *view, int n,
				  struct weir_sniffed *found);
};

/* A file in a format of somebody else's, to be turned into options: what an
 * import is told, and how it answers. All is borrowed for the call. */
struct weir_import {
	uint32_t size;
	bool named;	  /* the user named the kind: no guessing which it is */
	const char *file; /* stands for the text in messages */
	const char *text; /* of `len` bytes and a NUL */
	size_t len;
	const char *exposed; /* why no secret may stand in it; NULL: may */

	/* The options as YAML, in one or more calls: "key: value\n", from
	 * column 0; the core indents them and writes tag and type. A '#' line
	 * is a comment. */
	void (*print)(void *arg, const char *fmt, ...) WEIR_PRINTF(2, 3);
	/* A finished line for the user: "FILE:LINE: KEY: VALUE: RULE". */
	void (*tell)(void *arg, bool is_error, const char *line);
	void *arg;
};

/* A service's ops are its own table, of which it documents the header. */
struct weir_component {
	uint32_t size;
	enum weir_kind kind;
	const char *type;    /* the `type:` in YAML */
	const char *summary; /* one line */
	const struct weir_schema *schema;
	const void *ops; /* by kind; NULL for an inbound */

	/* Sniffers need none of these. */
	void *(*create)(struct weir_instance *, const struct weir_host *,
			const void *conf, struct weir_error *);
	bool (*start)(void *self, struct weir_error *);
	/* Optional: take a new conf without losing sessions; false keeps the
	 * old one in force. */
	bool (*reconfigure)(void *self, const void *conf, struct weir_error *);
	void (*stop)(void *self);
	void (*destroy)(void *self);

	/* Since 1.1, optional: `weir import`. NO: the text is of another
	 * format, or another component's affair; YES: it was printed, or
	 * errors were told. Pure: nothing is opened or kept. */
	enum weir_verdict (*import)(const struct weir_import *);

	/* Since 1.3, optional: the user asked for counters (SIGUSR1), which
	 * stand in the log already. What they cannot say, by host->log, in a
	 * bounded number of lines. Only between start and stop. */
	void (*report)(void *self);
};

struct weir_plugin {
	uint32_t size;
	uint16_t major, minor; /* of the headers it was built with */
	const char *name, *version, *licence, *needs;
	const struct weir_component *const *components; /* NULL-terminated */
};

/* The identity note: section .note.weir, owner "weir", read by the core and
 * by packagers' tools before any code of the plugin runs. */
#define WEIR_NOTE_OWNER "weir"
#define WEIR_NOTE_IDENTITY 1u

struct weir_identity {
	uint16_t major, minor;
	char name[48], version[24], licence[28];
	char needs[64]; /* "netstack/1 other/2": services, space separated */
};

struct weir_note {
	uint32_t owner_size, identity_size, type;
	char owner[8];
	struct weir_identity identity;
};

#define WEIR_ENTRY weir_plugin_1

/* WEIR_PLUGIN("outbound-x", "1.0", "MIT", "", &component, ...): once, in one
 * file of the plugin. The components are file-scope objects. */
#define WEIR_PLUGIN(name_, version_, licence_, needs_, ...)                    \
	extern __attribute__((visibility("default")))                          \
	const struct weir_plugin WEIR_ENTRY;                                   \
	__attribute__((                                                        \
		used, section(".note.weir"),                                   \
		aligned(4))) static const struct weir_note weir_note_ = {      \
		sizeof(WEIR_NOTE_OWNER),                                       \
		sizeof(struct weir_identity),                                  \
		WEIR_NOTE_IDENTITY,                                            \
		WEIR_NOTE_OWNER,                                               \
		{WEIR_MAJOR, WEIR_MINOR, name_, version_, licence_, needs_}};  \
	static const struct weir_component *const weir_components_[] = {       \
		__VA_ARGS__, NULL};                                            \
	const struct weir_plugin WEIR_ENTRY = {sizeof(struct weir_plugin),     \
					       WEIR_MAJOR,                     \
					       WEIR_MINOR,                     \
					       name_,                          \
					       version_,                       \
					       licence_,                       \
					       needs_,                         \
					       weir_components_}

#endif
