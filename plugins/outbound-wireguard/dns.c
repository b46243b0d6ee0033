/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dns.c - questions to name servers behind the tunnel.
 *
 * One flow carries them all: the outbound dials itself. A question goes to one
 * server after the other until one answers or the tries are used up; one that
 * has said no is left out. An answer must come from the server that was asked
 * last, bear the question's number and repeat its name; c-ares makes the
 * packets and takes them apart. One that was cut short is worth nothing: the
 * same server is asked again over TCP. One that may not know EDNS is asked
 * again without it, and if that was it, not with it any more. */
#include <ares.h>
#include <ares_nameser.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/random.h>

#include "bytes.h"
#include "outbound.h"

#define TRY_US 2000000ull
#define STREAM_TRY_US 4000000ull /* three trips, and a lost SYN */
#define TRIES 3u		 /* times each server */
#define DNS_PORT 53
#define UDP_SIZE 1232 /* an answer that needs no fragments: DNS flag day */
#define ANSWERS_MAX 16
#define NO_SUCH_NAME_TTL_S 5
#define IS_ANSWER 0x80 /* of a message's third byte */
#define IS_TRUNCATED 0x02
#define RCODE_BITS 0x0f /* of the fourth */

struct dns_question {
	struct dns_question *next, **link;
	struct dns *dns;
	struct weir_timer *timer;
	uint16_t id;
	bool v6;
	bool plain;		     /* without EDNS */
	const struct weir_addr *old; /* who may not know that */
	unsigned tries;
	int err;			/* once the tries are used up */
	const struct weir_addr *server; /* asked last; NULL: none yet */
	struct dns_stream *stream;	/* to it; NULL: asked by datagram */
	unsigned char *packet;
	int packet_len;
	dns_done *done;
	void *arg;
	const char *name;
	bool refused[]; /* by each server; the name is behind them */
};

struct dns {
	struct outbound *outbound;
	struct weir_addr *servers;
	bool *plain; /* each: it does not know EDNS */
	size_t server_count;
	struct weir_dial *dial;
	const struct weir_flow_ops *flow; /* NULL: not ready */
	void *inner;
	struct dns_question *questions;
	uint64_t *asked, *answered, *truncated;
};

static void question_free(struct dns_question *q)
{
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	dns_stream_free(q->stream);
	if (q->timer)
		q->dns->outbound->host->timer_free(q->timer);
	if (q->packet)
		ares_free_string(q->packet);
	free(q);
}

static void question_end(struct dns_question *q, int err,
			 const struct weir_addr *addrs, int n, uint32_t ttl_s)
{
	dns_done *done = q->done;
	void *arg = q->arg;

	question_free(q);
	done(arg, err, addrs, n, ttl_s);
}

/* ---- answers */

/* Our name and type, as the question was written. */
static bool repeats_question(const struct dns_question *q,
			     const unsigned char *p, size_t len)
{
	size_t name_len = strlen(q->name) + 2, end = HFIXEDSZ + name_len + 4;

	if (len < end || (size_t)q->packet_len < end)
		return false;
	for (size_t i = HFIXEDSZ; i < end; i++)
		if ((p[i] | 0x20) != (q->packet[i] | 0x20))
			return false;
	return true;
}

static int take4(const unsigned char *p, int len, struct weir_addr *to,
		 uint32_t *ttl_s)
{
	struct ares_addrttl found[ANSWERS_MAX];
	int n = ANSWERS_MAX,
	    status = ares_parse_a_reply(p, len, NULL, found, &n);

	for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
		to[i] = (struct weir_addr){.kind = WEIR_ADDR_IP4};
		memcpy(to[i].ip, &found[i].ipaddr, 4);
		if ((uint32_t)found[i].ttl < *ttl_s)
			*ttl_s = (uint32_t)found[i].ttl;
	}
	return status == ARES_SUCCESS ? n : -status;
}

static int take6(const unsigned char *p, int len, struct weir_addr *to,
		 uint32_t *ttl_s)
{
	struct ares_addr6ttl found[ANSWERS_MAX];
	int n = ANSWERS_MAX,
	    status = ares_parse_aaaa_reply(p, len, NULL, found, &n);

	for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
		to[i] = (struct weir_addr){.kind = WEIR_ADDR_IP6};
		memcpy(to[i].ip, &found[i].ip6addr, 16);
		if ((uint32_t)found[i].ttl < *ttl_s)
			*ttl_s = (uint32_t)found[i].ttl;
	}
	return status == ARES_SUCCESS ? n : -status;
}

static bool question_write(struct dns_question *q)
{
	unsigned char *packet;
	int len;

	if (getrandom(&q->id, sizeof q->id, GRND_NONBLOCK) != sizeof q->id ||
	    ares_create_query(q->name, C_IN, q->v6 ? T_AAAA : T_A, q->id, 1,
			      &packet, &len,
			      q->plain ? 0 : UDP_SIZE) != ARES_SUCCESS)
		return false;
	if (q->packet)
		ares_free_string(q->packet);
	q->packet = packet;
	q->packet_len = len;
	return true;
}

/* RFC 6891, 7: a server that does not know EDNS is asked again without. */
static bool question_plainer(struct dns_question *q, int rcode)
{
	if (q->plain || (rcode != FORMERR && rcode != NOTIMP))
		return false;
	q->plain = true;
	q->old = q->server;
	if (!question_write(q))
		return false;
	q->tries--;
	return true;
}

/* This server is not asked again: it would say the same. And since it did
 * answer, whoever waits for the name hears EAGAIN, not a time-out. */
static void question_refused(struct dns_question *q)
{
	q->refused[q->server - q->dns->servers] = true;
	q->err = EAGAIN;
}

/* An answer to this question. False: a useless one, wait for a better. */
static bool question_take(struct dns_question *q, const unsigned char *p,
			  int len)
{
	struct weir_addr found[ANSWERS_MAX];
	uint32_t ttl_s = UINT32_MAX;
	int rcode = p[3] & RCODE_BITS, n = -ARES_EBADRESP;

	if (rcode == NOERROR || rcode == NXDOMAIN)
		n = q->v6 ? take6(p, len, found, &ttl_s)
			  : take4(p, len, found, &ttl_s);
	if (n == -ARES_EBADRESP) {
		if (!question_plainer(q, rcode))
			question_refused(q);
		return false;
	}
	++*q->dns->answered;
	if (q->old == q->server)
		q->dns->plain[q->server - q->dns->servers] = true;
	if (n > 0)
		question_end(q, 0, found, n, ttl_s);
	else
		question_end(q, ENOENT, NULL, 0, NO_SUCH_NAME_TTL_S);
	return true;
}

/* A server that cannot read the question need not repeat it in its answer. */
static bool is_unread(const unsigned char *p, size_t len)
{
	return len == HFIXEDSZ && (p[3] & RCODE_BITS) == FORMERR;
}

/* Ask again: the next server, or the same one in another way. */
static void question_next(struct dns_question *q)
{
	q->dns->outbound->host->timer_set(q->timer, 0);
}

static bool answers(const struct dns_question *q, const unsigned char *p,
		    size_t len)
{
	return len >= HFIXEDSZ && (p[2] & IS_ANSWER) && q->id == get16(p) &&
	       (repeats_question(q, p, len) || is_unread(p, len));
}

static void stream_done(void *arg, const uint8_t *p, uint32_t len)
{
	struct dns_question *q = arg;

	q->stream = NULL;
	if (!p || !answers(q, p, len) || p[2] & IS_TRUNCATED ||
	    !question_take(q, p, (int)len))
		question_next(q);
}

static void question_by_stream(struct dns_question *q)
{
	struct outbound *o = q->dns->outbound;

	if (q->stream)
		return;
	++*q->dns->truncated;
	q->stream = dns_stream_new(o, q->server, q->packet,
				   (uint32_t)q->packet_len, stream_done, q);
	o->host->timer_set(q->timer, q->stream ? STREAM_TRY_US : 0);
}

static void answer_take(struct dns *dns, const struct weir_addr *from,
			const unsigned char *p, size_t len)
{
	struct dns_question *q = dns->questions;

	while (q && (!q->server || !weir_addr_equal(q->server, from) ||
		     !answers(q, p, len)))
		q = q->next;
	if (!q)
		return;
	if (p[2] & IS_TRUNCATED)
		question_by_stream(q);
	else if (!question_take(q, p, (int)len))
		question_next(q);
}

/* Answers of one length may arrive as a train, such as those to A and AAAA of a
 * name that does not exist. */
static void answers_take(struct dns *dns, const struct weir_datagram *d)
{
	const unsigned char *p = d->data;
	size_t most = d->segment ? d->segment : d->len;

	for (size_t at = 0; at < d->len; at += most)
		answer_take(dns, d->peer, p + at,
			    most < d->len - at ? most : d->len - at);
}

/* ---- questions */

static void question_send(struct dns_question *q)
{
	struct dns *dns = q->dns;
	struct weir_datagram d = {0};

	q->server = &dns->servers[q->tries++ % dns->server_count];
	if (dns->plain[q->server - dns->servers] && !q->plain) {
		q->plain = true;
		(void)question_write(q); /* else it says no once more */
	}
	d.peer = q->server;
	d.data = q->packet;
	d.len = (uint32_t)q->packet_len;
	++*dns->asked;
	dns->flow->send(dns->inner, &d, 1);
	dns->outbound->host->timer_set(q->timer, TRY_US);
}

static void flow_ready(void *arg, const struct weir_flow_ops *ops, void *f)
{
	struct dns *dns = arg;

	dns->flow = ops;
	dns->inner = f;
	for (struct dns_question *q = dns->questions; q; q = q->next)
		if (!q->server)
			question_send(q);
}

static void flow_deliver(void *arg, const struct weir_datagram *v, int n)
{
	for (int i = 0; i < n; i++)
		answers_take(arg, &v[i]);
}

/* Questions that wait dial again when their timers fire. */
static void flow_failed(void *arg, int err, const char *why)
{
	struct dns *dns = arg;

	(void)err, (void)why;
	dns->dial = NULL;
	dns->flow = NULL;
}

static const struct weir_dialer_ops dialer_ops = {
	.size = sizeof dialer_ops,
	.flow_ready = flow_ready,
	.deliver = flow_deliver,
	.failed = flow_failed,
};

static void question_go(struct dns_question *q)
{
	struct dns *dns = q->dns;
	struct outbound *o = dns->outbound;

	if (!dns->dial)
		dns->dial = o->host->dial(
			o->instance, o->host->tag(o->instance),
			&dns->servers[0], WEIR_NET_UDP, &dialer_ops, dns);
	if (dns->flow)
		question_send(q);
	else
		o->host->timer_set(q->timer, TRY_US);
}

static void question_late(void *arg)
{
	struct dns_question *q = arg;
	size_t servers = q->dns->server_count;

	dns_stream_free(q->stream);
	q->stream = NULL;
	while (q->tries < TRIES * servers && q->refused[q->tries % servers])
		q->tries++;
	if (q->tries >= TRIES * servers) {
		question_end(q, q->err, NULL, 0, 0);
		return;
	}
	if (!q->dns->flow)
		q->tries++;
	question_go(q);
}

struct dns_question *dns_ask(struct dns *dns, const char *name, bool v6,
			     dns_done *done, void *arg)
{
	const struct weir_host *host = dns->outbound->host;
	struct dns_question *q =
		calloc(1, sizeof *q + dns->server_count + strlen(name) + 1);

	if (!q)
		return NULL;
	q->name = strcpy((char *)(q->refused + dns->server_count), name);
	q->err = ETIMEDOUT;
	q->dns = dns;
	q->v6 = v6;
	q->done = done;
	q->arg = arg;
	q->link = &dns->questions;
	q->next = dns->questions;
	if (q->next)
		q->next->link = &q->next;
	dns->questions = q;
	q->timer = host->timer_new(dns->outbound->instance, question_late, q);
	if (!q->timer || !question_write(q)) {
		question_free(q);
		return NULL;
	}
	question_go(q);
	return q;
}

void dns_cancel(struct dns_question *q)
{
	question_free(q);
}

struct dns *dns_new(struct outbound *o, const struct weir_list *servers)
{
	const struct weir_addr *from = servers->items;
	struct dns *dns = calloc(1, sizeof *dns);

	if (!dns)
		return NULL;
	dns->outbound = o;
	dns->server_count = servers->count;
	dns->servers = calloc(servers->count, sizeof *dns->servers);
	dns->plain = calloc(servers->count, sizeof *dns->plain);
	if (!dns->servers || !dns->plain) {
		dns_free(dns);
		return NULL;
	}
	for (size_t i = 0; i < servers->count; i++) {
		dns->servers[i] = from[i];
		if (!from[i].port)
			dns->servers[i].port = DNS_PORT;
	}
	dns->asked = o->host->counter(o->instance, "dns_asked");
	dns->answered = o->host->counter(o->instance, "dns_answered");
	dns->truncated = o->host->counter(o->instance, "dns_truncated");
	return dns;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	if (dns->dial)
		dns->outbound->host->hang_up(dns->dial, 0);
	free(dns->servers);
	free(dns->plain);
	free(dns);
}
