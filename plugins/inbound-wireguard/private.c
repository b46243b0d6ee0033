/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.c - the ranges of the special-purpose registries (RFC 6890) that
 * lead to this machine, its neighbours, or many hosts at once. A NAT64 prefix
 * of one's own (RFC 8215) is there to reach private IPv4 addresses, at any of
 * its bits; a kernel with sit0 up is itself at ::a.b.c.d. */
#include "inbound.h"

struct range {
	uint8_t base[16];
	uint8_t bits;
};

static const struct range ranges4[] = {
	{{0}, 8},	   /* "this network" */
	{{10}, 8},	   /* RFC 1918 */
	{{100, 64}, 10},   /* RFC 6598, carriers' NAT */
	{{127}, 8},	   /* loopback */
	{{169, 254}, 16},  /* link local */
	{{172, 16}, 12},   /* RFC 1918 */
	{{192, 0, 0}, 24}, /* protocol assignments */
	{{192, 168}, 16},  /* RFC 1918 */
	{{198, 18}, 15},   /* benchmarks; TUNs of proxies */
	{{224}, 4},	   /* multicast */
	{{240}, 4},	   /* reserved, broadcast */
};

static const struct range ranges6[] = {
	{{0}, 96}, /* unspecified, loopback; IPv4-compatible */
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* NAT64 of one's own */
	{{0x20, 0x01, 0x00, 0x02}, 48}, /* benchmarks; TUNs of proxies */
	{{0x5f}, 16},	    /* segments of a network's own routers */
	{{0xfc}, 7},	    /* unique local */
	{{0xfe, 0x80}, 10}, /* link local */
	{{0xfe, 0xc0}, 10}, /* site local */
	{{0xff}, 8},	    /* multicast */
};

/* IPv4 inside IPv6: mapped, NAT64 (RFC 6052), 6to4. */
static const struct range v4_mapped = {{[10] = 0xff, [11] = 0xff}, 96};
static const struct range nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
static const struct range six_to_four = {{0x20, 0x02}, 16};

static bool in_range(const struct range *r, const uint8_t *ip)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(r->base, ip, whole) == 0 &&
	       (!rest || (ip[whole] & mask) == (r->base[whole] & mask));
}

static bool in_any(const struct range *r, size_t n, const uint8_t *ip)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(&r[i], ip))
			return true;
	return false;
}

static bool is_private4(const uint8_t *ip)
{
	return in_any(ranges4, sizeof ranges4 / sizeof ranges4[0], ip);
}

bool address_is_private(bool v6, const uint8_t *ip)
{
	if (!v6)
		return is_private4(ip);
	if (in_range(&v4_mapped, ip) || in_range(&nat64, ip))
		return is_private4(ip + 12);
	if (in_range(&six_to_four, ip))
		return is_private4(ip + 2);
	return in_any(ranges6, sizeof ranges6 / sizeof ranges6[0], ip);
}
