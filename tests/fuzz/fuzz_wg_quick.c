/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg-quick files: any text is refused with an error or read, and what was read
 * keeps the bounds; reports and imports are text without control characters. */
#include <stdlib.h>

#include "plugins/wireguard/import.h"
#include "plugins/wireguard/quick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t errors;

static void tell(void *arg, bool is_error, const char *line)
{
	(void)arg;
	errors += is_error;
	for (; *line; line++)
		if ((unsigned char)*line < 0x20)
			abort();
}

WEIR_PRINTF(2, 3)
static void print(void *arg, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	(void)arg;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof text)
		abort();
	for (n = 0; text[n]; n++)
		if ((unsigned char)text[n] < 0x20 && text[n] != '\n')
			abort();
}

static void judge(const struct quick *q)
{
	const struct quick_peer *p = q->peers.items;

	if (key_is_zero(q->private_key) || q->peers.count > QUICK_PEERS_MAX)
		abort();
	for (size_t i = 0; i < q->peers.count; i++) {
		const struct weir_cidr *c = p[i].allowed_ips.items;

		if (key_is_zero(p[i].public_key))
			abort();
		for (size_t k = 0; k < p[i].allowed_ips.count; k++)
			if (c[k].bits > 128 ||
			    (c[k].base.kind == WEIR_ADDR_IP4 && c[k].bits > 32))
				abort();
		if (p[i].endpoint.kind != WEIR_ADDR_NONE && !p[i].endpoint.port)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct quick_report report = {.tell = tell};
	char *text = malloc(len + 1);
	struct weir_import m = {.size = sizeof m,
				.named = true,
				.file = "f",
				.text = text,
				.len = len,
				.print = print,
				.tell = tell};
	struct quick *q;

	memcpy(text, data, len);
	text[len] = '\0';
	errors = 0;
	q = quick_parse("f", text, len, len & 1, &report);
	if (!q != !!errors)
		abort();
	if (q)
		judge(q);
	quick_free(q);
	import_inbound(&m);
	import_outbound(&m);
	free(text);
	return 0;
}
