/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments as large as the path takes: what routers say, who is not believed,
 * paths that swallow large packets in silence, and trains that are cut here. */
#include "behave.h"
#include "cut.h"

#include <stdlib.h>

#define WRITTEN_MOST 200000
#define FLIGHT 14000u /* within the first window */
#define FORGOTTEN_US (100 * SIM_MS)
#define RETRY_US (30000 * SIM_MS)
#define HOLE_MTU 1280u
#define DONT_FRAGMENT 0x40
#define REMEMBERED_US (600000 * SIM_MS)

static uint8_t bytes[WRITTEN_MOST];

/* What came out of the stack since somebody looked. */
struct taken {
	uint32_t packets, largest, last; /* bytes on the wire */
	uint32_t end; /* of what followed without a gap from `from` */
};

static const uint32_t kinds[] = {0, WEIR_LINK_CSUM,
				 WEIR_LINK_CSUM | WEIR_LINK_TSO};

static struct peer opened(int v6, uint32_t offloads, unsigned offer)
{
	struct weir_link_conf conf = sim_link_conf();

	conf.offloads = offloads;
	sim.ops->detach(tun.link);
	sim_flush(&tun);
	relink(&conf);
	for (uint32_t i = 0; i < WRITTEN_MOST; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 24);
	return peer_open_with(v6, offer);
}

static void put(struct peer *p, uint32_t len)
{
	struct iovec v = {bytes + p->written, len};

	ck_assert_int_eq(p->end->stream->write(p->end->self, &v, 1), len);
	p->written += len;
}

/* IP bytes of the largest packet that is made of it. */
static uint32_t on_the_wire(const struct seen *s)
{
	if (s->gso_size && s->payload_len > s->gso_size)
		return s->len - s->payload_len + s->gso_size;
	return s->len;
}

/* All packets there are now; every byte is as it was written. The peer gets
 * those of at most `mtu` bytes. */
static void take(const struct peer *p, uint32_t mtu, struct taken *t)
{
	struct seen *s;

	while ((s = look(&tun))->any) {
		uint32_t seq = s->seq - p->irs, size = on_the_wire(s);

		ck_assert(s->checksum_ok);
		ck_assert_uint_le(seq + s->payload_len, 1 + p->written);
		ck_assert_mem_eq(s->payload, bytes + seq - 1, s->payload_len);
		if (!s->payload_len)
			continue;
		t->packets++;
		t->last = size;
		if (size > t->largest)
			t->largest = size;
		if (size <= mtu && seq <= t->end &&
		    seq + s->payload_len > t->end)
			t->end = seq + s->payload_len;
	}
}

static struct taken taken_in(const struct peer *p, uint64_t us, uint32_t from)
{
	struct taken t = {.end = from};

	take(p, UINT32_MAX, &t);
	for (uint64_t at = 0; at < us; at += SIM_MS) {
		sim_run(SIM_MS);
		take(p, UINT32_MAX, &t);
	}
	return t;
}

/* "Too big", quoting a segment with that sequence number. */
static uint32_t too_big(uint8_t *packet, const struct peer *p, uint32_t seq,
			uint32_t mtu)
{
	return make_too_big(packet, &p->path, p->irs + seq, mtu);
}

static void say_too_big(const struct peer *p, uint32_t seq, uint32_t mtu)
{
	uint8_t packet[200];

	sim_input(&tun, packet, too_big(packet, p, seq, mtu));
}

static void ack_all(struct peer *p)
{
	say(p, ACK, 1, 1 + p->written, 0);
}

/* 14,000 bytes are in flight, and nobody has looked since. */
static struct peer in_flight(int v6, uint32_t offloads, unsigned offer)
{
	struct peer p = opened(v6, offloads, offer);
	struct taken t;

	put(&p, FLIGHT);
	t = taken_in(&p, 1 * SIM_MS, 1);
	ck_assert_uint_eq(t.largest, 1500);
	ck_assert_uint_eq(t.end, 1 + FLIGHT);
	sim_run(FORGOTTEN_US);
	sim_flush(&tun);
	return p;
}

START_TEST(a_routers_word_makes_segments_smaller_for_good)
{
	for (unsigned kind = 0; kind < 3; kind++) {
		struct peer p = in_flight(_i, kinds[kind],
					  kind ? OFFER_ALL : OFFER_USUAL);
		struct taken t;

		say_too_big(&p, 1, 1400);
		t = taken_in(&p, 20 * SIM_MS, 1);
		/* The rest was small enough. */
		ck_assert_uint_gt(t.end + 1400, 1 + p.written);
		ck_assert_uint_eq(t.largest, 1400);
		ack_all(&p);
		put(&p, FLIGHT);
		t = taken_in(&p, 20 * SIM_MS, 1 + FLIGHT);
		ck_assert_uint_gt(t.end, 1 + FLIGHT);
		ck_assert_uint_eq(t.largest, 1400);
	}
	ck_assert_uint_eq(sim_counter("path_mtu_lowered"), 3);
}
END_TEST

/* The largest packet of a new connection's first window. */
static uint32_t first_of_another(const struct peer *like, uint8_t host)
{
	static uint16_t number;
	struct peer p = peer_new(like->path.v6);
	uint32_t largest;

	p.path.client_port = (uint16_t)(p.path.client_port + ++number);
	p.path.client[p.path.v6 ? 15 : 3] ^= host;
	peer_complete(&p);
	put(&p, FLIGHT);
	largest = taken_in(&p, 1 * SIM_MS, 1).largest;
	ack_all(&p);
	sim_flush(&tun);
	return largest;
}

START_TEST(a_routers_word_is_known_to_later_connections_for_ten_minutes)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL);

	say_too_big(&p, 1, 1400);
	ack_all(&p);
	sim_flush(&tun);
	ck_assert_uint_eq(first_of_another(&p, 0), 1400);
	ck_assert_uint_eq(first_of_another(&p, 1), 1500); /* elsewhere */
	sim_run(REMEMBERED_US / 2);
	sim_flush(&tun);
	ck_assert_uint_eq(first_of_another(&p, 0), 1400);
	sim_run(REMEMBERED_US / 2);
	sim_flush(&tun);
	ck_assert_uint_eq(first_of_another(&p, 0), 1500);
}
END_TEST

START_TEST(a_link_with_trains_gets_trains_of_the_new_size)
{
	struct peer p =
		in_flight(_i, WEIR_LINK_CSUM | WEIR_LINK_TSO, OFFER_USUAL);
	struct sim_packet *packet;

	say_too_big(&p, 1, 1400);
	packet = sim_output(&tun);
	ck_assert_ptr_nonnull(packet);
	ck_assert_uint_gt(packet->len, 1400);
	ck_assert_uint_eq(packet->gso_size, _i ? 1340 : 1360);
	free(packet);
}
END_TEST

START_TEST(a_smaller_mtu_is_no_sign_of_congestion)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL);
	struct taken t;

	if (sim_congestion == SIM_BBR)
		return; /* it goes by the rate, which was low */
	say_too_big(&p, 1, 1400);
	sim_flush(&tun);
	for (uint32_t at = 0; at < FLIGHT; at += 1000)
		say(&p, ACK, 1, 1 + at, 0);
	ack_all(&p);
	put(&p, FLIGHT);
	t = taken_in(&p, 2 * SIM_MS, 1 + FLIGHT);
	ck_assert_uint_eq(t.end, 1 + p.written);
}
END_TEST

START_TEST(segments_must_not_be_cut_on_their_way)
{
	struct peer p = opened(0, 0, OFFER_USUAL);
	struct sim_packet *packet;

	put(&p, FLIGHT);
	packet = sim_output(&tun);
	ck_assert_int_eq(packet->data[6], DONT_FRAGMENT);
	free(packet);
}
END_TEST

/* Still full packets? */
static void check_unmoved(struct peer *p, uint64_t ignored)
{
	struct taken t = {.end = 1};

	take(p, UINT32_MAX, &t);
	ck_assert_uint_eq(t.packets, 0);
	ck_assert_uint_eq(sim_counter("path_mtu_ignored"), ignored);
	ck_assert_uint_eq(sim_counter("path_mtu_lowered"), 0);
	ack_all(p);
	put(p, FLIGHT);
	t = taken_in(p, 2 * SIM_MS, 1 + FLIGHT);
	ck_assert_uint_eq(t.largest, 1500);
}

START_TEST(who_does_not_know_what_is_in_flight_is_not_believed)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL), other = p;

	say_too_big(&p, 0, 1400);	   /* acknowledged long ago */
	say_too_big(&p, 1 + FLIGHT, 1400); /* not sent yet */
	say_too_big(&p, 0x80000000, 1400);
	other.path.client_port++;
	say_too_big(&other, 1, 1400);
	check_unmoved(&p, 4);
}
END_TEST

START_TEST(an_mtu_that_cannot_be_is_not_believed)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL);

	say_too_big(&p, 1, _i ? 1279 : 575);
	say_too_big(&p, 1, 1);
	say_too_big(&p, 1, 1500);
	say_too_big(&p, 1, 9000);
	check_unmoved(&p, 4);
}
END_TEST

START_TEST(broken_quotes_are_dropped_at_the_gate)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL);
	uint8_t packet[200];
	uint32_t len = too_big(packet, &p, 1, 1400), ip = _i ? 40 : 20;

	for (uint32_t cut = ip; cut < ip + 8 + ip + 8; cut++) {
		packet[_i ? 5 : 3] = (uint8_t)(_i ? cut - ip : cut);
		fix_checksums(packet, cut);
		sim_input(&tun, packet, cut);
	}
	for (uint32_t bit = 0; bit < 8 * (ip + 8); bit++) {
		too_big(packet, &p, 1, 1400);
		packet[ip + 8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		sim_input(&tun, packet, len); /* its checksum is wrong */
	}
	too_big(packet, &p, 1, 1400);
	packet[ip + 8 + (_i ? 8 : 12)] ^= 1; /* another's segment */
	fix_checksums(packet, len);
	sim_input(&tun, packet, len);
	too_big(packet, &p, 1, 1400);
	packet[ip + 8] ^= 0x20; /* of the other version */
	fix_checksums(packet, len);
	sim_input(&tun, packet, len);
	say_too_big(&p, 1, 0);
	check_unmoved(&p, 0);
	ck_assert_uint_eq(sim_counter("drop_length"), ip + 16);
	ck_assert_uint_eq(sim_counter("drop_checksum"), 8 * (ip + 8));
	ck_assert_uint_eq(sim_counter("drop_header"), 3);
}
END_TEST

START_TEST(words_of_routers_are_believed_ten_times_a_second)
{
	struct peer p = in_flight(_i, 0, OFFER_USUAL);

	say_too_big(&p, 1, 1400);
	say_too_big(&p, 1, 1350);
	ck_assert_uint_eq(sim_counter("path_mtu_lowered"), 1);
	sim_run(FORGOTTEN_US);
	sim_flush(&tun);
	say_too_big(&p, 1, 1300);
	ck_assert_uint_eq(sim_counter("path_mtu_lowered"), 2);
	ck_assert_uint_eq(sim_counter("path_mtu_ignored"), 1);
	ck_assert_uint_eq(taken_in(&p, 0, 1).largest, 1300);
}
END_TEST

/* The peer acknowledges what comes through a path that swallows packets of more
 * than `mtu` bytes, until it has all or so much time has passed. */
static bool got_all(struct peer *p, uint32_t from, uint32_t mtu, uint64_t us)
{
	struct taken t = {.end = from};
	uint32_t told = from;

	for (uint64_t at = 0; at < us && t.end <= p->written; at += SIM_MS) {
		sim_run(SIM_MS);
		take(p, mtu, &t);
		if (t.end == told)
			continue;
		told = t.end;
		say(p, ACK, 1, told, 0);
	}
	sim_flush(&tun);
	return t.end == 1 + p->written;
}

START_TEST(a_black_hole_is_found)
{
	for (unsigned kind = 0; kind < 3; kind++) {
		struct peer p = opened(_i, kinds[kind], OFFER_USUAL);

		put(&p, FLIGHT);
		ck_assert(got_all(&p, 1, HOLE_MTU, 5000 * SIM_MS));
		ck_assert_uint_eq(sim_counter("black_holes"), kind + 1);
		put(&p, FLIGHT);
		ck_assert_uint_eq(taken_in(&p, 2 * SIM_MS, 1 + FLIGHT).largest,
				  HOLE_MTU);
	}
	ck_assert_uint_eq(sim_counter("black_holes_undone"), 0);
}
END_TEST

START_TEST(a_narrow_black_hole_is_found_too)
{
	struct peer p = opened(0, 0, OFFER_USUAL);

	put(&p, FLIGHT);
	ck_assert(got_all(&p, 1, 576, 20000 * SIM_MS));
	ck_assert_uint_eq(sim_counter("black_holes"), 1);
}
END_TEST

START_TEST(the_old_size_is_tried_once_more_later)
{
	struct peer p = opened(_i, 0, OFFER_USUAL);
	uint32_t from = 1;

	for (int round = 0; round < 4; round++) {
		put(&p, FLIGHT);
		ck_assert(got_all(&p, from, HOLE_MTU, 5000 * SIM_MS));
		from += FLIGHT;
		sim_run(RETRY_US);
		put(&p, 10); /* its ACK brings the old size back, once */
		ck_assert(got_all(&p, from, HOLE_MTU, 5000 * SIM_MS));
		from += 10;
		ck_assert_uint_eq(sim_counter("black_holes"), 1u + !!round);
		put(&p, FLIGHT);
		ck_assert_uint_eq(taken_in(&p, 1 * SIM_MS, from).largest,
				  round ? HOLE_MTU : 1500);
		ck_assert(got_all(&p, from, HOLE_MTU, 5000 * SIM_MS));
		from += FLIGHT;
		ck_assert_uint_eq(sim_counter("black_holes"), 2);
	}
}
END_TEST

START_TEST(where_smaller_segments_do_not_help_the_old_size_comes_back)
{
	struct peer p = opened(_i, 0, OFFER_USUAL);
	struct taken t;

	put(&p, FLIGHT);
	t = taken_in(&p, _i ? 4000 * SIM_MS : 16000 * SIM_MS, 1);
	ck_assert_uint_eq(sim_counter("black_holes"), 0);
	ck_assert_uint_eq(sim_counter("black_holes_undone"), 1);
	ck_assert_uint_eq(t.last, 1500);
	ack_all(&p);
	put(&p, FLIGHT);
	t = taken_in(&p, 1 * SIM_MS, 1 + FLIGHT);
	ck_assert_uint_eq(t.largest, 1500);
}
END_TEST

START_TEST(small_segments_that_are_lost_say_nothing_of_the_size)
{
	struct peer p = opened(_i, 0, OFFER_USUAL);

	put(&p, 1000);
	taken_in(&p, 16000 * SIM_MS, 1);
	ack_all(&p);
	put(&p, FLIGHT);
	ck_assert_uint_eq(taken_in(&p, 1 * SIM_MS, 1001).largest, 1500);
	ck_assert_uint_eq(sim_counter("black_holes_undone"), 0);
}
END_TEST

/* A packet in views of odd sizes, with FIN and PSH. */
START_TEST(a_train_is_cut_as_a_card_would)
{
	enum { SIZE = 500, TOTAL = 1601, VIEWS = 4 };
	static const uint32_t sizes[VIEWS] = {0, 333, 1, TOTAL - 334};
	struct weir_link_conf conf = sim_link_conf();
	struct peer p = peer_new(_i);
	uint8_t packet[2000], tcp[20] = {[12] = 0x50, [13] = FIN | PSH | ACK};
	uint32_t header = (_i ? 40 : 20) + 20, at = 0;
	struct iovec view[VIEWS];
	struct weir_egress whole = {.view = view, .views = VIEWS};

	for (int i = 0; i < TOTAL; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	memset(tcp + 4, 0xff, 4);
	make_ip(packet, &p.path, IPPROTO_TCP, tcp, sizeof tcp);
	packet[_i ? 0 : 4] = _i ? 0x60 : 0xff;
	packet[5] = 0xff;
	whole.header_len = (uint16_t)header;
	for (int i = 0; i < VIEWS; at += sizes[i++])
		view[i] = (struct iovec){bytes + at, sizes[i]};
	view[0] = (struct iovec){packet, header};
	relink(&conf);
	cut_output(tun.link, &whole, SIZE);
	for (uint32_t done = 0; done < TOTAL; done += SIZE) {
		bool last = done + SIZE >= TOTAL;
		uint32_t len = last ? TOTAL - done : SIZE;
		struct sim_packet *raw = tun.out;
		struct seen *s;

		ck_assert_ptr_nonnull(raw);
		if (!_i)
			ck_assert_uint_eq(raw->data[4] << 8 | raw->data[5],
					  (0xffff + done / SIZE) & 0xffff);
		s = look(&tun);
		ck_assert(s->checksum_ok);
		ck_assert_uint_eq(s->seq, 0xffffffff + done);
		ck_assert_int_eq(s->flags, last ? FIN | PSH | ACK : ACK);
		ck_assert_uint_eq(s->payload_len, len);
		ck_assert_mem_eq(s->payload, bytes + done, len);
	}
	hear_nothing(&p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_routers_word_makes_segments_smaller_for_good,
		a_routers_word_is_known_to_later_connections_for_ten_minutes,
		a_link_with_trains_gets_trains_of_the_new_size,
		a_smaller_mtu_is_no_sign_of_congestion,
		segments_must_not_be_cut_on_their_way,
		who_does_not_know_what_is_in_flight_is_not_believed,
		an_mtu_that_cannot_be_is_not_believed,
		broken_quotes_are_dropped_at_the_gate,
		words_of_routers_are_believed_ten_times_a_second,
		a_black_hole_is_found,
		a_narrow_black_hole_is_found_too,
		the_old_size_is_tried_once_more_later,
		where_smaller_segments_do_not_help_the_old_size_comes_back,
		small_segments_that_are_lost_say_nothing_of_the_size,
		a_train_is_cut_as_a_card_would,
	};

	return BEHAVE_MAIN("pmtu", tests);
}
