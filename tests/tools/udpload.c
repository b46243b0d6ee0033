/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udpload: UDP servers and load.
 *
 *   udpload echo HOST PORT             give every datagram back
 *   udpload dns HOST PORT              every name is 192.0.2.1, but for what
 *                                      begins with "no", which is nothing
 *   udpload sink HOST PORT SECONDS     count what comes, from its first on
 *   udpload source HOST PORT PEER-WAIT-S BYTES PER-SECOND SECONDS
 *                                      wait for a datagram, flood its sender
 *   udpload flood HOST PORT BYTES PER-SECOND SECONDS
 *   udpload fetch HOST PORT SECONDS    ask a source, count what comes
 *   udpload trips HOST PORT IN-FLIGHT SECONDS
 *
 * Theory of operation: load is paced in slices of a millisecond; a rate of 0
 * is as fast as sendmmsg goes. Datagrams carry a serial number, so that a
 * receiver knows what it missed. Results are one line of JSON. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "tool.h"

#define DATAGRAM_MAX 65507
#define BATCH 32
#define SLICE_US 1000
#define SECOND_US 1000000
#define DNS_HEADER 12
#define DNS_MAX 512
#define DNS_TYPE_A 1
#define DNS_NO_NAME 3
#define QUIET_MS 300 /* a receiver stops after this silence */

static unsigned char room[BATCH][2048];
static unsigned char large[DATAGRAM_MAX + 1];

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void receive_timeout(int fd, long ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

static void batch_init(struct mmsghdr *m, struct iovec *v,
		       struct sockaddr_storage *peers, size_t bytes)
{
	memset(m, 0, BATCH * sizeof *m);
	for (int i = 0; i < BATCH; i++) {
		v[i].iov_base = room[i];
		v[i].iov_len = bytes;
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
		if (!peers)
			continue;
		m[i].msg_hdr.msg_name = &peers[i];
		m[i].msg_hdr.msg_namelen = sizeof peers[i];
	}
}

_Noreturn static void echo(const char *host, unsigned port)
{
	int fd = tool_udp_bound(host, port);
	struct sockaddr_storage peers[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];

	ready();
	for (;;) {
		int n;

		batch_init(m, v, peers, sizeof room[0]);
		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			v[i].iov_len = m[i].msg_len;
		for (int sent = 0, more; sent < n; sent += more) {
			more = sendmmsg(fd, m + sent, (unsigned)(n - sent), 0);
			if (more <= 0)
				more = 1; /* an ICMP error, or no room: lost */
		}
	}
}

/* Where the question ends; 0 for what is no question. */
static size_t question_end(const unsigned char *q, size_t len)
{
	size_t at = DNS_HEADER;

	while (at < len && q[at])
		at += q[at] + 1u;
	return at + 5 <= len ? at + 5 : 0;
}

static size_t dns_answer(unsigned char *q, size_t len)
{
	static const unsigned char record[] = {
		0xc0, DNS_HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
	size_t end = len >= DNS_HEADER ? question_end(q, len) : 0;
	bool missing, has;

	if (!end || end > DNS_MAX - sizeof record)
		return 0;
	missing = q[DNS_HEADER] && !memcmp(q + DNS_HEADER + 1, "no", 2);
	has = !missing && q[end - 4] == 0 && q[end - 3] == DNS_TYPE_A;
	q[2] = 0x84 | (q[2] & 1); /* an answer, with authority */
	q[3] = missing ? DNS_NO_NAME : 0;
	memcpy(q + 4, "\0\1\0\0\0\0\0\0", 8);
	q[7] = has;
	memcpy(q + end, record, sizeof record);
	return end + (has ? sizeof record : 0);
}

_Noreturn static void dns(const char *host, unsigned port)
{
	int fd = tool_udp_bound(host, port);

	ready();
	for (;;) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof peer;
		ssize_t n = recvfrom(fd, room[0], DNS_MAX, 0,
				     (struct sockaddr *)&peer, &len);

		if (n <= 0)
			continue;
		n = (ssize_t)dns_answer(room[0], (size_t)n);
		if (n)
			sendto(fd, room[0], (size_t)n, 0,
			       (struct sockaddr *)&peer, len);
	}
}

/* Counts until `seconds` have passed, or it has gone quiet. */
static void count(int fd, long seconds)
{
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	uint64_t first_us = 0, last_us = 0, got = 0, bytes = 0;

	for (;;) {
		int n;

		batch_init(m, v, NULL, sizeof room[0]);
		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		if (n <= 0)
			break;
		last_us = tool_now_us();
		if (!first_us) {
			first_us = last_us;
			receive_timeout(fd, QUIET_MS);
		}
		got += (uint64_t)n;
		for (int i = 0; i < n; i++)
			bytes += m[i].msg_len;
		if (last_us - first_us > (uint64_t)seconds * SECOND_US)
			break;
	}
	printf("{\"received\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)got, (unsigned long long)bytes,
	       (double)(last_us - first_us) / SECOND_US);
}

static int sink(const char *host, unsigned port, long seconds)
{
	int fd = tool_udp_bound(host, port);

	ready();
	count(fd, seconds);
	return 0;
}

static int connected(const char *host, unsigned port)
{
	struct sockaddr_storage to;
	socklen_t len = tool_address(host, port, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bytes = 8 << 20;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len))
		tool_die("connect");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	return fd;
}

static uint64_t send_some(int fd, uint64_t count_wanted, size_t bytes)
{
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int n;

	batch_init(m, v, NULL, bytes);
	if (bytes > sizeof room[0])
		for (int i = 0; i < BATCH; i++)
			v[i].iov_base = large;
	if (count_wanted > BATCH)
		count_wanted = BATCH;
	n = sendmmsg(fd, m, (unsigned)count_wanted, 0);
	return n > 0 ? (uint64_t)n : 0;
}

/* `rate` a second, 0 for as many as go. */
static void load(int fd, size_t bytes, long rate, long seconds)
{
	uint64_t start_us = tool_now_us(), now_us = start_us, sent = 0;
	uint64_t end_us = start_us + (uint64_t)seconds * SECOND_US;

	while ((now_us = tool_now_us()) < end_us) {
		uint64_t due = UINT64_MAX;

		if (rate)
			due = (now_us - start_us) * (uint64_t)rate / SECOND_US;
		if (due <= sent) {
			struct timespec nap = {.tv_nsec = SLICE_US * 1000L / 4};

			nanosleep(&nap, NULL);
			continue;
		}
		sent += send_some(fd, due - sent, bytes);
	}
	printf("{\"sent\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)sent,
	       (double)(now_us - start_us) / SECOND_US);
}

static int source(const char *host, unsigned port, long wait_s, size_t bytes,
		  long rate, long seconds)
{
	int fd = tool_udp_bound(host, port);
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	receive_timeout(fd, wait_s * 1000);
	ready();
	if (recvfrom(fd, room[0], sizeof room[0], 0, (struct sockaddr *)&peer,
		     &len) < 0)
		tool_die("nobody asked");
	if (connect(fd, (struct sockaddr *)&peer, len))
		tool_die("connect");
	load(fd, bytes, rate, seconds);
	return 0;
}

static int fetch(const char *host, unsigned port, long seconds)
{
	int fd = connected(host, port);

	receive_timeout(fd, 2000);
	if (send(fd, "?", 1, 0) < 0)
		tool_die("send");
	count(fd, seconds);
	return 0;
}

/* Keeps `flight` questions under way; one that is lost is asked again after
 * a tenth of a second of silence. */
static int trips(const char *host, unsigned port, long flight, long seconds)
{
	struct tool_times times = {0};
	uint64_t start_us = tool_now_us(), now_us = start_us, lost = 0;
	uint64_t end_us = start_us + (uint64_t)seconds * SECOND_US;
	int fd = connected(host, port);
	long away = 0;

	receive_timeout(fd, 100);
	while (now_us < end_us) {
		uint64_t sent_us;

		for (now_us = tool_now_us(); away < flight; away++)
			if (send(fd, &now_us, sizeof now_us, 0) < 0)
				break;
		if (recv(fd, &sent_us, sizeof sent_us, 0) !=
		    (ssize_t)sizeof sent_us) {
			lost += (uint64_t)away;
			away = 0;
			continue;
		}
		now_us = tool_now_us();
		tool_times_add(&times, now_us - sent_us);
		away--;
	}
	printf("{\"trips\": %zu, \"lost\": %llu, \"seconds\": %.6f, "
	       "\"p50_us\": %u, \"p99_us\": %u}\n",
	       times.count, (unsigned long long)lost,
	       (double)(now_us - start_us) / SECOND_US,
	       tool_times_percentile(&times, 0.50),
	       tool_times_percentile(&times, 0.99));
	return 0;
}

static int usage(void)
{
	fputs("usage: udpload echo HOST PORT\n"
	      "       udpload dns HOST PORT\n"
	      "       udpload sink HOST PORT SECONDS\n"
	      "       udpload source HOST PORT WAIT-S BYTES PER-SECOND "
	      "SECONDS\n"
	      "       udpload flood HOST PORT BYTES PER-SECOND SECONDS\n"
	      "       udpload fetch HOST PORT SECONDS\n"
	      "       udpload trips HOST PORT IN-FLIGHT SECONDS\n",
	      stderr);
	return 64;
}

static long argument(char **argv, int at)
{
	return tool_number(argv[at], 0, 100000000);
}

int main(int argc, char **argv)
{
	const char *job = argc > 1 ? argv[1] : "", *host;
	unsigned port;

	if (argc < 4)
		return usage();
	host = argv[2];
	port = (unsigned)tool_number(argv[3], 1, 65535);
	if (!strcmp(job, "echo") && argc == 4)
		echo(host, port);
	if (!strcmp(job, "dns") && argc == 4)
		dns(host, port);
	if (!strcmp(job, "sink") && argc == 5)
		return sink(host, port, argument(argv, 4));
	if (!strcmp(job, "fetch") && argc == 5)
		return fetch(host, port, argument(argv, 4));
	if (!strcmp(job, "trips") && argc == 6)
		return trips(host, port, argument(argv, 4), argument(argv, 5));
	if (!strcmp(job, "flood") && argc == 7) {
		load(connected(host, port),
		     (size_t)tool_number(argv[4], 0, DATAGRAM_MAX),
		     argument(argv, 5), argument(argv, 6));
		return 0;
	}
	if (!strcmp(job, "source") && argc == 8)
		return source(host, port, argument(argv, 4),
			      (size_t)tool_number(argv[5], 0, DATAGRAM_MAX),
			      argument(argv, 6), argument(argv, 7));
	return usage();
}
