/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of single peers when counters are asked for. */
#include <check.h>
#include <stdlib.h>

#include "device.h"
#include "tunnel_ops.h"
#include "tests/suite.h"

#define PEERS 300u
#define TOLD_MAX 100u

static struct tunnel tunnel;
static struct wg_peer_settings known = {.name = "alice"};
static struct wg_peer *peers[PEERS];
static char said[65536];
static unsigned lines;
static bool wanted;

static bool log_on(struct weir_instance *i, enum weir_level level)
{
	(void)i;
	return wanted && level <= WEIR_INFO;
}

static void log_line(struct weir_instance *i, enum weir_level level,
		     const char *fmt, ...)
{
	size_t used = strlen(said);
	va_list args;

	(void)i, (void)level;
	va_start(args, fmt);
	vsnprintf(said + used, sizeof said - used, fmt, args);
	va_end(args);
	strncat(said, "\n", sizeof said - strlen(said) - 1);
	lines++;
}

static const struct weir_host host = {
	.size = sizeof host, .log = log_line, .log_on = log_on};

static void ignore(void *arg)
{
	(void)arg;
}

static void ignore_event(void *arg, struct wg_peer *p, enum wg_event event)
{
	(void)arg, (void)p, (void)event;
}

static void ignore_wake(void *arg, uint64_t at_us)
{
	(void)arg, (void)at_us;
}

static const struct wg_ops ops = {
	.flush_later = ignore,
	.event = ignore_event,
	.wake_at = ignore_wake,
	.passed_on = ignore,
};

/* The first peer is alice, the others have their keys for a name. */
static void setup(void)
{
	struct wg_conf conf = {.ops = &ops, .mtu_bytes = WG_MTU_PRESET};
	struct wg_peer_set *all = calloc(PEERS, sizeof *all);
	struct wg_set set = {.peers = all, .peer_count = PEERS};
	struct wg_peer *p = NULL;
	struct weir_error e;

	for (unsigned i = 0; i < PEERS; i++) {
		memcpy(all[i].public_key, &i, sizeof i);
		all[i].public_key[9] = 1;
	}
	all[0].flags = WG_PEER_USER;
	all[0].user = &known;
	tunnel.conf.host = &host;
	tunnel.device = wg_new(&conf);
	ck_assert_ptr_nonnull(tunnel.device);
	ck_assert_msg(wg_set(tunnel.device, &set, 0, &e), "%s", e.text);
	free(all);
	for (unsigned i = 0; i < PEERS; i++)
		peers[i] = p = wg_peer_next(tunnel.device, p);
	wanted = true;
	lines = 0;
	*said = '\0';
}

static void teardown(void)
{
	wg_free(tunnel.device);
}

START_TEST(a_peer_that_did_something_has_a_line_with_its_reasons)
{
	peers[0]->rx_packets = 3;
	peers[0]->rx_bytes = 400;
	peers[0]->tx_packets = 2;
	peers[0]->tx_bytes = 300;
	peers[0]->drops[WG_DROP_AUTH] = 7;
	peers[0]->drops[WG_DROP_SOURCE] = 1;
	tunnel_report(&tunnel);
	ck_assert_str_eq(said,
			 "peer alice rx_packets 3 rx_bytes 400 tx_packets 2 "
			 "tx_bytes 300 dropped_auth 7 dropped_source 1\n");
}
END_TEST

START_TEST(peers_that_did_nothing_are_not_told_of)
{
	tunnel_report(&tunnel);
	ck_assert_str_eq(said, "");
	peers[1]->tx_packets = 1;
	wanted = false;
	tunnel_report(&tunnel);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(past_a_bound_peers_with_drops_come_first)
{
	for (unsigned i = 0; i < PEERS - 1; i++)
		peers[i]->rx_packets = 1;
	peers[PEERS - 1]->drops[WG_DROP_GAVE_UP] = 1;
	tunnel_report(&tunnel);
	ck_assert_uint_eq(lines, TOLD_MAX + 1);
	ck_assert_msg(strstr(said, "dropped_gave_up 1\npeer alice "), "%.200s",
		      said);
	ck_assert_ptr_nonnull(
		strstr(said, "\n200 more peers had drops or traffic\n"));
}
END_TEST

START_TEST(all_reasons_at_once_fit_a_line)
{
	for (int i = 0; i < WG_DROPS; i++)
		peers[1]->drops[i] = 1;
	tunnel_report(&tunnel);
	ck_assert_uint_eq(lines, 1);
	ck_assert_ptr_nonnull(strstr(said, " dropped_full 1\n"));
}
END_TEST

START_TEST(sources_that_the_rate_limit_had_no_room_for_are_a_counter)
{
	uint64_t drops[WG_DROPS], full = 0;

	for (int i = 0; i < WG_DROPS; i++)
		tunnel.drops[i] = &drops[i];
	tunnel.sources_full = &full;
	tunnel.device->ratelimit.full = 5;
	tunnel.device->drops[WG_DROP_RATE] = 6;
	tunnel_count(&tunnel);
	ck_assert_uint_eq(full, 5);
	ck_assert_uint_eq(drops[WG_DROP_RATE], 6);
}
END_TEST

SUITE("wg_report", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t,
		       a_peer_that_did_something_has_a_line_with_its_reasons);
	tcase_add_test(t, peers_that_did_nothing_are_not_told_of);
	tcase_add_test(t, past_a_bound_peers_with_drops_come_first);
	tcase_add_test(t, all_reasons_at_once_fit_a_line);
	tcase_add_test(
		t, sources_that_the_rate_limit_had_no_room_for_are_a_counter);
}
