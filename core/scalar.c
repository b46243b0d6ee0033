/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: one reader a type, in a table. A value is read in full
 * or refused: nothing is rounded, guessed or cut. The words that YAML 1.1
 * takes for something else (no, 0777, 1e3, 1_000, 12:30:45) are text here, so
 * they fail where a number or a truth is wanted and pass where text is.
 *
 * `shown` is the value as messages repeat it; of a secret they repeat none, nor
 * of a key that stands where none is wanted. */
#include "scalar.h"

#include "addr.h"
#include "key.h"
#include "nearest.h"

#include <inttypes.h>

#define SCALAR_SHOWN_BYTES 60
#define ADDR_NAME_ROOM 254

struct reading {
	const struct scalar_source *from;
	const struct weir_option *option;
	struct weir_error *error;
	char shown[SCALAR_SHOWN_BYTES + 6]; /* quotes, dots, NUL */
};

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"g", 1u << 30}, {"m", 1u << 20}, {"k", 1u << 10}, {"", 1}, {0}};
static const struct unit time_units[] = {
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {0}};

static void show(struct reading *r)
{
	const char *text = r->from->text;
	size_t len = strlen(text);
	bool bare = len && strcspn(text, " \t\n:,\"'") == len;
	uint8_t key[KEY_BYTES];
	bool is_key = key_parse(text, key);

	explicit_bzero(key, sizeof key);
	if (r->option->flags & WEIR_SECRET || is_key)
		snprintf(r->shown, sizeof r->shown, "the value");
	else if (len > SCALAR_SHOWN_BYTES)
		snprintf(r->shown, sizeof r->shown, "\"%.*s...\"",
			 SCALAR_SHOWN_BYTES - 1, text);
	else
		snprintf(r->shown, sizeof r->shown, bare ? "%s" : "\"%s\"",
			 text);
}

/* Decimal digits without sign, leading zero or anything between. *text moves
 * behind them; false where there are none or too many. */
static bool digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t n = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned d = (unsigned)(*p - '0');

		if (n > ((uint64_t)INT64_MAX - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*text = p;
	*out = n;
	return true;
}

static const char *bound_in(const struct unit *unit, int64_t value, char *text)
{
	uint64_t n = (uint64_t)value;

	while (unit[1].suffix && (!n || n % unit->factor))
		unit++;
	snprintf(text, SCALAR_BOUND_BYTES, "%" PRIu64 "%s", n / unit->factor,
		 unit->suffix);
	return text;
}

const char *scalar_bound(enum weir_type type, int64_t value, char *text)
{
	if (type == WEIR_TIME && value)
		return bound_in(time_units, value, text);
	if (type == WEIR_SIZE)
		return bound_in(size_units, value, text);
	snprintf(text, SCALAR_BOUND_BYTES, "%" PRId64, value);
	return text;
}

static bool within(const struct reading *r, int64_t value)
{
	const struct weir_option *o = r->option;
	char bound[SCALAR_BOUND_BYTES];

	if (!o->min && !o->max)
		return true;
	if (value < o->min)
		return weir_error(r->error, o->name,
				  "%s is too small; the least is %s", r->shown,
				  scalar_bound(o->type, o->min, bound));
	if (value > o->max)
		return weir_error(r->error, o->name,
				  "%s is too large; the most is %s", r->shown,
				  scalar_bound(o->type, o->max, bound));
	return true;
}

static bool read_bool(struct reading *r, void *at)
{
	const char *text = r->from->text;
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return weir_error(r->error, r->option->name,
				  "%s is neither; write true or false",
				  r->shown);
	if (!r->from->plain)
		return weir_error(r->error, r->option->name,
				  "\"%s\" is text; write it without quotes",
				  text);
	*(bool *)at = yes;
	return true;
}

static bool read_int(struct reading *r, void *at)
{
	const char *p = r->from->text;
	bool minus = *p == '-';
	uint64_t n;
	int64_t value;

	p += minus;
	if (!digits(&p, &n) || *p || (minus && !n))
		return weir_error(r->error, r->option->name,
				  "%s is not a number; write digits only, "
				  "without a leading zero, sign or unit",
				  r->shown);
	if (!r->from->plain)
		return weir_error(r->error, r->option->name,
				  "\"%s\" is text; write it without quotes",
				  r->shown);
	value = minus ? -(int64_t)n : (int64_t)n;
	if (!within(r, value))
		return false;
	*(int64_t *)at = value;
	return true;
}

/* A number and its unit; only 0 needs none. */
static bool read_unit(struct reading *r, const struct unit *unit,
		      const char *rule, void *at)
{
	const char *p = r->from->text;
	uint64_t n;

	if (!digits(&p, &n))
		return weir_error(r->error, r->option->name, "%s is %s",
				  r->shown, rule);
	while (unit->suffix && strcmp(unit->suffix, p) != 0)
		unit++;
	if (!unit->suffix && (n || *p))
		return weir_error(r->error, r->option->name, "%s is %s",
				  r->shown, rule);
	if (n > (uint64_t)INT64_MAX / (n ? unit->factor : 1))
		return weir_error(r->error, r->option->name,
				  "%s is beyond all bounds", r->shown);
	n *= n ? unit->factor : 0;
	if (!within(r, (int64_t)n))
		return false;
	*(uint64_t *)at = n;
	return true;
}

static bool read_size(struct reading *r, void *at)
{
	return read_unit(r, size_units,
			 "not a size; write bytes as 4096, 512k, 8m or 1g", at);
}

static bool read_time(struct reading *r, void *at)
{
	return read_unit(r, time_units,
			 "not a time; write a number and its unit as 300ms, "
			 "5s, 2m or 1h",
			 at);
}

static bool read_string(struct reading *r, void *at)
{
	const struct weir_option *o = r->option;
	size_t len = strlen(r->from->text);
	bool bound = o->min || o->max;
	char *copy;

	if (bound && (int64_t)len < o->min && o->min == 1)
		return weir_error(r->error, o->name, "may not be empty");
	if (bound && ((int64_t)len < o->min || (int64_t)len > o->max))
		return weir_error(r->error, o->name,
				  "%s has %zu bytes; %" PRId64 " to %" PRId64
				  " are allowed",
				  r->shown, len, o->min, o->max);
	copy = o->flags & WEIR_SECRET ? arena_secret(r->from->arena, len + 1)
				      : arena_alloc(r->from->arena, len + 1);
	memcpy(copy, r->from->text, len);
	*(const char **)at = copy;
	return true;
}

static bool read_enum(struct reading *r, void *at)
{
	const struct weir_option *o = r->option;
	struct nearest near = {.wanted = r->from->text};
	char all[120] = "";
	size_t used = 0;
	int i;

	for (i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], r->from->text) == 0) {
			*(int *)at = i;
			return true;
		}
		nearest_offer(&near, o->choices[i]);
		if (used < sizeof all)
			used += (size_t)snprintf(all + used, sizeof all - used,
						 "%s%s", i ? ", " : "",
						 o->choices[i]);
	}
	if (near.best)
		return weir_error(r->error, o->name,
				  "%s is none of %s; did you mean %s?",
				  r->shown, all, near.best);
	return weir_error(r->error, o->name, "%s is none of %s", r->shown, all);
}

static bool addr_flags_ok(struct reading *r, const struct weir_addr *a)
{
	unsigned flags = r->option->flags;
	const char *name = r->option->name;

	if ((flags & WEIR_WITH_PORT) && !a->port)
		return weir_error(r->error, name,
				  "%s has no port; write it as %s", r->shown,
				  a->kind == WEIR_ADDR_IP6 ? "[address]:port"
							   : "address:port");
	if ((flags & WEIR_NO_PORT) && a->port)
		return weir_error(r->error, name,
				  "%s has a port; write the address only",
				  r->shown);
	return true;
}

static bool read_addr(struct reading *r, void *at)
{
	char name[ADDR_NAME_ROOM];
	struct weir_addr a;
	bool numbers = r->option->flags & WEIR_NO_NAME;

	if (!addr_parse(r->from->text, &a, numbers ? NULL : name))
		return weir_error(r->error, r->option->name,
				  "%s is not an address; write 192.0.2.1, "
				  "[2001:db8::1]:443%s",
				  r->shown,
				  numbers ? " or the like, not a name"
					  : ", name or name:443");
	if (!addr_flags_ok(r, &a))
		return false;
	if (a.kind == WEIR_ADDR_NAME)
		a.name = arena_strndup(r->from->arena, name, strlen(name));
	*(struct weir_addr *)at = a;
	return true;
}

static bool read_cidr(struct reading *r, void *at)
{
	bool keep = r->option->flags & WEIR_HOST_BITS;
	struct weir_cidr c;
	char text[WEIR_ADDR_TEXT];

	if (!addr_parse_cidr(r->from->text, &c, true))
		return weir_error(r->error, r->option->name,
				  "%s is not a prefix; write 10.0.0.0/8, "
				  "2001:db8::/32 or an address",
				  r->shown);
	if (!keep && !addr_parse_cidr(r->from->text, &c, false)) {
		addr_mask(&c);
		return weir_error(r->error, r->option->name,
				  "%s has bits beyond its length; did you mean "
				  "%s/%u?",
				  r->shown, weir_addr_text(&c.base, text),
				  c.bits);
	}
	*(struct weir_cidr *)at = c;
	return true;
}

static bool read_key(struct reading *r, void *at)
{
	if (key_parse(r->from->text, at))
		return true;
	return weir_error(r->error, r->option->name,
			  "%s is not a key; write its 32 bytes as 44 "
			  "characters of base64 or 64 of hex",
			  r->shown);
}

static bool read_path(struct reading *r, void *at)
{
	const char *text = r->from->text, *folder = r->from->folder;
	size_t len = strlen(text), base = strlen(folder);
	char *path;

	if (!len)
		return weir_error(r->error, r->option->name,
				  "may not be empty");
	if (*text == '/')
		base = 0;
	else if (base && folder[base - 1] == '/')
		base--;
	path = arena_alloc(r->from->arena, base + len + 2);
	memcpy(path, folder, base);
	if (base || *text != '/')
		path[base++] = '/';
	memcpy(path + base, text, len);
	*(const char **)at = path;
	return true;
}

static bool read_range(struct reading *r, void *at)
{
	const char *p = r->from->text;
	uint64_t first, last;
	bool ok = digits(&p, &first);

	last = first;
	if (ok && *p == '-') {
		p++;
		ok = digits(&p, &last);
	}
	if (!ok || *p)
		return weir_error(r->error, r->option->name,
				  "%s is not a range; write 443 or 8000-9000",
				  r->shown);
	if (first > last)
		return weir_error(r->error, r->option->name,
				  "%s ends before it begins", r->shown);
	if (!within(r, (int64_t)first) || !within(r, (int64_t)last))
		return false;
	if (last > UINT32_MAX)
		return weir_error(r->error, r->option->name,
				  "%s is too large; the most is %u", r->shown,
				  UINT32_MAX);
	*(struct weir_range *)at =
		(struct weir_range){(uint32_t)first, (uint32_t)last};
	return true;
}

static const struct {
	size_t size;
	const char *noun;
	bool (*read)(struct reading *, void *at);
} readers[] = {
	[WEIR_BOOL] = {sizeof(bool), "true or false", read_bool},
	[WEIR_INT] = {sizeof(int64_t), "number", read_int},
	[WEIR_SIZE] = {sizeof(uint64_t), "size", read_size},
	[WEIR_TIME] = {sizeof(uint64_t), "time", read_time},
	[WEIR_STRING] = {sizeof(const char *), "text", read_string},
	[WEIR_ENUM] = {sizeof(int), "word", read_enum},
	[WEIR_ADDR] = {sizeof(struct weir_addr), "address", read_addr},
	[WEIR_CIDR] = {sizeof(struct weir_cidr), "prefix", read_cidr},
	[WEIR_KEY] = {32, "key", read_key},
	[WEIR_PATH] = {sizeof(const char *), "path", read_path},
	[WEIR_RANGE] = {sizeof(struct weir_range), "range", read_range},
	[WEIR_RECORD] = {0, "mapping", NULL},
};

size_t scalar_size(enum weir_type type)
{
	return readers[type].size;
}

const char *scalar_noun(enum weir_type type)
{
	return readers[type].noun;
}

bool scalar_read(const struct scalar_source *from,
		 const struct weir_option *option, void *at,
		 struct weir_error *e)
{
	struct reading r = {.from = from, .option = option, .error = e};

	show(&r);
	if (from->plain && (!*from->text || strcmp(from->text, "~") == 0))
		return weir_error(e, option->name, "has no value");
	return readers[option->type].read(&r, at);
}
