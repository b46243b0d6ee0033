/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of an enclosure.
 *
 * Theory of operation: a fresh network namespace holds nothing but a loopback
 * interface that is down. It gets a TUN with the addresses of the plan and
 * the default routes of both families; the TUN's fd goes out to weir, which
 * thereby is the only way out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "inside.h"
#include "rtnl.h"

#define TUN_PATH "/dev/net/tun"

static int tun_make(const char *name, char made[IFNAMSIZ])
{
	struct ifreq request = {.ifr_flags =
					IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		inside_error(
			"cannot open " TUN_PATH ": %s%s", strerror(errno),
			errno == EACCES
				? " (it must be writable for all: mode 666)"
				: " (is the tun module loaded?)");
		return -1;
	}
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		inside_error("cannot make the TUN %s: %s", name,
			     strerror(errno));
		close(fd);
		return -1;
	}
	memcpy(made, request.ifr_name, IFNAMSIZ);
	return fd;
}

static bool addresses_add(struct rtnl *r, unsigned link,
			  const struct enclosure_plan *plan)
{
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < plan->address_count; i++) {
		const struct weir_cidr *a = &plan->addresses[i];
		bool v6 = a->base.kind == WEIR_ADDR_IP6;
		int family = v6 ? AF_INET6 : AF_INET;
		int err = rtnl_address(r, link, a);

		if (!err)
			err = rtnl_default_route(r, link, family);
		/* Where the kernel has no IPv6 there is none inside. */
		if (err && !(v6 && (err == EOPNOTSUPP || err == EACCES)))
			return inside_error("cannot add the address %s/%u: %s",
					    weir_addr_text(&a->base, text),
					    a->bits, strerror(err));
	}
	return true;
}

static bool links_up(const struct enclosure_plan *plan, const char *name)
{
	unsigned link = if_nametoindex(name);
	struct rtnl r;
	bool ok = false;
	int err = rtnl_open(&r);

	if (!err)
		err = rtnl_up(&r, if_nametoindex("lo"), 0);
	if (!err)
		err = rtnl_up(&r, link, plan->mtu_bytes);
	if (err)
		inside_error("cannot bring up %s: %s", name, strerror(err));
	else
		ok = addresses_add(&r, link, plan);
	rtnl_close(&r);
	return ok;
}

int inside_network(const struct enclosure_plan *plan)
{
	char name[IFNAMSIZ];
	int fd = tun_make(plan->interface, name);

	if (fd < 0 || links_up(plan, name))
		return fd;
	close(fd);
	return -1;
}
