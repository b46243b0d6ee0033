/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of the network, and what it has no room to tell. */
#include <check.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/fakehost.h>

#include "plugins/wireguard/network.h"
#include "tests/unit/idle.h"

#define SECOND_US 1000000ull
#define SCRIPT_MOST 4

static struct fakehost *host;
static struct tunnel tunnel;
static unsigned refreshed;
static int fd; /* of the kernel's news */

/* What is read next: an errno, or a message of this type. */
static struct {
	int err;
	uint16_t type;
} script[SCRIPT_MOST];
static unsigned script_at;

ssize_t __wrap_recv(int from, void *room, size_t len, int flags);

ssize_t __wrap_recv(int from, void *room, size_t len, int flags)
{
	struct nlmsghdr *m = room;

	(void)flags;
	ck_assert_int_eq(from, fd);
	ck_assert_uint_ge(len, NLMSG_SPACE(sizeof(struct rtmsg)));
	ck_assert_uint_lt(script_at, SCRIPT_MOST);
	errno = script[script_at].err;
	if (errno)
		return script_at++, -1;
	memset(room, 0, NLMSG_SPACE(sizeof(struct rtmsg)));
	m->nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg));
	m->nlmsg_type = script[script_at++].type;
	return (ssize_t)m->nlmsg_len;
}

void tunnel_refresh(struct tunnel *t, bool rebind)
{
	ck_assert_ptr_eq(t, &tunnel);
	ck_assert(!rebind);
	refreshed++;
}

static void setup(void)
{
	struct weir_error e;

	host = fakehost_new();
	tunnel.conf.host = fakehost_table(host);
	tunnel.conf.instance =
		fakehost_start(host, &idle_component, "wg", NULL, &e);
	tunnel.network = network_new(&tunnel);
	fd = dup(STDIN_FILENO); /* the next one that is opened */
	close(fd);
	network_watch(tunnel.network);
}

static void teardown(void)
{
	network_free(tunnel.network);
	fakehost_free(host);
}

/* The kernel has news; was the tunnel refreshed, once it was over? */
static bool refreshes(void)
{
	unsigned before = refreshed;

	script_at = 0;
	ck_assert_int_eq(fakehost_fire(host, fd, WEIR_READABLE), 1);
	ck_assert_uint_eq(refreshed, before);
	fakehost_advance(host, 10 * SECOND_US);
	return refreshed == before + 1;
}

START_TEST(a_new_address_refreshes_the_tunnel)
{
	script[0].type = RTM_NEWADDR;
	script[1].err = EAGAIN;
	ck_assert(refreshes());
	script[0].type = RTM_NEWNEIGH;
	ck_assert(!refreshes());
}
END_TEST

START_TEST(a_default_route_refreshes_the_tunnel)
{
	script[0].type = RTM_DELROUTE;
	script[1].err = EAGAIN;
	ck_assert(refreshes());
}
END_TEST

/* A flood of routes: what came behind it is read as well. */
START_TEST(what_was_lost_may_have_been_of_the_kind)
{
	script[0].err = ENOBUFS;
	script[1].type = RTM_NEWNEIGH;
	script[2].err = EAGAIN;
	ck_assert(refreshes());
	ck_assert_uint_eq(script_at, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wg_network");
	TCase *t = tcase_create("wg_network");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_new_address_refreshes_the_tunnel);
	tcase_add_test(t, a_default_route_refreshes_the_tunnel);
	tcase_add_test(t, what_was_lost_may_have_been_of_the_kind);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
