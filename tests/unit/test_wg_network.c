/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of the network, and what it has no room to tell. */
#include <check.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/fakehost.h>

#include "plugins/wireguard/network.h"
#include "tests/unit/idle.h"
#include "tests/suite.h"

#define SECOND_US 1000000ull
#define SCRIPT_MOST 4
#define MESSAGE_ROOM 128
#define LINK_OF_A_PEER 7

static struct fakehost *host;
static struct tunnel tunnel;
static unsigned refreshed;
static int fd; /* of the kernel's news */

/* What is read next: an errno, or a message of this type. */
static struct {
	int err;
	uint16_t type;
	struct ifaddrmsg address;
	uint32_t age_cs; /* of the address when it got its lifetime */
} script[SCRIPT_MOST];
static unsigned script_at;

static void write_address(struct nlmsghdr *m)
{
	struct ifaddrmsg *address = NLMSG_DATA(m);
	struct rtattr *a = IFA_RTA(address);
	struct ifa_cacheinfo life = {
		.cstamp = UINT32_MAX, /* a clock that is about to wrap */
		.tstamp = UINT32_MAX + script[script_at].age_cs};

	*address = script[script_at].address;
	a->rta_type = IFA_CACHEINFO;
	a->rta_len = RTA_LENGTH(sizeof life);
	memcpy(RTA_DATA(a), &life, sizeof life);
	m->nlmsg_len = NLMSG_SPACE(sizeof *address) + a->rta_len;
}

static bool no_sockets;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_socket(int family, int type, int protocol)
{
	errno = EMFILE;
	return no_sockets ? -1 : __real_socket(family, type, protocol);
}

ssize_t __wrap_recv(int from, void *room, size_t len, int flags);

ssize_t __wrap_recv(int from, void *room, size_t len, int flags)
{
	struct nlmsghdr *m = room;

	(void)flags;
	ck_assert_int_eq(from, fd);
	ck_assert_uint_ge(len, MESSAGE_ROOM);
	ck_assert_uint_lt(script_at, SCRIPT_MOST);
	errno = script[script_at].err;
	if (errno)
		return script_at++, -1;
	memset(room, 0, MESSAGE_ROOM);
	m->nlmsg_type = script[script_at].type;
	if (m->nlmsg_type == RTM_NEWADDR || m->nlmsg_type == RTM_DELADDR)
		write_address(m);
	else
		m->nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg));
	script_at++;
	return (ssize_t)m->nlmsg_len;
}

bool tunnel_uses_link(const struct tunnel *t, uint32_t interface)
{
	ck_assert_ptr_eq(t, &tunnel);
	return interface == LINK_OF_A_PEER;
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

/* Routers say it every few seconds. */
START_TEST(an_address_that_is_renewed_changes_nothing)
{
	script[0].type = RTM_NEWADDR;
	script[0].age_cs = 500;
	script[1].err = EAGAIN;
	ck_assert(!refreshes());
	/* One that is being made: the kernel takes the two times in turn. */
	script[0].age_cs = 1;
	ck_assert(refreshes());
	script[0].age_cs = UINT32_MAX;
	ck_assert(refreshes());
	/* It goes, however often it was renewed. */
	script[0].type = RTM_DELADDR;
	script[0].age_cs = 500;
	ck_assert(refreshes());
}
END_TEST

START_TEST(a_link_without_a_peer_changes_nothing_by_its_own_addresses)
{
	script[0].type = _i ? RTM_NEWADDR : RTM_DELADDR;
	script[0].address = (struct ifaddrmsg){.ifa_family = AF_INET6,
					       .ifa_scope = RT_SCOPE_LINK,
					       .ifa_index = 1};
	script[1].err = EAGAIN;
	ck_assert(!refreshes());
	script[0].address.ifa_index = LINK_OF_A_PEER;
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

START_TEST(a_network_that_cannot_be_watched_is_told_of_and_tried_again)
{
	const char *told;

	network_unwatch(tunnel.network);
	no_sockets = true;
	network_watch(tunnel.network);
	fakehost_advance(host, 20 * SECOND_US);
	told = strstr(fakehost_log(host), "cannot watch");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, "cannot watch"));
	ck_assert_uint_eq(refreshed, 0);
	no_sockets = false;
	fakehost_advance(host, 6 * SECOND_US);
	ck_assert_uint_eq(refreshed, 1);
	script[0].type = RTM_NEWADDR;
	script[1].err = EAGAIN;
	ck_assert(refreshes());
}
END_TEST

SUITE("wg_network", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_new_address_refreshes_the_tunnel);
	tcase_add_test(t, a_default_route_refreshes_the_tunnel);
	tcase_add_test(t, an_address_that_is_renewed_changes_nothing);
	tcase_add_loop_test(
		t, a_link_without_a_peer_changes_nothing_by_its_own_addresses,
		0, 2);
	tcase_add_test(t, what_was_lost_may_have_been_of_the_kind);
	tcase_add_test(
		t, a_network_that_cannot_be_watched_is_told_of_and_tried_again);
}
