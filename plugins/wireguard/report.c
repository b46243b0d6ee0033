/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - what the log says of single peers when it is asked for counters.
 *
 * Each peer that had drops or traffic gets a line. They may be ten thousand:
 * those with drops come first, and past a bound peers are only counted. */
#include "tunnel_ops.h"

#define PEERS_TOLD_MAX 100u
#define LINE_BYTES 900u /* a line of the log has room for it */

static bool has_drops(const struct wg_peer_info *info)
{
	for (int i = 0; i < WG_DROPS; i++)
		if (info->drops[i])
			return true;
	return false;
}

static void tell(const struct tunnel *t, const struct wg_peer *p,
		 const struct wg_peer_info *info)
{
	char label[PEER_LABEL_BYTES], drops[LINE_BYTES] = "";
	size_t used = 0;

	for (int i = 0; i < WG_DROPS && used < sizeof drops; i++)
		if (info->drops[i])
			used += (size_t)snprintf(
				drops + used, sizeof drops - used, " %s %llu",
				tunnel_drop_counter(i),
				(unsigned long long)info->drops[i]);
	t->conf.host->log(t->conf.instance, WEIR_INFO,
			  "peer %s rx_packets %llu rx_bytes %llu "
			  "tx_packets %llu tx_bytes %llu%s",
			  tunnel_peer_label(p, label),
			  (unsigned long long)info->rx_packets,
			  (unsigned long long)info->rx_bytes,
			  (unsigned long long)info->tx_packets,
			  (unsigned long long)info->tx_bytes, drops);
}

/* Returns how many peers were told of, at most `most`, and adds the others of
 * the kind to `left`. */
static unsigned tell_those(const struct tunnel *t, bool with_drops,
			   unsigned most, unsigned *left)
{
	struct wg_peer *p = NULL;
	struct wg_peer_info info;
	unsigned told = 0;

	while ((p = wg_peer_next(t->device, p))) {
		wg_peer_get(p, &info);
		if (has_drops(&info) != with_drops ||
		    (!with_drops && !info.rx_packets && !info.tx_packets))
			continue;
		if (told == most) {
			++*left;
			continue;
		}
		tell(t, p, &info);
		told++;
	}
	return told;
}

void tunnel_report(const struct tunnel *t)
{
	unsigned told, left = 0;

	if (!t->conf.host->log_on(t->conf.instance, WEIR_INFO))
		return;
	told = tell_those(t, true, PEERS_TOLD_MAX, &left);
	tell_those(t, false, PEERS_TOLD_MAX - told, &left);
	if (left)
		t->conf.host->log(t->conf.instance, WEIR_INFO,
				  "%u more peers had drops or traffic", left);
}
