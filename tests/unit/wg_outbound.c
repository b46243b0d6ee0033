/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An outbound without its tunnel: what its parts look at is filled in. */
#include "tests/unit/wg_outbound.h"

#include <check.h>

void wg_outbound_begin(struct wg_outbound *w, const struct weir_component *c,
		       enum strategy strategy, const char *own,
		       const struct weir_list *servers)
{
	struct weir_error e;

	memset(w, 0, sizeof *w);
	w->host = fakehost_new();
	w->instance = fakehost_start(w->host, c, "wg", NULL, &e);
	ck_assert_ptr_nonnull(w->instance);
	fakehost_let_dial(w->host, true);
	for (size_t i = 0; own[i]; i++)
		w->own[i].base.kind =
			own[i] == '4' ? WEIR_ADDR_IP4 : WEIR_ADDR_IP6;
	w->settings.address = (struct weir_list){w->own, strlen(own)};
	w->conf.strategy = strategy;
	w->conf.dial_timeout_ms = 16000;
	w->outbound.conf = &w->conf;
	w->outbound.tunnel.conf.settings = &w->settings;
	w->outbound.host = fakehost_table(w->host);
	w->outbound.instance = w->instance;
	w->outbound.unresolved = &w->unresolved;
	w->outbound.failures = &w->failures;
	w->outbound.names = names_new(&w->outbound, servers);
	ck_assert_ptr_nonnull(w->outbound.names);
}

void wg_outbound_end(struct wg_outbound *w)
{
	names_free(w->outbound.names);
	fakehost_free(w->host);
}
