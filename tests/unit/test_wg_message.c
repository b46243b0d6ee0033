/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate: what is a message and what is not. */
#include "wg.h"

#include "message.h"

#define LEN_MOST 256u

static uint8_t datagram[LEN_MOST];
static struct message m;

static enum message_type parse(uint8_t type, size_t len)
{
	for (size_t i = 0; i < sizeof datagram; i++)
		datagram[i] = (uint8_t)i;
	datagram[0] = type;
	memset(datagram + 1, 0, 3);
	return message_parse(datagram, len, &m);
}

START_TEST(handshake_messages_have_one_length_each)
{
	static const size_t lengths[] = {148, 92, 64};

	for (uint8_t type = 1; type <= 3; type++)
		for (size_t len = 0; len <= LEN_MOST; len++)
			ck_assert_int_eq(parse(type, len),
					 len == lengths[type - 1]
						 ? (enum message_type)type
						 : MESSAGE_NONE);
}
END_TEST

START_TEST(data_is_of_32_bytes_at_least)
{
	for (size_t len = 0; len <= LEN_MOST; len++)
		ck_assert_int_eq(parse(4, len),
				 len >= 32 ? MESSAGE_DATA : MESSAGE_NONE);
}
END_TEST

START_TEST(no_other_type_is_a_message)
{
	for (unsigned type = 0; type < 256; type++)
		if (type < 1 || type > 4)
			for (size_t len = 0; len <= LEN_MOST; len++)
				ck_assert_int_eq(parse((uint8_t)type, len),
						 MESSAGE_NONE);
}
END_TEST

START_TEST(fields_are_little_endian)
{
	ck_assert_int_eq(parse(1, 148), MESSAGE_INITIATION);
	ck_assert_uint_eq(m.sender, 0x07060504);
	ck_assert_int_eq(parse(2, 92), MESSAGE_RESPONSE);
	ck_assert_uint_eq(m.sender, 0x07060504);
	ck_assert_uint_eq(m.receiver, 0x0b0a0908);
	ck_assert_int_eq(parse(3, 64), MESSAGE_COOKIE_REPLY);
	ck_assert_uint_eq(m.receiver, 0x07060504);
	ck_assert_int_eq(parse(4, 96), MESSAGE_DATA);
	ck_assert_uint_eq(m.receiver, 0x07060504);
	ck_assert_uint_eq(m.counter, 0x0f0e0d0c0b0a0908);
	ck_assert_ptr_eq(m.sealed, datagram + 16);
	ck_assert_uint_eq(m.sealed_len, 80);
}
END_TEST

START_TEST(a_data_header_is_read_as_it_was_written)
{
	message_data_header((struct message_data *)datagram, 0xdeadbeef,
			    0x1122334455667788);
	ck_assert(is_hex(datagram, "04000000efbeadde8877665544332211"));
	ck_assert_int_eq(message_parse(datagram, 32, &m), MESSAGE_DATA);
	ck_assert_uint_eq(m.receiver, 0xdeadbeef);
	ck_assert_uint_eq(m.counter, 0x1122334455667788);
}
END_TEST

START_TEST(reserved_bytes_are_moved_out_of_the_message)
{
	static const uint8_t reserved[] = {0x12, 0x34, 0x56};

	parse(4, 64);
	message_set_reserved(datagram, message_reserved_pack(reserved));
	ck_assert_mem_eq(datagram + 1, reserved, sizeof reserved);
	ck_assert_int_eq(message_parse(datagram, 64, &m), MESSAGE_DATA);
	ck_assert_uint_eq(m.reserved, message_reserved_pack(reserved));
	ck_assert(is_hex(datagram, "04000000"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		handshake_messages_have_one_length_each,
		data_is_of_32_bytes_at_least,
		no_other_type_is_a_message,
		fields_are_little_endian,
		a_data_header_is_read_as_it_was_written,
		reserved_bytes_are_moved_out_of_the_message,
	};

	return RUN("wg_message", tests);
}
