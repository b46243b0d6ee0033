/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgload: more WireGuard clients than a machine has room for.
 *
 *   wgload keys COUNT                              public keys, a line each
 *   wgload handshakes ADDRESS PORT KEY COUNT PER-SECOND SECONDS [PSK]
 *   wgload sessions   ADDRESS PORT KEY COUNT PER-SECOND SECONDS [PSK]
 *   wgload flood      ADDRESS PORT KEY mac1|random|replayed PER-SECOND SECONDS
 *
 * KEY is the server's public one, PSK what all clients share with it, both
 * base64. `handshakes` has COUNT clients begin, PER-SECOND of them a second,
 * until all have a session or the time is over; `sessions` shows the keys of
 * each before that. The result is one line of JSON.
 *
 * Theory of operation: a client is an identity, an attempt and a cookie jar, no
 * engine; its number is the index by which the server answers. An attempt is
 * repeated as the protocol says, 5 s later, with the cookie that came
 * meanwhile. A finished one is confirmed by a keepalive. Each client has an
 * address of its own, which a local route must make ours. */
#include "wgload.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NET 0x0a4d0001u /* 10.77.0.1 */
#define SECOND_US 1000000u
#define RETRY_US (5 * SECOND_US)
#define RETRY_JITTER_US 333000u
#define LOOK_US 100000u /* for attempts that are to be repeated */
#define WAIT_MS 2
#define SOCKET_BYTES (7 << 20)
#define EXIT_USAGE 64

struct client {
	struct identity me;
	struct remote server;
	struct handshake handshake;
	struct cookie_jar jar;
	uint64_t due_us; /* of the next attempt */
	bool done;
};

struct load {
	struct wgload_target target;
	struct client *clients;
	unsigned count, begun, done;
	bool shown;
	uint64_t looked_us;
	uint64_t sent, cookies, forged;
};

/* ---- the socket */

static void key_of(const char *text, uint8_t key[WG_KEY_BYTES])
{
	if (key_from_base64(text, strlen(text), key))
		return;
	fprintf(stderr, "%s: is not a key\n", text);
	exit(EXIT_USAGE);
}

void wgload_target(struct wgload_target *t, char **words)
{
	struct sockaddr_storage at;
	int bytes = SOCKET_BYTES;

	tool_address(words[0], (unsigned)tool_number(words[1], 1, UINT16_MAX),
		     &at);
	memcpy(&t->address, &at, sizeof t->address);
	key_of(words[2], t->public_key);
	t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		tool_die("socket");
	setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
}

bool wgload_send(const struct wgload_target *t, unsigned client, void *data,
		 size_t len)
{
	struct sockaddr_in to = t->address;
	struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(NET + client)};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof from)] = {0};
	struct iovec view = {data, len};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof to,
			   .msg_iov = &view,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof from);
	memcpy(CMSG_DATA(c), &from, sizeof from);
	if (sendmsg(t->fd, &m, 0) >= 0)
		return true;
	if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
		tool_die("sendmsg");
	return false;
}

size_t wgload_receive(const struct wgload_target *t, uint8_t room[WGLOAD_ROOM])
{
	ssize_t n = recv(t->fd, room, WGLOAD_ROOM, 0);

	return n > 0 ? (size_t)n : 0;
}

void wgload_wait(const struct wgload_target *t, int ms)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	poll(&p, 1, ms);
}

/* ---- clients */

void wgload_private_key(unsigned client, uint8_t key[WG_KEY_BYTES])
{
	static const char label[] = "a client of wgload";
	uint8_t number[4];

	message_put32(number, client);
	crypto_hash(key, label, sizeof label, number, sizeof number);
}

static void client_init(struct client *c, unsigned number,
			const struct wgload_target *t, const char *psk)
{
	uint8_t key[WG_KEY_BYTES];

	wgload_private_key(number, key);
	identity_init(&c->me, key);
	if (!remote_init(&c->server, &c->me, t->public_key)) {
		fputs("the server's key is of no use\n", stderr);
		exit(EXIT_USAGE);
	}
	if (psk)
		key_of(psk, c->server.psk);
	cookie_jar_init(&c->jar, t->public_key);
}

static void client_begin(struct load *l, unsigned number)
{
	struct client *c = &l->clients[number];
	uint64_t now_us = tool_now_us();
	struct message_initiation m;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	handshake_initiate(&c->handshake, &c->me, &c->server, &wall, number,
			   &crypto_random_system, &m);
	cookie_sign(&c->jar, &m, sizeof m, now_us);
	c->due_us = now_us + RETRY_US + (uint64_t)rand() % RETRY_JITTER_US;
	l->sent += wgload_send(&l->target, number, &m, sizeof m);
}

static void keys_show(const struct transport_keys *k)
{
	char send[KEY_HEX + 1], receive[KEY_HEX + 1];

	key_to_hex(k->send, send);
	key_to_hex(k->receive, receive);
	printf("%s %s\n", send, receive);
}

/* The session is up: say so by an empty packet. */
static void client_confirm(struct load *l, unsigned number)
{
	struct client *c = &l->clients[number];
	uint8_t bytes[MESSAGE_DATA_LEAST_BYTES], nothing = 0;
	struct message_data header;
	struct transport_keys keys;
	struct aead seal;

	handshake_derive(&c->handshake, &keys);
	message_data_header(&header, c->handshake.remote_index, 0);
	memcpy(bytes, &header, sizeof header);
	aead_init(&seal, aead_best(), AEAD_SEAL, keys.send);
	aead_seal(&seal, bytes + sizeof header, &nothing, 0, 0);
	aead_wipe(&seal);
	if (l->shown)
		keys_show(&keys);
	wgload_send(&l->target, number, bytes, sizeof bytes);
	c->done = true;
	l->done++;
}

static void take(struct load *l, uint8_t *bytes, size_t len)
{
	uint64_t now_us = tool_now_us();
	struct message m;
	struct client *c;

	if (message_parse(bytes, len, &m) == MESSAGE_NONE ||
	    m.type == MESSAGE_INITIATION || m.receiver >= l->count)
		return;
	c = &l->clients[m.receiver];
	if (m.type == MESSAGE_COOKIE_REPLY) {
		l->cookies++;
		l->forged += !cookie_accept(&c->jar, m.cookie_reply, now_us);
	} else if (m.type == MESSAGE_RESPONSE && !c->done) {
		if (handshake_finish(&c->handshake, &c->me, &c->server,
				     m.response))
			client_confirm(l, m.receiver);
		else
			l->forged++;
	}
}

/* Those who are to begin by now, and those who are to try again. */
static void begin_due(struct load *l, uint64_t due)
{
	uint64_t now_us = tool_now_us();

	while (l->begun < l->count && l->begun < due)
		client_begin(l, l->begun++);
	if (now_us - l->looked_us < LOOK_US)
		return;
	l->looked_us = now_us;
	for (unsigned i = 0; i < l->begun; i++)
		if (!l->clients[i].done && l->clients[i].due_us <= now_us)
			client_begin(l, i);
}

static void run(struct load *l, uint64_t rate, uint64_t seconds)
{
	uint64_t start_us = tool_now_us(), now_us;
	uint8_t room[WGLOAD_ROOM];
	size_t n;

	while ((now_us = tool_now_us()) < start_us + seconds * SECOND_US &&
	       l->done < l->count) {
		begin_due(l, (now_us - start_us) * rate / SECOND_US + 1);
		wgload_wait(&l->target, WAIT_MS);
		while ((n = wgload_receive(&l->target, room)) > 0)
			take(l, room, n);
	}
	printf("{\"clients\": %u, \"sessions\": %u, \"initiations\": %llu, "
	       "\"cookies\": %llu, \"forged\": %llu, \"seconds\": %.3f}\n",
	       l->count, l->done, (unsigned long long)l->sent,
	       (unsigned long long)l->cookies, (unsigned long long)l->forged,
	       (double)(now_us - start_us) / SECOND_US);
}

/* ---- the command line */

static int keys(const char *count)
{
	uint8_t private_key[WG_KEY_BYTES], public_key[WG_KEY_BYTES];
	long n = tool_number(count, 1, WGLOAD_CLIENTS_MOST);
	char text[KEY_BASE64 + 1];

	for (long i = 0; i < n; i++) {
		wgload_private_key((unsigned)i, private_key);
		crypto_public_key(public_key, private_key);
		key_to_base64(public_key, text);
		puts(text);
	}
	return 0;
}

static int load(struct load *l, int argc, char **words)
{
	const char *psk = argc == 4 ? words[3] : NULL;

	l->count = (unsigned)tool_number(words[0], 1, WGLOAD_CLIENTS_MOST);
	l->clients = calloc(l->count, sizeof *l->clients);
	if (!l->clients)
		tool_die("calloc");
	for (unsigned i = 0; i < l->count; i++)
		client_init(&l->clients[i], i, &l->target, psk);
	run(l, (uint64_t)tool_number(words[1], 1, WGLOAD_CLIENTS_MOST),
	    (uint64_t)tool_number(words[2], 1, WGLOAD_SECONDS_MOST));
	free(l->clients);
	return 0;
}

static int usage(void)
{
	fputs("usage: wgload keys COUNT\n"
	      "       wgload handshakes|sessions ADDRESS PORT KEY COUNT "
	      "PER-SECOND SECONDS [PSK]\n"
	      "       wgload flood ADDRESS PORT KEY mac1|random|replayed "
	      "PER-SECOND SECONDS\n",
	      stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct load l = {.count = 0};
	const char *what = argc > 1 ? argv[1] : "";

	if (!crypto_init())
		tool_die("crypto_init");
	if (!strcmp(what, "keys") && argc == 3)
		return keys(argv[2]);
	if (argc != 8 && argc != 9)
		return usage();
	wgload_target(&l.target, argv + 2);
	l.shown = !strcmp(what, "sessions");
	if (l.shown || !strcmp(what, "handshakes"))
		return load(&l, argc - 5, argv + 5);
	return strcmp(what, "flood") ? usage()
				     : wgload_flood(&l.target, argv + 5);
}
