/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.c - the gate. Handshake messages have one length each; only data
 * varies, up to what every buffer behind the gate holds. */
#include "message.h"

#include "wg.h" /* WG_DATAGRAM_MAX */

static enum message_type type_of(const uint8_t *datagram, size_t len)
{
	if (len < sizeof(struct message_header))
		return MESSAGE_NONE;
	switch (datagram[0]) {
	case MESSAGE_INITIATION:
		return len == MESSAGE_INITIATION_BYTES ? MESSAGE_INITIATION
						       : MESSAGE_NONE;
	case MESSAGE_RESPONSE:
		return len == MESSAGE_RESPONSE_BYTES ? MESSAGE_RESPONSE
						     : MESSAGE_NONE;
	case MESSAGE_COOKIE_REPLY:
		return len == MESSAGE_COOKIE_REPLY_BYTES ? MESSAGE_COOKIE_REPLY
							 : MESSAGE_NONE;
	case MESSAGE_DATA:
		return len >= MESSAGE_DATA_LEAST_BYTES && len <= WG_DATAGRAM_MAX
			       ? MESSAGE_DATA
			       : MESSAGE_NONE;
	default:
		return MESSAGE_NONE;
	}
}

enum message_type message_parse(uint8_t *datagram, size_t len,
				struct message *m)
{
	*m = (struct message){
		.type = type_of(datagram, len), .bytes = datagram, .len = len};
	switch (m->type) {
	case MESSAGE_NONE:
		return MESSAGE_NONE;
	case MESSAGE_INITIATION:
		m->sender = message_get32(m->initiation->sender);
		break;
	case MESSAGE_RESPONSE:
		m->sender = message_get32(m->response->sender);
		m->receiver = message_get32(m->response->receiver);
		break;
	case MESSAGE_COOKIE_REPLY:
		m->receiver = message_get32(m->cookie_reply->receiver);
		break;
	case MESSAGE_DATA:
		m->receiver = message_get32(m->data->receiver);
		m->counter = message_get64(m->data->counter);
		m->sealed = datagram + MESSAGE_DATA_HEADER_BYTES;
		m->sealed_len = (uint32_t)(len - MESSAGE_DATA_HEADER_BYTES);
		break;
	}
	m->reserved = message_reserved_pack(datagram + 1);
	message_set_reserved(datagram, 0);
	return m->type;
}
