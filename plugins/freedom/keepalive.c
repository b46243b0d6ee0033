/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keepalive.c - probes for connections that last.
 *
 * Probes cost three system calls and a timer of the kernel's, and most
 * connections are over long before the first is due. So a new one waits in a
 * table, and gets its probes if it is still there when LASTS_US are over, or at
 * once where the table is full. */
#include <netinet/tcp.h>

#include "freedom.h"

#define LASTS_US (1000 * 1000)
#define MS_PER_S 1000

static void probes_set(const struct stream *s)
{
	uint64_t period_ms = s->freedom->conf->keepalive_ms;
	int on = 1, period_s = (int)((period_ms + MS_PER_S - 1) / MS_PER_S);

	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, &period_s,
		   sizeof period_s);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPINTVL, &period_s,
		   sizeof period_s);
}

static void lasts_fire(void *arg)
{
	struct freedom *f = arg;

	while (f->young_count) {
		struct stream *s = f->young[f->young_count - 1];

		keepalive_leave(s);
		probes_set(s);
	}
}

bool keepalive_init(struct freedom *f)
{
	f->lasts = f->host->timer_new(f->instance, lasts_fire, f);
	return f->lasts;
}

void keepalive_fini(struct freedom *f)
{
	if (f->lasts)
		f->host->timer_free(f->lasts);
	f->lasts = NULL;
}

void keepalive_join(struct stream *s)
{
	struct freedom *f = s->freedom;

	if (!f->conf->keepalive_ms)
		return;
	if (f->young_count == YOUNG_MOST) {
		probes_set(s);
		return;
	}
	if (!f->young_count)
		f->host->timer_set(f->lasts, LASTS_US);
	f->young[f->young_count++] = s;
	s->young = f->young_count;
}

void keepalive_leave(struct stream *s)
{
	struct freedom *f = s->freedom;
	struct stream *last;

	if (!s->young)
		return;
	last = f->young[--f->young_count];
	f->young[s->young - 1] = last;
	last->young = s->young;
	s->young = 0;
}
