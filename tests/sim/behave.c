/* SPDX-License-Identifier: GPL-2.0-or-later */
/* behave.c - the peer of behave.h. Its initial sequence number is close to the
 * end of the number space, so that nearly every test sees it wrap. */
#include "behave.h"

#include <stdlib.h>

#include "bytes.h"
#include "tests/suite.h"

#define FILL_PIECE 50000u
#define PEER_ISS 0xffffff00u
#define MULTIPLIER 2654435761u
#define STEP_US 1000u
#define STAMPS_LEN 12u /* of the option, in a segment */

static uint8_t pattern(uint32_t seq)
{
	return (uint8_t)(seq * MULTIPLIER >> 24);
}

/* libcheck writes a note each assertion: that is too dear for each byte. */
static void check_pattern(const uint8_t *at, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (at[i] != pattern(seq + i))
			ck_abort_msg("byte %u is wrong", seq + i);
}

void relink(const struct weir_link_conf *conf)
{
	sim_attach(&tun, conf);
}

struct peer peer_new(int v6)
{
	return (struct peer){
		.path = v6 ? path6(40000, "2001:db8::5", 80)
			   : path4(40000, "203.0.113.5", 80),
		.iss = PEER_ISS,
		.window = 65535,
		.mss = 1460,
		.scale = 7,
		.offer = OFFER_USUAL,
		.stamp = 1000,
	};
}

static uint32_t put_stamps(const struct peer *p, uint8_t *to)
{
	static const uint8_t head[] = {1, 1, 8, 10};

	memcpy(to, head, sizeof head);
	put32(to + 4, p->stamp);
	put32(to + 8, p->echo);
	return STAMPS_LEN;
}

static uint32_t put_offer(const struct peer *p, uint8_t *to)
{
	const uint8_t mss[] = {2, 4, (uint8_t)(p->mss >> 8), (uint8_t)p->mss};
	const uint8_t scale[] = {1, 3, 3, p->scale};
	static const uint8_t sack[] = {1, 1, 4, 2};
	uint32_t n = 0;

	if (p->offer & OFFER_MSS) {
		memcpy(to + n, mss, 4);
		n += 4;
	}
	if (p->offer & OFFER_SCALE) {
		memcpy(to + n, scale, 4);
		n += 4;
	}
	if (p->offer & OFFER_SACK) {
		memcpy(to + n, sack, 4);
		n += 4;
	}
	if (p->offer & OFFER_STAMPS)
		n += put_stamps(p, to + n);
	return n;
}

void say_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
		 uint32_t len, const uint8_t *options, uint32_t options_len)
{
	static uint8_t tcp[PACKET_MOST], packet[PACKET_MOST];
	uint32_t header = 20;

	memset(tcp, 0, header);
	put16(tcp, p->path.client_port);
	put16(tcp + 2, p->path.server_port);
	put32(tcp + 4, p->iss + seq);
	put32(tcp + 8, flags & ACK ? p->irs + ack : 0);
	if (p->stamps && !(flags & SYN))
		header += put_stamps(p, tcp + header);
	if (options_len)
		memcpy(tcp + header, options, options_len);
	header += options_len;
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = flags;
	put16(tcp + 14, p->window);
	put16(tcp + 18, p->urgent);
	for (uint32_t i = 0; i < len; i++)
		tcp[header + i] = pattern(seq + !!(flags & SYN) + i);
	len = make_ip(packet, &p->path, IPPROTO_TCP, tcp, header + len);
	if (p->ecn) {
		packet[1] |= (uint8_t)(p->path.v6 ? p->ecn << 4 : p->ecn);
		fix_checksums(packet, len);
	}
	if (p->bursts)
		ck_assert(link_put(&tun, packet, len));
	else
		sim_input(&tun, packet, len);
}

void burst_end(void)
{
	sim.ops->flush(tun.link);
}

void say(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
	 uint32_t len)
{
	say_options(p, flags, seq, ack, len, NULL, 0);
}

void say_sack(struct peer *p, uint32_t seq, uint32_t ack, int blocks,
	      const uint32_t *edges)
{
	uint8_t options[40] = {1, 1, 5, (uint8_t)(2 + 8 * blocks)};

	for (int i = 0; i < 2 * blocks; i++)
		put32(options + 4 + 4 * i, p->irs + edges[i]);
	say_options(p, ACK, seq, ack, 0, options, 4 + 8 * (uint32_t)blocks);
}

static void hear_option(const struct peer *p, struct heard *h,
			const uint8_t *at)
{
	switch (at[0]) {
	case 2:
		h->mss = (int)get16(at + 2);
		break;
	case 3:
		h->scale = at[2];
		break;
	case 4:
		h->sack_allowed = true;
		break;
	case 5:
		for (int i = 2; i + 8 <= at[1] && h->sacks < 4; i += 8) {
			h->left[h->sacks] = get32(at + i) - p->iss;
			h->right[h->sacks++] = get32(at + i + 4) - p->iss;
		}
		break;
	case 8:
		h->stamps = true;
		h->stamp = get32(at + 2);
		h->echo = get32(at + 6);
		break;
	}
}

static void hear_tcp(struct peer *p, struct heard *h, const uint8_t *tcp,
		     uint32_t len)
{
	uint32_t header = (tcp[12] >> 4) * 4u;

	ck_assert_uint_ge(header, 20);
	ck_assert_uint_le(header, len);
	h->flags = tcp[13];
	if (h->flags & SYN)
		p->irs = get32(tcp + 4);
	h->seq = get32(tcp + 4) - p->irs;
	h->ack = h->flags & ACK ? get32(tcp + 8) - p->iss : 0;
	h->window = (uint16_t)get16(tcp + 14);
	h->urgent = (uint16_t)get16(tcp + 18);
	h->len = len - header;
	for (uint32_t i = 20; i < header && tcp[i];) {
		hear_option(p, h, tcp + i);
		i += tcp[i] == 1 ? 1 : tcp[i + 1];
	}
	check_pattern(tcp + header, h->seq, h->len);
	if (h->stamps)
		p->echo = h->stamp;
}

static void check_sums(const struct sim_packet *packet)
{
	static uint8_t right[PACKET_MOST];

	memcpy(right, packet->data, packet->len);
	fix_checksums(right, packet->len);
	ck_assert_mem_eq(right, packet->data, packet->len);
}

struct heard *hear(struct peer *p)
{
	static struct heard h;
	struct sim_packet *packet = sim_output(&tun);
	uint32_t at = p->path.v6 ? 40 : 20;

	h = (struct heard){.any = packet, .scale = SCALE_NONE};
	if (!packet)
		return &h;
	ck_assert_uint_ge(packet->len, at + 20);
	ck_assert_int_eq(packet->data[p->path.v6 ? 6 : 9], IPPROTO_TCP);
	if (!packet->flags)
		check_sums(packet);
	h.ecn = (p->path.v6 ? packet->data[1] >> 4 : packet->data[1]) & CE;
	hear_tcp(p, &h, packet->data + at, packet->len - at);
	free(packet);
	return &h;
}

void hear_nothing(struct peer *p)
{
	ck_assert(!hear(p)->any);
}

uint32_t hear_all(struct peer *p)
{
	struct heard *h;
	uint32_t bytes = 0;

	while ((h = hear(p))->any)
		bytes += h->len;
	return bytes;
}

struct heard *hear_within(struct peer *p, uint64_t us, uint64_t *after_us)
{
	uint64_t begun_us = sim.now_us;
	struct heard *h = hear(p);

	while (!h->any && sim.now_us - begun_us < us) {
		sim_run(STEP_US);
		h = hear(p);
	}
	if (after_us)
		*after_us = sim.now_us - begun_us;
	return h;
}

void peer_syn(struct peer *p)
{
	struct weir_end *before = sim.ends;
	uint8_t options[40];

	say_options(p, SYN | p->asks, 0, 0, 0, options, put_offer(p, options));
	if (sim.ends != before)
		p->end = sim.ends;
	ck_assert_ptr_nonnull(p->end);
}

void peer_accept(struct peer *p)
{
	struct heard *h;

	ck_assert_int_eq(p->end->stream->accept(p->end->self), 0);
	h = hear(p);
	ck_assert(h->any);
	ck_assert_int_eq(h->flags & ~ECE, SYN | ACK);
	ck_assert_uint_eq(h->ack, 1);
	p->stamps = h->stamps;
}

void peer_complete(struct peer *p)
{
	peer_syn(p);
	peer_accept(p);
	say(p, ACK, 1, 1, 0);
	hear_nothing(p);
}

void peer_complete_far(struct peer *p, uint64_t rtt_us)
{
	peer_syn(p);
	peer_accept(p);
	sim_run(rtt_us);
	p->stamp += (uint32_t)(rtt_us / SIM_MS);
	say(p, ACK, 1, 1, 0);
}

struct peer peer_open_far(int v6, unsigned offer, size_t number)
{
	struct peer p = peer_new(v6);

	p.path.client_port = (uint16_t)(p.path.client_port + number);
	p.mss = FAR_MSS;
	p.offer = offer;
	peer_complete_far(&p, FAR_RTT);
	return p;
}

uint32_t peer_segment(const struct peer *p)
{
	return p->mss - (p->stamps ? STAMPS_LEN : 0u);
}

void peer_flight(struct peer *p, uint32_t segments, uint64_t spread_us)
{
	uint32_t len = segments * peer_segment(p);

	core_write(p, len);
	sim_run(spread_us);
	ck_assert_uint_eq(hear_all(p), len);
	sim_run(FAR_RTT);
	hear_nothing(p);
}

struct peer peer_open_with(int v6, unsigned offer)
{
	struct peer p = peer_new(v6);

	p.offer = offer;
	peer_complete(&p);
	return p;
}

struct peer peer_open(int v6)
{
	return peer_open_with(v6, OFFER_USUAL);
}

/* Returns how much of it was taken. */
static uint32_t core_offer(struct peer *p, uint32_t len)
{
	uint8_t *bytes = malloc(len);
	struct iovec v = {bytes, len};
	ssize_t taken;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(1 + p->written + i);
	taken = p->end->stream->write(p->end->self, &v, 1);
	ck_assert_int_ge(taken, 0);
	p->written += (uint32_t)taken;
	free(bytes);
	return (uint32_t)taken;
}

void core_write(struct peer *p, uint32_t len)
{
	ck_assert_uint_eq(core_offer(p, len), len);
}

void core_fill(struct peer *p)
{
	while (core_offer(p, FILL_PIECE) == FILL_PIECE)
		;
}

uint32_t core_read(struct peer *p)
{
	struct iovec v[8];
	uint32_t total = 0;
	int n;

	while ((n = p->end->stream->peek(p->end->self, v, 8)) > 0) {
		size_t part = 0;

		for (int i = 0; i < n; i++) {
			const uint8_t *bytes = v[i].iov_base;

			check_pattern(bytes, 1 + p->read,
				      (uint32_t)v[i].iov_len);
			p->read += (uint32_t)v[i].iov_len;
			part += v[i].iov_len;
		}
		p->end->stream->consume(p->end->self, part);
		total += (uint32_t)part;
	}
	return total;
}

bool core_eof(struct peer *p)
{
	struct iovec v;

	return p->end->stream->peek(p->end->self, &v, 1) == WEIR_PEEK_EOF;
}

void core_finish(struct peer *p)
{
	p->end->stream->finish(p->end->self);
}

void reach_fin_wait_1(struct peer *p)
{
	core_finish(p);
	ck_assert(hear(p)->flags & FIN);
}

void reach_fin_wait_2(struct peer *p)
{
	reach_fin_wait_1(p);
	say(p, ACK, 1, 2, 0);
}

void reach_closing(struct peer *p)
{
	reach_fin_wait_1(p);
	say(p, FIN | ACK, 1, 1, 0);
	ck_assert_uint_eq(hear(p)->ack, 2);
}

void reach_close_wait(struct peer *p)
{
	say(p, FIN | ACK, 1, 1, 0);
	ck_assert_uint_eq(hear_within(p, ANSWER_US, NULL)->ack, 2);
}

void reach_last_ack(struct peer *p)
{
	reach_close_wait(p);
	reach_fin_wait_1(p);
}

void reach_time_wait(struct peer *p)
{
	reach_fin_wait_2(p);
	say(p, FIN | ACK, 1, 2, 0);
	ck_assert_uint_eq(hear(p)->ack, 2);
}

static void begin(int congestion)
{
	sim_congestion = congestion;
	tun_begin();
}

static void begin_cubic(void)
{
	begin(SIM_CUBIC);
}

static void begin_bbr(void)
{
	begin(SIM_BBR);
}

static void add_case(Suite *suite, const char *name, void (*begin_as)(void),
		     const TTest *const *tests, size_t n)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, begin_as, tun_end);
	tcase_set_timeout(t, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_loop_test(t, tests[i], 0, 2);
	suite_add_tcase(suite, t);
}

int behave_main(const char *name, bool bbr, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);

	add_case(suite, "cubic", begin_cubic, tests, n);
	if (bbr)
		add_case(suite, "bbr", begin_bbr, tests, n);
	return suite_run(suite);
}
