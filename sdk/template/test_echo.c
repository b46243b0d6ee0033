/* SPDX-License-Identifier: MIT */
/* The plugin on the fake host: no daemon, no sockets, no waiting. */
#include <stdio.h>

#include <weir/fakehost.h>

/* The descriptor that WEIR_PLUGIN made. */
extern const struct weir_plugin WEIR_ENTRY;

struct echo_conf { /* as in echo.c */
	uint64_t buffer;
};

static int failed;

static void check(bool good, const char *promise)
{
	printf("%s - %s\n", good ? "ok" : "not ok", promise);
	failed |= !good;
}

static const struct weir_addr peer = {WEIR_ADDR_IP4, 7, {.ip = {192, 0, 2, 1}}};

static void test_stream(struct weir_instance *echo)
{
	struct weir_end *end = fakehost_open(echo, &peer, WEIR_NET_TCP);
	char got[16] = "";

	check(end->state == FAKEHOST_READY, "a stream is ready at once");
	check(fakehost_read(end, got, sizeof got) == 0 && !end->eof,
	      "nothing is read before something was written");
	check(fakehost_write(end, "hello, weir", 11) == 8,
	      "no more is taken than the buffer holds");
	check(end->news & WEIR_READABLE, "the reader is told");
	check(fakehost_read(end, got, sizeof got) == 8 &&
		      memcmp(got, "hello, w", 8) == 0,
	      "what was written comes back");
	check(end->news & WEIR_WRITABLE, "the writer is told of the room");
	fakehost_finish(end);
	check(fakehost_read(end, got, sizeof got) == 0 && end->eof,
	      "the end of the stream comes back too");
	fakehost_close(end, 0);
}

static void test_flow(struct weir_instance *echo)
{
	struct weir_end *end = fakehost_open(echo, &peer, WEIR_NET_UDP);

	check(fakehost_send(end, &peer, "ping", 4), "a datagram is taken");
	check(end->heard_count == 1 && end->heard[0].len == 4 &&
		      weir_addr_equal(&end->heard[0].peer, &peer),
	      "it comes back from the peer it was sent to");
	fakehost_close(end, 0);
}

int main(void)
{
	const struct weir_component *component = WEIR_ENTRY.components[0];
	struct echo_conf conf = {.buffer = 8};
	struct fakehost *fake = fakehost_new();
	struct weir_instance *echo;
	struct weir_error e;

	echo = fakehost_start(fake, component, "echo", &conf, &e);
	check(echo, "it starts");
	if (!echo)
		return 1;
	test_stream(echo);
	test_flow(echo);
	check(fakehost_counter(echo, "bytes") == 12, "bytes are counted");
	check(fakehost_stop(echo, 0), "it stops at once");
	fakehost_free(fake);
	return failed;
}
