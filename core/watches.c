/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches.
 *
 * Theory of operation: one epoll set a loop, itself watched by libevent. Asked
 * through libevent an event would only say "readable"; the set also says
 * whether an end, an error or urgent data is behind it. Without that a reader
 * would have to read once more after each short read, since no further edge
 * comes for what was there already. And a watch is a quarter of libevent's:
 * there is one for each connection.
 *
 * A watch that is freed while news are told may be on the list still: it is
 * kept, dead, until the list is done with. */
#include "watches.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <weir/host.h>

#include "util.h"

#define TOLD_AT_ONCE 128 /* the rest is told next time */

bool watches_init(struct watches *s)
{
	*s = (struct watches){.fd = epoll_create1(EPOLL_CLOEXEC)};
	return s->fd >= 0;
}

void watches_fini(struct watches *s)
{
	assert(!s->freed);
	if (s->fd >= 0)
		close(s->fd);
}

/* An error or a hang-up is news for whoever waits for anything. */
static unsigned news_of(const struct loop_watch *w, uint32_t got)
{
	unsigned news = 0;

	if (got & ~(uint32_t)EPOLLOUT)
		news |= w->events & WEIR_READABLE;
	if (got & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		news |= w->events & WEIR_WRITABLE;
	if (news && got & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI))
		news |= WEIR_READ_ON;
	return news;
}

void watches_tell(struct watches *s)
{
	struct epoll_event got[TOLD_AT_ONCE];
	int n = epoll_wait(s->fd, got, TOLD_AT_ONCE, 0);

	s->telling = true;
	for (int i = 0; i < n; i++) {
		struct loop_watch *w = got[i].data.ptr;
		unsigned news = news_of(w, got[i].events);

		if (w->ready && news)
			w->ready(w->arg, news);
	}
	s->telling = false;
	while (s->freed) {
		struct loop_watch *w = s->freed;

		s->freed = w->next;
		free(w);
	}
}

struct loop_watch *watch_new(struct watches *s, struct loop_watch **first,
			     int fd, unsigned events,
			     void (*ready)(void *, unsigned), void *arg)
{
	struct loop_watch *w = xcalloc(1, sizeof *w);
	struct epoll_event e = {.data.ptr = w};

	e.events |= events & WEIR_READABLE ? EPOLLIN : 0;
	e.events |= events & WEIR_WRITABLE ? EPOLLOUT : 0;
	if (!(events & WEIR_LEVEL_TRIGGERED))
		e.events |= EPOLLET | EPOLLRDHUP | EPOLLPRI;
	*w = (struct loop_watch){.set = s,
				 .ready = ready,
				 .arg = arg,
				 .fd = fd,
				 .events = events};
	if (epoll_ctl(s->fd, EPOLL_CTL_ADD, fd, &e) < 0) {
		free(w);
		return NULL;
	}
	w->next = *first;
	w->link = first;
	if (w->next)
		w->next->link = &w->next;
	*first = w;
	return w;
}

/* Once: the fd may be another's by the second time. */
void watch_hush(struct loop_watch *w)
{
	if (w->ready)
		epoll_ctl(w->set->fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->ready = NULL;
}

void watch_free(struct loop_watch *w)
{
	struct watches *s = w->set;

	watch_hush(w);
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	if (!s->telling) {
		free(w);
		return;
	}
	w->next = s->freed;
	s->freed = w;
}
