/* SPDX-License-Identifier: MIT */
/* Theory of operation.
 *
 * Time is a number. Advancing it fires the timers that fall due, the earliest
 * first, each at its own moment, and runs a turn after each. Watches are fired
 * by the test, or by poll() where the plugin has real sockets. */
#include "private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define POLL_FDS 256
#define POLLIN_ON (POLLIN | POLLRDHUP | POLLPRI)

/* ---- log ---- */

void fakehost_log_line(struct weir_instance *i, enum weir_level level,
		       const char *fmt, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	struct fakehost *f = i->fake;
	char line[512];
	va_list args;
	size_t n;

	n = (size_t)snprintf(line, sizeof line, "%s %s: ", names[level & 3],
			     i->tag);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof line - n - 1, fmt, args);
	va_end(args);
	n = strlen(line);
	line[n++] = '\n';
	f->log = realloc(f->log, f->log_len + n + 1);
	if (!f->log)
		abort();
	memcpy(f->log + f->log_len, line, n);
	f->log_len += n;
	f->log[f->log_len] = '\0';
}

bool fakehost_log_on(struct weir_instance *i, enum weir_level level)
{
	(void)i, (void)level;
	return true;
}

/* ---- timers ---- */

uint64_t fakehost_now_us(void)
{
	if (!fakehost_current)
		fakehost_broken("the host is used while it lives");
	return fakehost_current->now_us;
}

struct weir_timer *fakehost_timer_new(struct weir_instance *i,
				      void (*fire)(void *), void *arg)
{
	struct weir_timer *t = fakehost_alloc(sizeof *t);

	t->instance = i;
	t->fire = fire;
	t->arg = arg;
	t->next = i->fake->timers;
	i->fake->timers = t;
	return t;
}

static struct weir_timer **timer_place(struct weir_timer *t)
{
	struct weir_timer **at = &fakehost_current->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (!*at)
		fakehost_broken("a freed timer is not used again");
	return at;
}

void fakehost_timer_set(struct weir_timer *t, uint64_t after_us)
{
	uint64_t now_us = fakehost_current->now_us;
	uint64_t most_us = UINT64_MAX - now_us;

	(*timer_place(t))->set = true;
	t->due_us = now_us + (after_us < most_us ? after_us : most_us);
}

void fakehost_timer_stop(struct weir_timer *t)
{
	(*timer_place(t))->set = false;
}

void fakehost_timer_free(struct weir_timer *t)
{
	if (!t)
		return;
	*timer_place(t) = t->next;
	free(t);
}

static struct weir_timer *earliest(const struct fakehost *f)
{
	struct weir_timer *first = NULL;

	for (struct weir_timer *t = f->timers; t; t = t->next) {
		if (t->set && !t->instance->stopped &&
		    (!first || t->due_us < first->due_us))
			first = t;
	}
	return first;
}

uint64_t fakehost_next_timer(struct fakehost *f)
{
	const struct weir_timer *t = earliest(f);

	if (!t)
		return UINT64_MAX;
	return t->due_us > f->now_us ? t->due_us - f->now_us : 0;
}

void fakehost_advance(struct fakehost *f, uint64_t us)
{
	uint64_t until = f->now_us + us;
	struct weir_timer *t;

	fakehost_turn(f);
	while ((t = earliest(f)) && t->due_us <= until) {
		if (t->due_us > f->now_us)
			f->now_us = t->due_us;
		t->set = false;
		t->fire(t->arg);
		fakehost_turn(f);
	}
	f->now_us = until;
}

/* ---- watches ---- */

struct weir_watch *fakehost_watch_new(struct weir_instance *i, int fd,
				      unsigned events,
				      void (*ready)(void *, unsigned),
				      void *arg)
{
	struct weir_watch *w;

	if (fd < 0) {
		errno = EBADF;
		return NULL;
	}
	for (w = i->fake->watches; w; w = w->next)
		if (w->fd == fd && !w->dead) {
			errno = EEXIST;
			return NULL;
		}
	w = fakehost_alloc(sizeof *w);
	w->instance = i;
	w->fd = fd;
	w->events = events;
	w->ready = ready;
	w->arg = arg;
	w->next = i->fake->watches;
	i->fake->watches = w;
	return w;
}

void fakehost_watch_free(struct weir_watch *w)
{
	struct weir_watch *at = fakehost_current->watches;

	if (!w)
		return;
	while (at && at != w)
		at = at->next;
	if (!at || at->dead)
		fakehost_broken("a freed watch is not used again");
	w->dead = true; /* someone may be walking the list */
}

static void watches_collect(struct fakehost *f)
{
	struct weir_watch **at = &f->watches;

	while (*at) {
		struct weir_watch *w = *at;

		if (!w->dead) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

static int watches_tell(struct fakehost *f, int fd, unsigned events)
{
	int heard = 0;

	for (struct weir_watch *w = f->watches; w; w = w->next) {
		unsigned news = w->events & events;

		if (w->dead || w->instance->stopped || w->fd != fd || !news)
			continue;
		if (!(w->events & WEIR_LEVEL_TRIGGERED))
			news |= events & WEIR_READ_ON;
		w->ready(w->arg, news);
		heard++;
	}
	return heard;
}

int fakehost_fire(struct fakehost *f, int fd, unsigned events)
{
	int heard = watches_tell(f, fd, events);

	watches_collect(f);
	fakehost_turn(f);
	return heard;
}

int fakehost_poll(struct fakehost *f, int timeout_ms)
{
	struct pollfd fds[POLL_FDS];
	nfds_t n = 0;
	int heard = 0;

	watches_collect(f);
	for (struct weir_watch *w = f->watches; w && n < POLL_FDS;
	     w = w->next) {
		if (w->instance->stopped)
			continue;
		fds[n].fd = w->fd;
		fds[n].events =
			(short)((w->events & WEIR_READABLE ? POLLIN_ON : 0) |
				(w->events & WEIR_WRITABLE ? POLLOUT : 0));
		fds[n++].revents = 0;
	}
	if (poll(fds, n, timeout_ms) <= 0)
		n = 0;
	for (nfds_t i = 0; i < n; i++) {
		short got = fds[i].revents;
		unsigned events = 0;

		if (got & (POLLIN_ON | POLLHUP | POLLERR))
			events |= WEIR_READABLE;
		if (got & (POLLOUT | POLLHUP | POLLERR))
			events |= WEIR_WRITABLE;
		if (got & (POLLRDHUP | POLLPRI | POLLHUP | POLLERR))
			events |= WEIR_READ_ON;
		if (events)
			heard += watches_tell(f, fds[i].fd, events);
	}
	watches_collect(f);
	fakehost_turn(f);
	return heard;
}

/* ---- later ---- */

void fakehost_defer(struct weir_instance *i, struct weir_task *task)
{
	struct fakehost *f = i->fake;

	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	*f->tasks_end = task;
	f->tasks_end = &task->next;
}

void fakehost_post(struct weir_instance *i, void (*fn)(void *), void *arg)
{
	struct posted *p = fakehost_alloc(sizeof *p);

	p->instance = i;
	p->fn = fn;
	p->arg = arg;
	p->next = atomic_load(&i->fake->posts);
	while (!atomic_compare_exchange_weak(&i->fake->posts, &p->next, p))
		;
}

/* ---- names ---- */

void fakehost_name(struct fakehost *f, const char *name, int err,
		   const struct weir_addr *addrs, int n)
{
	struct script *s = fakehost_alloc(sizeof *s);

	snprintf(s->name, sizeof s->name, "%s", name);
	s->err = err;
	for (int i = 0; i < n && i < 8; i++)
		s->addrs[s->count++] = addrs[i];
	s->next = f->scripts; /* the newest script of a name holds */
	f->scripts = s;
}

struct weir_query *
fakehost_resolve(struct weir_instance *i, const char *name, unsigned families,
		 void (*done)(void *, int, const struct weir_addr *, int),
		 void *arg)
{
	struct weir_query *q = fakehost_alloc(sizeof *q);

	q->instance = i;
	snprintf(q->name, sizeof q->name, "%s", name);
	q->families = families;
	q->done = done;
	q->arg = arg;
	q->next = i->fake->queries;
	i->fake->queries = q;
	return q;
}

void fakehost_resolve_cancel(struct weir_query *q)
{
	struct weir_query **at = &fakehost_current->queries;

	while (*at && *at != q)
		at = &(*at)->next;
	if (!*at)
		fakehost_broken("an answered query is not cancelled");
	*at = q->next;
	free(q);
}

static void query_answer(struct fakehost *f, const struct weir_query *q)
{
	const struct script *s = f->scripts;
	struct weir_addr found[8];
	int n = 0;

	while (s && strcmp(s->name, q->name) != 0)
		s = s->next;
	for (int i = 0; s && i < s->count; i++) {
		bool v6 = s->addrs[i].kind == WEIR_ADDR_IP6;

		if (q->families & (v6 ? 2u : 1u))
			found[n++] = s->addrs[i];
	}
	if (s && s->err)
		q->done(q->arg, s->err, NULL, 0);
	else
		q->done(q->arg, n ? 0 : ENOENT, n ? found : NULL, n);
}

/* Of those whose asker still listens; NULL: there is none. */
static struct weir_query **oldest(struct fakehost *f)
{
	struct weir_query **found = NULL, **at;

	for (at = &f->queries; *at; at = &(*at)->next) {
		if (!(*at)->instance->stopped)
			found = at;
	}
	return found;
}

/* Those asked while answering wait for the next turn. */
void fakehost_answer_names(struct fakehost *f)
{
	struct weir_query *q, **at;
	size_t count = 0;

	for (q = f->queries; q; q = q->next)
		count += !q->instance->stopped;
	while (count-- && (at = oldest(f))) {
		q = *at;
		*at = q->next;
		query_answer(f, q);
		free(q);
	}
}

void fakehost_sweep(struct weir_instance *i)
{
	struct fakehost *f = i->fake;
	struct weir_timer **t = &f->timers;
	struct weir_query **q = &f->queries;

	while (*t) {
		struct weir_timer *dead = *t;

		if (dead->instance != i) {
			t = &dead->next;
			continue;
		}
		*t = dead->next;
		free(dead);
	}
	while (*q) {
		struct weir_query *dead = *q;

		if (dead->instance != i) {
			q = &dead->next;
			continue;
		}
		*q = dead->next;
		free(dead);
	}
	for (struct weir_watch *w = f->watches; w; w = w->next)
		w->dead = w->dead || w->instance == i;
	watches_collect(f);
}
