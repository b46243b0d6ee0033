/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holder.c - sessions end where their client's address passes to another.
 *
 * The link's owner gives each holder a number, which a session keeps. What the
 * core has closed is looked at as well: bytes that a connection has yet to
 * send, or to send again, would go to the next holder, and TIME-WAIT or a
 * refusal in silence would stand in its way. Nor is anything said to the link:
 * the new holder would hear it, not the former one. */
#include "holder.h"

#include "conn.h"
#include "flow.h"

#include <errno.h>

uint64_t holder_of(const struct weir_link *link, const struct weir_addr *client)
{
	if (!WEIR_HAS(link->ops, holder) || !link->ops->holder)
		return 0;
	return link->ops->holder(link->owner, client);
}

/* Has the address that `key` came from passed on from `was`? */
static bool passed_on(const struct weir_link *link, uint64_t was,
		      const struct tuple *key)
{
	struct weir_addr client = {
		.kind = key->v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
		.port = key->remote_port,
	};

	if (!was)
		return false;
	memcpy(client.ip, key->remote, key->v6 ? 16 : 4);
	return holder_of(link, &client) != was;
}

static void recheck_conn(void *link, struct node *n)
{
	struct conn *c = (struct conn *)(void *)n;

	if (passed_on(link, c->holder, &n->key))
		conn_drop(c, EADDRNOTAVAIL, false);
}

static void recheck_flow(void *link, struct node *n)
{
	struct flow *f = (struct flow *)(void *)n;

	if (passed_on(link, f->holder, &n->key))
		flow_evict(f, EADDRNOTAVAIL, ADDRESS_PASSED_ON);
}

void holder_recheck(struct weir_link *link)
{
	table_each(&link->conns, recheck_conn, link);
	table_each(&link->flows, recheck_flow, link);
}
