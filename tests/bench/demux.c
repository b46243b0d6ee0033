/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demux.c - what a packet costs the stack with 1 and with many idle
 * connections, and what an idle connection costs in memory.
 *
 * Packets go to connections at random, so with many of them most of the
 * difference is the machine's caches. Usage: demux [COUNT...]; the exit status
 * is 1 where 10,000 connections make a packet cost more than three times what
 * it costs with one. */
#include "client.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#define PACKETS 1000000
#define BATCH 64
#define PAYLOAD 100u
#define BAR 3.0
#define BAR_AT 10000
#define BAR_FAR 6.0 /* beyond */

struct peer {
	void *stream;
	uint32_t seq, ack;
};

static struct weir_link *link_;
static struct weir_end the_end;
static const struct weir_stream_ops *ops;
static void *newest;
static uint32_t last_seq;
static struct peer *peers;
static uint64_t random_state = 88172645463325252ull;

static int output(void *owner, const struct weir_egress *v, int n)
{
	const uint8_t *tcp = (const uint8_t *)v->view[0].iov_base + 20;

	(void)owner;
	last_seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
		   (uint32_t)tcp[6] << 8 | tcp[7];
	return n;
}

static struct weir_end *accept_stream(void *owner,
				      struct weir_session_info *info,
				      const struct weir_stream_ops *o, void *s)
{
	(void)owner;
	(void)info;
	ops = o;
	newest = s;
	return &the_end;
}

static const struct weir_link_ops link_ops = {
	.size = sizeof link_ops,
	.output = output,
	.accept_stream = accept_stream,
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct client numbered(uint32_t i)
{
	struct client c = {.window = 65535,
			   .mss = 1460,
			   .path = path4(1, "203.0.113.9", 443)};

	c.path.client[1] = (uint8_t)(i >> 14);
	c.path.client_port = (uint16_t)(1024 + (i & 16383));
	c.path.server[3] = (uint8_t)(1 + i % 200);
	c.seq = peers[i].seq;
	c.ack = peers[i].ack;
	return c;
}

/* Fill a buffer of the stack's with a segment of peer i. */
static void prepare(struct weir_ingress *in, uint32_t i, uint8_t flags,
		    const void *data, uint32_t len)
{
	struct client c = numbered(i);

	memset(in, 0, sizeof *in);
	in->buffer = sim.ops->buffer_get(sim.stack);
	assert(in->buffer);
	in->len = make_tcp(in->buffer->data, &c, flags, data, len);
	peers[i].seq += len + !!(flags & SYN);
}

static void open_peer(uint32_t i)
{
	struct weir_ingress in;

	peers[i].seq = 1000;
	prepare(&in, i, SYN, NULL, 0);
	sim.ops->input(link_, &in, 1);
	peers[i].stream = newest;
	assert(ops->accept(newest) == 0);
	peers[i].ack = last_seq + 1;
	prepare(&in, i, ACK, NULL, 0);
	sim.ops->input(link_, &in, 1);
}

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static void consume(uint32_t i)
{
	struct iovec v[4];
	int n = ops->peek(peers[i].stream, v, 4);

	for (int k = 0; k < n; k++)
		ops->consume(peers[i].stream, v[k].iov_len);
}

/* Nanoseconds a packet; only the stack is timed, not the making of packets. */
static double measure(uint32_t count, uint32_t len)
{
	static const uint8_t data[PAYLOAD];
	struct weir_ingress in[BATCH];
	uint32_t who[BATCH];
	double total = 0;

	for (int done = 0; done < PACKETS; done += BATCH) {
		double begun;

		for (int i = 0; i < BATCH; i++) {
			who[i] = random_below(count);
			prepare(&in[i], who[i], ACK, data, len);
		}
		begun = now_ns();
		sim.ops->input(link_, in, BATCH);
		for (int i = 0; len && i < BATCH; i++)
			consume(who[i]);
		total += now_ns() - begun;
	}
	return total / PACKETS;
}

struct row {
	double ack, data, bytes;
};

static struct row run(uint32_t count)
{
	struct weir_link_conf conf = sim_link_conf();
	struct sim_conf bounds = {1 << 20, 1 << 20, 256u << 20, 4u << 20};
	struct weir_error e;
	struct mallinfo2 before, after;
	struct row row;

	sim_start(&bounds);
	sim.real_clock = true;
	link_ = sim.ops->attach(sim.stack, &conf, &link_ops, NULL, &e);
	assert(link_);
	peers = calloc(count, sizeof *peers);
	before = mallinfo2();
	for (uint32_t i = 0; i < count; i++)
		open_peer(i);
	after = mallinfo2();
	row.bytes = (double)(after.uordblks - before.uordblks) / count;
	measure(count, 0);
	row.ack = measure(count, 0);
	row.data = measure(count, PAYLOAD);
	the_end.failed = 0;
	for (uint32_t i = 0; i < count; i++)
		ops->close(peers[i].stream, ECONNRESET);
	sim_stop();
	free(peers);
	return row;
}

int main(int argc, char **argv)
{
	static const char *const preset[] = {"1", "1000", "10000", "60000"};
	struct row first = {0};
	bool held = true;
	char *json = NULL;
	size_t json_len;
	FILE *line = open_memstream(&json, &json_len);
	int n = argc > 1 ? argc - 1 : 4;

	printf("%11s %10s %6s %14s %6s %12s\n", "connections", "pure ACK",
	       "ratio", "100 bytes", "ratio", "bytes each");
	for (int i = 0; i < n; i++) {
		int count = atoi(argc > 1 ? argv[i + 1] : preset[i]);
		struct row row = run((uint32_t)count);
		double bar;

		if (!i)
			first = row;
		printf("%11d %7.0f ns %6.2f %11.0f ns %6.2f %12.0f\n", count,
		       row.ack, row.ack / first.ack, row.data,
		       row.data / first.data, row.bytes);
		fflush(stdout);
		fprintf(line,
			"%s{\"connections\": %d, \"ack\": %.1f, "
			"\"data\": %.1f, \"bytes\": %.0f}",
			i ? ", " : "", count, row.ack, row.data, row.bytes);
		bar = count <= BAR_AT ? BAR : BAR_FAR;
		held = held && row.ack <= bar * first.ack &&
		       row.data <= bar * first.data;
	}
	printf("%s - within %.0f times of one connection up to %d, within %.0f "
	       "beyond\n",
	       held ? "ok" : "not ok", BAR, BAR_AT, BAR_FAR);
	fclose(line);
	printf("{\"bench\": \"demux\", \"bar\": %.0f, \"rows\": [%s]}\n",
	       BAR_FAR, json);
	free(json);
	return held ? 0 : 1;
}
