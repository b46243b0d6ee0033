/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log, read back through a pipe in place of standard error. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "fake.h"

static int pipes[2], saved;
static char text[1 << 20];

static void capture(void)
{
	ck_assert_int_eq(pipe(pipes), 0);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	saved = dup(STDERR_FILENO);
	dup2(pipes[1], STDERR_FILENO);
}

/* What came since; standard error stays captured. */
static const char *logged(void)
{
	ssize_t n = read(pipes[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

START_TEST(log_takes_lines_up_to_the_level_of_their_tag)
{
	struct config_log_tag tags[] = {{"tun", WEIR_DEBUG},
					{"direct", WEIR_ERROR}};
	struct weir_list list = {tags, 2};

	capture();
	log_configure(WEIR_WARN, &list);
	ck_assert_int_eq(log_level_of("tun"), WEIR_DEBUG);
	ck_assert_int_eq(log_level_of("direct"), WEIR_ERROR);
	ck_assert_int_eq(log_level_of("x"), WEIR_WARN);
	log_line(WEIR_DEBUG, "tun", "one");
	log_line(WEIR_WARN, "direct", "two");
	log_line(WEIR_INFO, "x", "three");
	log_line(WEIR_WARN, "x", "%s", "four");
	logged();
	ck_assert_ptr_nonnull(strstr(text, "tun: one\n"));
	ck_assert_ptr_null(strstr(text, "two"));
	ck_assert_ptr_null(strstr(text, "three"));
	ck_assert_ptr_nonnull(strstr(text, "x: four\n"));
}
END_TEST

START_TEST(log_lets_no_control_character_through)
{
	capture();
	log_line(WEIR_ERROR, "x", "a\nb\x1b[31mc\x7f%c%s", 1, "\r");
	ck_assert_ptr_nonnull(strstr(logged(), "x: a?b?[31mc???\n"));
	log_line(WEIR_ERROR, "x", "%s",
		 "C1: \xc2\x9b"
		 "31m, no: \xc2\xa3 \xc2");
	ck_assert_ptr_nonnull(
		strstr(logged(), "x: C1: ??31m, no: \xc2\xa3 \xc2\n"));
}
END_TEST

/* As a service manager names the file behind standard error, or another. */
static void name_stream(ino_t other)
{
	char stream[64];
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)(st.st_ino + other));
	setenv("JOURNAL_STREAM", stream, 1);
}

START_TEST(log_has_priorities_where_standard_error_is_the_journal)
{
	capture();
	name_stream(0);
	log_line(WEIR_WARN, "x", "one");
	ck_assert_str_eq(logged(), "<4>x: one\n");
}
END_TEST

START_TEST(log_has_none_where_only_a_parent_wrote_to_the_journal)
{
	capture();
	name_stream(1);
	log_line(WEIR_WARN, "x", "one");
	ck_assert_ptr_nonnull(strstr(logged(), " warn  x: one\n"));
}
END_TEST

START_TEST(log_cuts_a_long_line)
{
	char longer[3000];

	capture();
	memset(longer, 'l', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	log_line(WEIR_ERROR, "x", "%s", longer);
	ck_assert_uint_le(strlen(logged()), 1024);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	log_line(WEIR_ERROR, longer, "%s", longer);
	ck_assert_uint_le(strlen(logged()), 1024);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(log_is_bounded_in_rate_and_counts_the_rest)
{
	size_t lines = 0;

	capture();
	fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
	for (int i = 0; i < 5000; i++)
		log_line(WEIR_ERROR, "x", "-");
	logged();
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	ck_assert_uint_ge(lines, 2000);
	ck_assert_uint_le(lines, 4002); /* a second may have passed */
	usleep(1100000);
	log_line(WEIR_ERROR, "x", "after");
	ck_assert_ptr_nonnull(strstr(logged(), "lines dropped\n"));
	ck_assert_ptr_nonnull(strstr(text, "x: after\n"));
}
END_TEST

START_TEST(log_drops_rather_than_waits_for_a_full_pipe)
{
	capture();
	for (int i = 0; i < 1900; i++) /* more than a pipe holds */
		log_line(WEIR_ERROR, "x", "%0900d", i);
	while (*logged())
		;
	log_line(WEIR_ERROR, "x", "after");
	ck_assert_ptr_nonnull(strstr(logged(), "lines dropped\n"));
	ck_assert_ptr_nonnull(strstr(text, "x: after\n"));
}
END_TEST

START_TEST(log_whose_file_may_not_grow_ends_nobody)
{
	struct fake *world = fake_pair();
	FILE *file = tmpfile();
	struct rlimit was, none;

	fake_start(world);
	ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	log_line(WEIR_ERROR, "x", "lost");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	capture();
	log_line(WEIR_ERROR, "x", "after");
	ck_assert_ptr_nonnull(strstr(logged(), "1 lines dropped\n"));
	fake_stop(world);
	fclose(file);
}
END_TEST

START_TEST(log_names_the_plugin_whose_stream_is_incomplete)
{
	struct fake *world = fake_pair();
	struct fake_part *in = fake_part(world, "in");
	struct fake_end client;

	fake_start(world);
	fake_end_init(&client, FAKE_PEEK | FAKE_READ | FAKE_WRITE);
	client.ops.consume = NULL;
	capture();
	ck_assert_ptr_null(fake_accept(in, &client, "192.0.2.1:80"));
	ck_assert_ptr_nonnull(strstr(logged(), "in: plugin fake made a stream "
					       "that lacks functions"));
	fake_stop(world);
}
END_TEST

START_TEST(log_names_the_plugin_whose_flow_is_incomplete)
{
	struct fake *world = fake_pair();
	struct fake_part *in = fake_part(world, "in");
	struct fake_part *out = fake_part(world, "out");
	struct weir_addr peer = fake_addr("192.0.2.1:9");
	struct fake_flow client, *leg;

	fake_start(world);
	fake_flow_init(&client);
	client.ops.send = NULL;
	capture();
	ck_assert_ptr_null(fake_accept_flow(in, &client, "192.0.2.1:9"));
	ck_assert_ptr_nonnull(strstr(logged(), "in: plugin fake made a flow "
					       "that lacks functions"));
	fake_flow_init(&client);
	ck_assert_ptr_nonnull(fake_accept_flow(in, &client, "192.0.2.1:9"));
	fake_flow_deliver(&client, &peer, "a");
	leg = &fake_opened(out, 0)->flow;
	leg->ops.send = NULL;
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	ck_assert_ptr_nonnull(strstr(logged(), "out: plugin fake made a flow "
					       "that lacks functions"));
	ck_assert_int_eq(leg->closes, 1);
	ck_assert_int_eq(client.errors[0], EIO);
	fake_stop(world);
}
END_TEST

START_TEST(log_tells_which_limit_ended_a_half_closed_session)
{
	struct fake *world = fake_pair();
	struct fake_part *in = fake_part(world, "in");
	struct fake_end client;

	fake_start(world);
	world->levels[0].policy.downlink_only_ms = 0;
	fake_part(world, "out")->answer = FAKE_READY;
	fake_end_init(&client, FAKE_PEEK | FAKE_WRITE);
	ck_assert_ptr_nonnull(fake_accept(in, &client, "192.0.2.1:80"));
	fake_turn(world);
	client.in_eof = true;
	fake_end_notify(&client, WEIR_READABLE);
	log_configure(WEIR_INFO, &(struct weir_list){0});
	capture();
	fake_turn(world);
	ck_assert_int_eq(client.closes, 1);
	ck_assert_ptr_nonnull(strstr(logged(), "downlink_only ran out"));
	fake_stop(world);
}
END_TEST

FAKE_MAIN("log", log_takes_lines_up_to_the_level_of_their_tag,
	  log_lets_no_control_character_through,
	  log_has_priorities_where_standard_error_is_the_journal,
	  log_has_none_where_only_a_parent_wrote_to_the_journal,
	  log_cuts_a_long_line, log_is_bounded_in_rate_and_counts_the_rest,
	  log_drops_rather_than_waits_for_a_full_pipe,
	  log_whose_file_may_not_grow_ends_nobody,
	  log_names_the_plugin_whose_stream_is_incomplete,
	  log_names_the_plugin_whose_flow_is_incomplete,
	  log_tells_which_limit_ended_a_half_closed_session)
