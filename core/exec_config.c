/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `weir exec` runs with.
 *
 * Theory of operation: the first inbound of type tun that was given no fd of
 * its own will be handed the TUN from inside; its name, mtu and address
 * describe that device and are read here by the names of its options, as the
 * core knows no plugin's struct. The way to outside's name servers is a second,
 * small configuration whose outbounds and rules are put into the first: the
 * rules in front, the outbounds behind, so that the default outbound stays. */
#include "exec_config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "addr.h"
#include "inside.h"
#include "log.h"
#include "setup.h"
#include "util.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MOST (64 * 1024) /* bytes; libc's lines are few */
#define DEFAULT_INTERFACE "weir0"
#define DEFAULT_MTU 1500

/* doc/examples/direct.yaml is the same. */
static const char direct[] = "inbounds:\n"
			     "  - type: tun\n"
			     "outbounds:\n"
			     "  - type: freedom\n";

/* The decoded value of an option; NULL where there is none of that type. */
static const void *option_value(const struct config_component *c,
				const char *name, enum weir_type type)
{
	const struct weir_schema *s = c->component->schema;
	const char *at = s ? (const char *)s->options : NULL;

	for (uint32_t i = 0; s && i < s->option_count; i++) {
		const struct weir_option *o = (const void *)at;

		if (strcmp(o->name, name) == 0)
			return o->type == type ? (const char *)c->conf + o->at
					       : NULL;
		at += s->option_size;
	}
	return NULL;
}

static const struct config_component *tun_inbound(const struct config *c)
{
	const struct config_component *items = c->inbounds.items;

	for (size_t i = 0; i < c->inbounds.count; i++) {
		const int64_t *fd = option_value(&items[i], "fd", WEIR_INT);

		if (strcmp(items[i].component->type, "tun") == 0 && fd &&
		    *fd < 0)
			return &items[i];
	}
	return NULL;
}

static struct config *base_load(const struct options *o,
				const struct registry *r)
{
	struct config *c = o->config ? setup_config(o, r)
				     : setup_config_text("direct", direct, r);

	if (c && !o->config && c->log_level > WEIR_WARN)
		c->log_level = WEIR_WARN;
	if (c && o->verbose && c->log_level < WEIR_INFO)
		c->log_level = WEIR_INFO;
	return c;
}

/* a, then b, as one list. */
static struct weir_list join(struct arena *arena, const struct weir_list *a,
			     const struct weir_list *b, size_t item)
{
	struct weir_list both = {.count = a->count + b->count};
	char *items = arena_alloc(arena, both.count * item + 1);

	if (a->count)
		memcpy(items, a->items, a->count * item);
	if (b->count)
		memcpy(items + a->count * item, b->items, b->count * item);
	both.items = items;
	return both;
}

static bool has_outbound(const struct config *c, const char *tag)
{
	const struct config_component *items = c->outbounds.items;

	for (size_t i = 0; i < c->outbounds.count; i++)
		if (strcmp(items[i].tag, tag) == 0)
			return true;
	return false;
}

static bool graft(struct config *c, const struct config *extra)
{
	const struct config_component *items = extra->outbounds.items;

	for (size_t i = 0; i < extra->outbounds.count; i++)
		if (has_outbound(c, items[i].tag))
			return inside_error("%s: the tag %s is exec's own",
					    c->file, items[i].tag);
	c->outbounds = join(c->arena, &c->outbounds, &extra->outbounds,
			    sizeof(struct config_component));
	c->rules = join(c->arena, &extra->rules, &c->rules,
			sizeof(struct config_rule));
	return true;
}

/* As libc reads it: no file is an empty file. To be freed. */
static char *resolv_conf_read(void)
{
	char *text = xcalloc(1, RESOLV_CONF_MOST + 1);
	FILE *f = fopen(RESOLV_CONF, "re");

	if (!f)
		return text;
	text[fread(text, 1, RESOLV_CONF_MOST, f)] = '\0';
	fclose(f);
	return text;
}

/* A file that is not there cannot be mounted over. libc then asks the loopback,
 * but inside that is another one. */
static void resolv_conf_miss(void)
{
	if (access(RESOLV_CONF, F_OK) < 0)
		log_line(WEIR_WARN, "weir",
			 RESOLV_CONF ": %s; no name server is asked inside",
			 strerror(errno));
}

static bool names_add(struct exec_config *e, const struct registry *r)
{
	struct config_component *outbounds;
	struct enclosure_plan plan;
	char *text = resolv_conf_read();

	resolv_conf_miss();
	exec_config_plan(e, &plan);
	nameservers_init(&e->names, text, plan.addresses, plan.address_count);
	free(text);
	text = nameservers_config(&e->names);
	e->extra = setup_config_text("exec", text, r);
	free(text);
	if (!e->extra)
		return false;
	outbounds = e->extra->outbounds.items;
	for (size_t i = 0; i < e->names.count; i++)
		outbounds[i].local = addr_is_loopback(&e->names.outside[i]);
	return graft(e->config, e->extra);
}

bool exec_config_load(struct exec_config *e, const struct options *o,
		      const struct registry *r)
{
	*e = (struct exec_config){.config = base_load(o, r)};
	if (!e->config)
		return false;
	if (!tun_inbound(e->config))
		return inside_error("%s: inbounds: exec needs one of type tun "
				    "without fd",
				    e->config->file);
	return names_add(e, r);
}

void exec_config_plan(const struct exec_config *e, struct enclosure_plan *plan)
{
	const struct config_component *tun = tun_inbound(e->config);
	const char *const *name = option_value(tun, "name", WEIR_STRING);
	const int64_t *mtu = option_value(tun, "mtu", WEIR_INT);
	const struct weir_list *addresses =
		option_value(tun, "address", WEIR_CIDR);

	*plan = (struct enclosure_plan){
		.interface = name && *name ? *name : DEFAULT_INTERFACE,
		.mtu_bytes = mtu ? (uint32_t)*mtu : DEFAULT_MTU,
		.addresses = addresses ? addresses->items : NULL,
		.address_count = addresses ? addresses->count : 0,
		.resolv_conf = e->names.text,
	};
}

void exec_config_free(struct exec_config *e)
{
	nameservers_fini(&e->names);
	config_free(e->config);
	config_free(e->extra);
}
