/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least of TCP.
 *
 * Theory of operation: payload in order goes to the socket at once; what the
 * socket does not take waits in a hold of the size of the window that is
 * offered, so there is always room. From the socket as much is read as the
 * client's window takes, and forgotten once it is sent. A connection with news
 * is queued and worked on after the burst: one acknowledgement a burst. */
#include "split.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tool.h"

#define CHAINS 4096u
#define WINDOW (4u << 20)
#define WINDOW_SHIFT 8
#define TRAINS_A_TURN 4
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define ACK 0x10

struct conn {
	struct conn *chain, *next;
	uint8_t peer[12]; /* addresses and ports as in the client's packets */
	int fd;
	uint32_t rcv_nxt, told_nxt, told_edge;
	uint32_t snd_una, snd_nxt, window;
	uint8_t shift;
	bool open, queued, dead, readable, shut;
	bool fin_in, fin_out;
	uint8_t *hold;
	uint32_t hold_at, hold_len;
};

static struct conn *chains[CHAINS];
static struct conn *queue, **queue_end = &queue;

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return ntohl(v);
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof v);
}

/* 20 bytes of addresses end where 4 of ports begin: no IP options. */
static struct conn **chain_of(const uint8_t *peer)
{
	return &chains[(get32(peer + 8) * 2654435761u >> 16) % CHAINS];
}

static struct conn *conn_find(const uint8_t *peer)
{
	struct conn *c = *chain_of(peer);

	while (c && memcmp(c->peer, peer, sizeof c->peer) != 0)
		c = c->chain;
	return c;
}

static void conn_queue(struct conn *c)
{
	if (c->queued)
		return;
	c->queued = true;
	c->next = NULL;
	*queue_end = c;
	queue_end = &c->next;
}

static void conn_free(struct conn *c)
{
	struct conn **at = chain_of(c->peer);

	while (*at != c)
		at = &(*at)->chain;
	*at = c->chain;
	close(c->fd);
	free(c->hold);
	free(c);
}

static void conn_send(struct conn *c, uint8_t flags, const uint8_t *payload,
		      uint32_t len)
{
	uint32_t room = WINDOW - c->hold_len;
	uint8_t h[SPLIT_HEADERS] = {0x45, [8] = 64, [9] = IPPROTO_TCP};

	memcpy(h + 12, c->peer + 4, 4);
	memcpy(h + 16, c->peer, 4);
	memcpy(h + 20, c->peer + 10, 2);
	memcpy(h + 22, c->peer + 8, 2);
	put32(h + 24, c->snd_nxt);
	put32(h + 28, c->rcv_nxt);
	h[32] = 5 << 4;
	h[33] = flags;
	h[34] = (uint8_t)(room >> WINDOW_SHIFT >> 8);
	h[35] = (uint8_t)(room >> WINDOW_SHIFT);
	split_send(h, payload, len);
	c->snd_nxt += len + !!(flags & (SYN | FIN));
	c->told_nxt = c->rcv_nxt;
	c->told_edge = c->rcv_nxt + room;
}

/* The options ride in the payload: the header says they are header. */
static void conn_answer(struct conn *c)
{
	uint16_t mss = (uint16_t)split.unit;
	uint8_t options[8] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 1,
			      3, 3, WINDOW_SHIFT};
	uint8_t h[SPLIT_HEADERS] = {0x45, [8] = 64, [9] = IPPROTO_TCP};

	memcpy(h + 12, c->peer + 4, 4);
	memcpy(h + 16, c->peer, 4);
	memcpy(h + 20, c->peer + 10, 2);
	memcpy(h + 22, c->peer + 8, 2);
	put32(h + 24, c->snd_nxt++);
	put32(h + 28, c->rcv_nxt);
	h[32] = 7 << 4;
	h[33] = SYN | ACK;
	h[34] = h[35] = 0xff;
	split_send(h, options, sizeof options);
	c->told_nxt = c->rcv_nxt;
	c->told_edge = c->rcv_nxt + UINT16_MAX;
	c->open = true;
}

static uint8_t shift_of(const uint8_t *tcp, uint32_t header)
{
	for (uint32_t i = 20; i + 2 < header && tcp[i];) {
		if (tcp[i] == 3)
			return tcp[i + 2];
		if (tcp[i] != 1 && tcp[i + 1] < 2)
			break;
		i += tcp[i] == 1 ? 1 : tcp[i + 1];
	}
	return 0;
}

static void conn_new(const uint8_t *ip, uint32_t header)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct conn *c = calloc(1, sizeof *c), **at;
	struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				{.ptr = c}};
	int on = 1;

	if (!c)
		tool_die("calloc");
	memcpy(c->peer, ip + 12, sizeof c->peer);
	memcpy(&to.sin_addr, ip + 16, 4);
	memcpy(&to.sin_port, ip + 22, 2);
	c->rcv_nxt = get32(ip + 24) + 1;
	c->shift = shift_of(ip + 20, header);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	at = chain_of(c->peer);
	c->chain = *at;
	*at = c;
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 &&
	    errno != EINPROGRESS)
		c->dead = true;
	else
		epoll_ctl(split.poll, EPOLL_CTL_ADD, c->fd, &e);
	conn_queue(c);
}

static void hold_add(struct conn *c, const uint8_t *p, uint32_t len)
{
	if (!c->hold)
		c->hold = malloc(WINDOW);
	if (!c->hold)
		tool_die("malloc");
	if (c->hold_at + c->hold_len + len > WINDOW) {
		memmove(c->hold, c->hold + c->hold_at, c->hold_len);
		c->hold_at = 0;
	}
	memcpy(c->hold + c->hold_at + c->hold_len, p, len);
	c->hold_len += len;
}

static void conn_take(struct conn *c, const uint8_t *p, uint32_t len)
{
	ssize_t n = 0;

	if (len > WINDOW - c->hold_len)
		return; /* beyond what was offered */
	if (!c->hold_len)
		n = send(c->fd, p, len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		c->dead = true;
	n = n > 0 ? n : 0;
	c->rcv_nxt += len;
	if (n < (ssize_t)len)
		hold_add(c, p + n, len - (uint32_t)n);
}

void conn_input(const uint8_t *ip, uint32_t len)
{
	const uint8_t *tcp = ip + 20;
	uint32_t header, seq;
	struct conn *c;

	if (len < SPLIT_HEADERS || ip[0] != 0x45 || ip[9] != IPPROTO_TCP)
		return;
	header = (tcp[12] >> 4) * 4u;
	len -= 20 + header;
	seq = get32(tcp + 4);
	c = conn_find(ip + 12);
	if (!c) {
		if (tcp[13] == SYN)
			conn_new(ip, header);
		return;
	}
	conn_queue(c);
	c->dead |= tcp[13] & RST;
	if (tcp[13] & SYN)
		return;
	c->snd_una = get32(tcp + 8);
	c->window = (uint32_t)(tcp[14] << 8 | tcp[15]) << c->shift;
	if (seq != c->rcv_nxt)
		return;
	if (len)
		conn_take(c, tcp + header, len);
	if ((tcp[13] & FIN) && c->rcv_nxt == seq + len) {
		c->fin_in = true;
		c->rcv_nxt++;
	}
}

void conn_event(void *conn, uint32_t events)
{
	struct conn *c = conn;

	if (events & (EPOLLERR | EPOLLHUP) && !c->open)
		c->dead = true;
	if (events & EPOLLOUT && !c->open && !c->dead)
		conn_answer(c);
	c->readable |= !!(events & (EPOLLIN | EPOLLRDHUP));
	conn_queue(c);
}

static void conn_up(struct conn *c)
{
	if (c->hold_len) {
		ssize_t n = send(c->fd, c->hold + c->hold_at, c->hold_len,
				 MSG_NOSIGNAL);

		n = n > 0 ? n : 0;
		c->hold_at += (uint32_t)n;
		c->hold_len -= (uint32_t)n;
	}
	if (c->fin_in && !c->hold_len && !c->shut) {
		c->shut = true;
		shutdown(c->fd, SHUT_WR);
	}
}

/* False: the window or the socket has no more. */
static bool conn_down(struct conn *c)
{
	static uint8_t room[SPLIT_TRAIN];
	uint32_t flight = c->snd_nxt - c->snd_una;
	uint32_t most = SPLIT_TRAIN / split.unit * split.unit, at = 0;
	ssize_t n;

	if (!c->readable || c->fin_out || flight >= c->window)
		return false;
	if (most > c->window - flight)
		most = c->window - flight;
	n = read(c->fd, room, most);
	c->readable = n == (ssize_t)most || (n < 0 && errno != EAGAIN);
	if (n == 0) {
		conn_send(c, FIN | ACK, NULL, 0);
		c->fin_out = true;
	}
	c->dead |= n < 0 && errno != EAGAIN;
	while (n > 0 && at < (uint32_t)n) {
		uint32_t part = (uint32_t)n - at;

		if (!split.trains && part > split.unit)
			part = split.unit;
		conn_send(c, ACK, room + at, part);
		at += part;
	}
	return n > 0 && c->readable;
}

static void conn_work(struct conn *c)
{
	bool more = c->open;

	if (c->open)
		conn_up(c);
	for (int i = 0; more && i < TRAINS_A_TURN; i++)
		more = conn_down(c);
	if (c->dead) {
		conn_send(c, RST | ACK, NULL, 0);
		conn_free(c);
		return;
	}
	if (c->open &&
	    (c->rcv_nxt != c->told_nxt ||
	     c->rcv_nxt + WINDOW - c->hold_len - c->told_edge > WINDOW / 4))
		conn_send(c, ACK, NULL, 0);
	if (c->shut && c->fin_out && c->snd_una == c->snd_nxt)
		conn_free(c);
	else if (more)
		conn_queue(c);
}

bool conn_run(void)
{
	struct conn *c = queue, *next;

	queue = NULL;
	queue_end = &queue;
	for (; c; c = next) {
		next = c->next;
		c->queued = false;
		conn_work(c);
	}
	return !queue;
}
