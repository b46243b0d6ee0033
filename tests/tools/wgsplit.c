/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tunnel in user space can reach here: the kernel's TUN with offloads,
 * ChaCha20-Poly1305 by libcrypto, UDP trains, and nothing else. No protocol, no
 * state, no stack; a lost datagram loses the packet it was part of.
 *
 *   wgsplit TUN OWN-PORT PEER PEER-PORT    a tunnel; says "ready"
 *   wgsplit ceiling PEER PORT              what sealing and sending cost, JSON
 *
 * A packet of the TUN, up to 64 KB with its virtio header, is cut into pieces
 * of what a packet of 1420 bytes would carry; each is sealed under a counter
 * and sent with a header that says whose piece it is. A train is a packet. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"
#include "trains.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define VNET_BYTES 10
#define PIECE_BYTES 1420u
#define TAG_BYTES 16u
#define BLOB_MAX (65535u + VNET_BYTES)
#define TRAIN_MAX 65536u
#define PIECES_A_CALL 44u /* 65,507 bytes hold no more */
#define KEY_BYTES 32
#define NONCE_BYTES 12
#define BUFFER_BYTES (7 << 20)
#define CEILING_US 500000u

/* Ahead of each piece; the counter is the nonce. */
struct head {
	uint64_t counter;
	uint32_t blob;
	uint16_t at, pieces; /* in pieces */
};

#define UNIT_BYTES (sizeof(struct head) + PIECE_BYTES + TAG_BYTES)

struct tunnel {
	int tun, udp;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	EVP_CIPHER_CTX *seal, *open;
	uint64_t counter;
	uint32_t blob;
	uint8_t in[BLOB_MAX], out[TRAIN_MAX + UNIT_BYTES];
	uint8_t got[TRAIN_MAX], whole[TRAIN_MAX + PIECE_BYTES];
	uint32_t whole_blob, whole_pieces, whole_len;
};

static void nonce_of(uint64_t counter, uint8_t nonce[NONCE_BYTES])
{
	memset(nonce, 0, NONCE_BYTES);
	memcpy(nonce + NONCE_BYTES - sizeof counter, &counter, sizeof counter);
}

static EVP_CIPHER_CTX *cipher(int seal)
{
	static const uint8_t key[KEY_BYTES] = {1};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (!c || EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, key, NULL,
				    seal) != 1)
		tool_die("libcrypto");
	return c;
}

static void seal(EVP_CIPHER_CTX *c, uint64_t counter, uint8_t *to,
		 const uint8_t *from, uint32_t len)
{
	uint8_t nonce[NONCE_BYTES];
	int n;

	nonce_of(counter, nonce);
	EVP_CipherInit_ex(c, NULL, NULL, NULL, nonce, -1);
	EVP_EncryptUpdate(c, to, &n, from, (int)len);
	EVP_EncryptFinal_ex(c, to + n, &n);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, to + len);
}

static int open_sealed(EVP_CIPHER_CTX *c, uint64_t counter, uint8_t *to,
		       const uint8_t *from, uint32_t len)
{
	uint8_t nonce[NONCE_BYTES];
	int n;

	nonce_of(counter, nonce);
	EVP_CipherInit_ex(c, NULL, NULL, NULL, nonce, -1);
	EVP_DecryptUpdate(c, to, &n, from, (int)len);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
			    (void *)(uintptr_t)(from + len));
	return EVP_DecryptFinal_ex(c, to + n, &n) == 1;
}

static void train_send(struct tunnel *t, uint8_t *data, size_t len)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(uint16_t))] = {0};
	struct iovec view = {data, len};
	struct msghdr m = {.msg_name = &t->peer,
			   .msg_namelen = t->peer_len,
			   .msg_iov = &view,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	uint16_t segment = UNIT_BYTES;

	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof segment);
	memcpy(CMSG_DATA(c), &segment, sizeof segment);
	while (sendmsg(t->udp, &m, 0) < 0 && errno == EINTR)
		;
}

static void blob_send(struct tunnel *t, uint32_t len)
{
	uint32_t pieces = (len + PIECE_BYTES - 1) / PIECE_BYTES;
	uint8_t *at = t->out;

	t->blob++;
	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t from = i * PIECE_BYTES, n = len - from;
		struct head h = {t->counter++, t->blob, (uint16_t)i,
				 (uint16_t)pieces};

		n = n < PIECE_BYTES ? n : PIECE_BYTES;
		memcpy(at, &h, sizeof h);
		seal(t->seal, h.counter, at + sizeof h, t->in + from, n);
		at += sizeof h + n + TAG_BYTES;
		if ((i + 1) % PIECES_A_CALL && i + 1 < pieces)
			continue;
		train_send(t, t->out, (size_t)(at - t->out));
		at = t->out;
	}
}

static void tun_drain(struct tunnel *t)
{
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		n = read(t->tun, t->in, sizeof t->in);
		if (n <= 0)
			return;
		blob_send(t, (uint32_t)n);
	}
}

static void piece_take(struct tunnel *t, const uint8_t *data, uint32_t len)
{
	struct head h;
	uint32_t n = len - (uint32_t)sizeof h - TAG_BYTES;

	memcpy(&h, data, sizeof h);
	if (h.blob != t->whole_blob)
		t->whole_pieces = t->whole_len = 0;
	t->whole_blob = h.blob;
	if (h.at * PIECE_BYTES + n > sizeof t->whole ||
	    !open_sealed(t->open, h.counter, t->whole + h.at * PIECE_BYTES,
			 data + sizeof h, n))
		return;
	t->whole_len += n;
	if (++t->whole_pieces < h.pieces)
		return;
	if (write(t->tun, t->whole, t->whole_len) < 0 && errno != EAGAIN &&
	    errno != EINVAL)
		tool_die("write to the TUN");
}

static uint32_t segment_of(struct msghdr *m, uint32_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int segment;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof segment);
		return (uint32_t)segment;
	}
	return len;
}

static void udp_drain(struct tunnel *t)
{
	for (int i = 0; i < 64; i++) {
		_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
		struct iovec view = {t->got, sizeof t->got};
		struct msghdr m = {.msg_iov = &view,
				   .msg_iovlen = 1,
				   .msg_control = room,
				   .msg_controllen = sizeof room};
		ssize_t n = recvmsg(t->udp, &m, MSG_DONTWAIT);
		uint32_t segment, least = sizeof(struct head) + TAG_BYTES;

		if (n <= 0)
			return;
		segment = segment_of(&m, (uint32_t)n);
		for (uint32_t at = 0; at + least <= (uint32_t)n; at += segment)
			piece_take(t, t->got + at,
				   (uint32_t)n - at < segment ? (uint32_t)n - at
							      : segment);
	}
}

static int tun_open(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	unsigned all = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
		tool_die(name);
	if (ioctl(fd, TUNSETOFFLOAD, all | TUN_F_USO4 | TUN_F_USO6) < 0 &&
	    ioctl(fd, TUNSETOFFLOAD, all) < 0)
		tool_die("offloads of the TUN");
	return fd;
}

static int udp_open(long port)
{
	int fd = tool_udp_bound("0.0.0.0", (unsigned)port);
	int on = 1, bytes = BUFFER_BYTES;

	setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
	return fd;
}

static void tunnel_run(struct tunnel *t)
{
	struct pollfd fds[] = {{.fd = t->tun, .events = POLLIN},
			       {.fd = t->udp, .events = POLLIN}};

	puts("ready");
	fflush(stdout);
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			tun_drain(t);
		if (fds[1].revents)
			udp_drain(t);
	}
}

/* ns for each piece: sealing alone, sending alone. */
static void ceiling(struct tunnel *t)
{
	uint64_t begun = tool_now_us(), seals = 0, sends = 0, now;
	double seal_ns, send_ns;

	do {
		for (int i = 0; i < 100; i++, seals++)
			seal(t->seal, seals, t->out, t->in, PIECE_BYTES);
		now = tool_now_us();
	} while (now - begun < CEILING_US);
	seal_ns = (double)(now - begun) * 1e3 / (double)seals;
	begun = now;
	do {
		train_send(t, t->out, PIECES_A_CALL * UNIT_BYTES);
		sends += PIECES_A_CALL;
		now = tool_now_us();
	} while (now - begun < CEILING_US);
	send_ns = (double)(now - begun) * 1e3 / (double)sends;
	printf("{\"seal_ns\": %.0f, \"send_ns\": %.0f, \"gbit\": %.2f}\n",
	       seal_ns, send_ns, PIECE_BYTES * 8 / (seal_ns + send_ns));
}

int main(int argc, char **argv)
{
	struct tunnel *t = calloc(1, sizeof *t);
	int bench = argc == 4 && strcmp(argv[1], "ceiling") == 0;

	if (!t || (argc != 5 && !bench)) {
		fprintf(stderr, "usage: wgsplit TUN OWN-PORT PEER PEER-PORT\n"
				"       wgsplit ceiling PEER PORT\n");
		return 64;
	}
	t->seal = cipher(1);
	t->open = cipher(0);
	t->udp = udp_open(bench ? 0 : tool_number(argv[2], 1, 65535));
	t->peer_len = tool_address(
		argv[bench ? 2 : 3],
		(unsigned)tool_number(argv[bench ? 3 : 4], 1, 65535), &t->peer);
	if (bench) {
		ceiling(t);
	} else {
		t->tun = tun_open(argv[1]);
		tunnel_run(t);
	}
	return 0;
}
