/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick.h - a wg-quick file as a plain struct, for `config: FILE` and for
 * `weir import`. Nothing of it is ever executed.
 *
 * A struct quick owns all it points to, keys among it, and wipes that when it
 * is freed. */
#ifndef WIREGUARD_QUICK_H
#define WIREGUARD_QUICK_H

#include <weir/option.h>

#include "keytext.h"

#define QUICK_FILE_BYTES_MAX (8u << 20)
#define QUICK_PEERS_MAX 65536u
#define QUICK_PREFIXES_MAX 262144u /* allowed IPs of all peers */
#define QUICK_MTU_MIN 576u	   /* what a tunnel of weir can have, */
#define QUICK_MTU_MAX 65440u	   /* whoever configures it */
#define QUICK_REPORT_BYTES 600u	   /* one line of a report */

struct quick_peer {
	uint8_t public_key[KEY_BYTES];
	uint8_t preshared_key[KEY_BYTES]; /* zeros: none */
	struct weir_addr endpoint;	  /* WEIR_ADDR_NONE: none */
	uint32_t scope;			  /* an interface's index; 0: none */
	struct weir_list allowed_ips;	  /* struct weir_cidr, no host bits */
	uint16_t keepalive_s;		  /* 0: off */
	unsigned line;			  /* where its [Peer] stands */
};

/* A key that weir does not act upon. */
struct quick_ignored {
	const char *key; /* static: "PostUp" */
	unsigned line;
};

struct quick {
	uint8_t private_key[KEY_BYTES];
	uint16_t listen_port;	  /* 0: any */
	uint32_t fwmark;	  /* 0: none */
	uint32_t mtu_bytes;	  /* 0: not given */
	struct weir_list address; /* struct weir_cidr, with host bits */
	struct weir_list dns;	  /* struct weir_addr: servers */
	struct weir_list search;  /* const char *: domains of DNS = */
	struct weir_list peers;	  /* struct quick_peer */
	struct weir_list ignored; /* struct quick_ignored */
};

/* Where a report goes, a line a call: "FILE:LINE: KEY: VALUE: RULE". */
struct quick_report {
	void (*tell)(void *arg, bool is_error, const char *line);
	void *arg;
};

/* `file` stands for the text in the report. `strict` makes errors of commands
 * that are never executed. NULL where there was an error; every one was
 * told. */
struct quick *quick_parse(const char *file, const char *text, size_t len,
			  bool strict, const struct quick_report *);

/* The same of a file, which others may not be able to read. */
struct quick *quick_load(const char *file, bool strict,
			 const struct quick_report *);

/* Whether this could be a wg-quick file at all. */
bool quick_looks_like(const char *text, size_t len);

void quick_free(struct quick *); /* NULL is fine */

#endif
