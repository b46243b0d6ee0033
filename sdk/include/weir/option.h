/* SPDX-License-Identifier: MIT */
/* weir/option.h - options are declared, not parsed.
 *
 * A component lists its options in a table; the core decodes YAML straight
 * into the component's own struct, reports every error with its place, and
 * makes `weir plugin help` and the JSON Schema of the same table. The decoded
 * struct and all it points to belong to the core and live until the instance is
 * destroyed or reconfigured. */
#ifndef WEIR_OPTION_H
#define WEIR_OPTION_H

#include <weir/base.h>

enum weir_type {
	WEIR_BOOL,   /* bool: true or false, nothing else */
	WEIR_INT,    /* int64_t, decimal, within min..max */
	WEIR_SIZE,   /* uint64_t bytes: 4096, 512k, 8m, 1g (powers of 1024) */
	WEIR_TIME,   /* uint64_t milliseconds: 300ms, 5s, 2m, 1h; 0 */
	WEIR_STRING, /* const char *; min..max bound its length in bytes */
	WEIR_ENUM,   /* int: index into choices */
	WEIR_ADDR,   /* struct weir_addr: 1.2.3.4, [::1]:53, name:443 */
	WEIR_CIDR,  /* struct weir_cidr: 10.0.0.0/8; a bare address is a host */
	WEIR_KEY,   /* uint8_t[32]: base64 (44 characters) or hex (64) */
	WEIR_PATH,  /* const char *: absolute, made so from the file's folder */
	WEIR_RANGE, /* struct weir_range: 443 or 8000-9000, within min..max */
	/* A nested struct, described by `record`. Where it is left out its
	 * options have their presets; those that are required are zero. */
	WEIR_RECORD,
};

/* A SECRET is never printed, and wiped when its struct is freed. An instance
 * that has read it may wipe it before; all else of the struct is read-only. */
#define WEIR_REQUIRED 0x01u   /* must be given */
#define WEIR_LIST 0x02u	      /* struct weir_list; one bare value is a list */
#define WEIR_SECRET 0x04u     /* a key or the like */
#define WEIR_DEPRECATED 0x08u /* accepted with a warning; `help` says why */
#define WEIR_NO_NAME 0x10u    /* ADDR: numbers only, no host name */
#define WEIR_WITH_PORT 0x20u  /* ADDR: a port must be given */
#define WEIR_NO_PORT 0x40u    /* ADDR: a port must not be given */
#define WEIR_HOST_BITS 0x80u  /* CIDR: keep the host bits (interface address) */
#define WEIR_LEVEL 0x100u     /* INT, not of a list: a level of policy.levels */

/* What a WEIR_LIST option decodes to: `count` items of the type's struct,
 * one after the other; RECORD items are record->conf_size apart. */
struct weir_list {
	void *items;
	size_t count;
};

struct weir_schema;

struct weir_option {
	const char *name;   /* as written in YAML: lower_case */
	const char *help;   /* one line, no full stop */
	const char *preset; /* the default as YAML text; NULL: zero or absent */
	enum weir_type type;
	unsigned flags;
	size_t at;		    /* offsetof in the component's struct */
	int64_t min, max;	    /* both 0: no bound */
	const char *const *choices; /* ENUM: NULL-terminated */
	const struct weir_schema *record;
};

struct weir_schema {
	uint32_t size;
	uint32_t option_size; /* sizeof(struct weir_option): the stride */
	uint32_t option_count;
	size_t conf_size; /* of the struct that is filled in */
	const struct weir_option *options;

	/* Optional: rules that span fields. Runs once every field decoded;
	 * says which option is at fault with weir_error(). No side effects. */
	bool (*check)(const void *conf, struct weir_error *e);
};

/* const struct weir_schema s = WEIR_SCHEMA(struct conf, options, check); */
#define WEIR_SCHEMA(type, table, checker)                                      \
	{                                                                      \
		sizeof(struct weir_schema), sizeof(struct weir_option),        \
			sizeof(table) / sizeof(table[0]), sizeof(type), table, \
			checker,                                               \
	}

#endif
