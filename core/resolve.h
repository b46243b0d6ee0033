/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.h - names to addresses: asynchronous, cached, bounded.
 *
 * One resolver a core. Equal questions share one query on the wire. Answers,
 * also negative ones, are kept for their time to live within a bound of
 * entries; the least recently asked goes first. */
#ifndef WEIR_CORE_RESOLVE_H
#define WEIR_CORE_RESOLVE_H

#include "config.h"
#include "loop.h"
#include "turn.h"

#define RESOLVE_IP4 1u
#define RESOLVE_IP6 2u

struct resolver;
struct weir_query;

typedef void resolve_done(void *arg, int err, const struct weir_addr *, int n);

/* NULL with the error filled in. All but the error is borrowed. */
struct resolver *resolver_new(const struct config *, struct loop *,
			      struct turn *, struct weir_error *);

/* Linked into `owner` until answered or cancelled; never answers inside the
 * call. A question past the bound is answered with EAGAIN. */
struct weir_query *resolver_ask(struct resolver *, struct weir_query **owner,
				const char *name, unsigned families,
				resolve_done *done, void *arg);
void resolver_cancel(struct weir_query *);
/* All that `owner` lists stay, unanswered, until they are cancelled. */
void resolver_hush(struct weir_query *owner);
void resolver_free(struct resolver *); /* after every query is gone */

#endif
