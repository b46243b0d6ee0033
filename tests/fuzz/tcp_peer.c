/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_peer.c - what the peer of fuzz_tcp.c says and hears. It keeps books as a
 * real one would, and then strays from them as the script has it. */
#include "tcp_peer.h"

#define URG 0x20
#define ECE 0x40
#define CWR 0x80

#define BLOCKS_MOST 3 /* of SACK, beside timestamps */
#define PAYLOAD_MOST 65400u
#define ISS 0xffffff00u /* soon the numbers wrap */
#define PATTERN_PERIOD (1u << 24)
#define SYN_ONLY 0x10 /* of a peer that is called: both call at once */

/* More of how a segment is: all bits of one, so that it is seldom. */
#define WITHOUT_STAMPS 0x18
#define STRANGE_STAMPS 0x60

struct segment {
	uint8_t flags;
	uint32_t seq, ack, len;
	uint16_t window, urgent;
	uint8_t options[40];
	uint32_t options_len;
};

static const uint8_t *script, *script_end;

void script_begin(const uint8_t *data, size_t size)
{
	script = data;
	script_end = data + size;
}

bool script_goes_on(void)
{
	return script < script_end;
}

uint8_t script_byte(void)
{
	return script < script_end ? *script++ : 0;
}

uint32_t script_amount(void)
{
	uint32_t high = script_byte(),
		 mantissa = (high & 15) << 8 | script_byte();

	return mantissa << (high >> 4) >> 11;
}

/* A window stays until the script has another one. */
static uint16_t window(struct tcp_peer *p)
{
	static const uint16_t usual[] = {0, 1, 2, 88, 1000, 65535};
	uint8_t which = script_byte() % 8;

	if (which > 6)
		p->window = (uint16_t)script_amount();
	else if (which)
		p->window = usual[which - 1];
	return p->window;
}

/* A number near those of one side: what comes next, and the other edge of what
 * is under way. */
static uint32_t near(uint32_t next, uint32_t edge)
{
	switch (script_byte() % 16) {
	case 1:
		return next + script_amount();
	case 2:
		return next - script_amount();
	case 3:
		return edge;
	case 4:
		return edge + script_amount();
	case 5:
		return edge - script_amount();
	case 6:
		return edge - 1;
	default:
		return next;
	}
}

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

const uint8_t *peer_pattern(uint32_t seq)
{
	static uint8_t bytes[PATTERN_PERIOD + PATTERN_MOST];
	static bool made;

	for (uint32_t i = 0; !made && i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i % PATTERN_PERIOD * 2654435761u >> 24);
	made = true;
	return bytes + seq % PATTERN_PERIOD;
}

static void put32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void add_option(struct segment *s, const void *option, uint32_t len)
{
	memcpy(s->options + s->options_len, option, len);
	s->options_len += len;
}

static void add_stamps(struct segment *s, uint32_t stamp, uint32_t echo)
{
	uint8_t option[12] = {1, 1, 8, 10};

	put32(option + 4, stamp);
	put32(option + 8, echo);
	add_option(s, option, sizeof option);
}

static void hand_over(struct tcp_peer *p, uint8_t *packet, uint32_t len,
		      uint8_t how)
{
	uint8_t gso = WEIR_GSO_NONE;
	uint16_t gso_size = 0;

	if (how & MARKED) {
		packet[1] |= p->path.v6 ? 0x30 : 3;
		fix_checksums(packet, len);
	}
	if (how & BY_PUT) {
		link_put(p->link, packet, len);
		return;
	}
	if (how & AS_TRAIN) {
		gso = p->path.v6 ? WEIR_GSO_TCP6 : WEIR_GSO_TCP4;
		gso_size = (uint16_t)(1 + script_amount());
	}
	sim.ops->flush(p->link->link);
	sim_input_train(p->link, packet, len, gso, gso_size, WEIR_CSUM_VALID);
}

static void say(struct tcp_peer *p, const struct segment *s, uint8_t how)
{
	static uint8_t tcp[PACKET_MOST], packet[PACKET_MOST];
	uint32_t header = 20 + s->options_len;
	uint32_t len = s->len < PAYLOAD_MOST ? s->len : PAYLOAD_MOST;
	uint32_t first = s->seq + !!(s->flags & SYN), end;

	memset(tcp, 0, 20);
	put32(tcp, (uint32_t)p->path.client_port << 16 | p->path.server_port);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->flags & ACK ? s->ack : 0);
	put32(tcp + 12, header << 26 | (uint32_t)s->flags << 16 | s->window);
	put32(tcp + 16, s->urgent);
	memcpy(tcp + 20, s->options, s->options_len);
	memcpy(tcp + header, peer_pattern(first), len);
	end = first + len + !!(s->flags & FIN);
	if (s->seq == p->sent)
		p->sent = end;
	if (after(end, p->furthest))
		p->furthest = end;
	if (s->flags & ACK && p->met && after(s->ack, p->agreed) &&
	    !after(s->ack, p->top))
		p->agreed = s->ack;
	if (after(s->ack, p->next) && !after(s->ack, p->top))
		p->next = s->ack;
	len = make_ip(packet, &p->path, IPPROTO_TCP, tcp, header + len);
	hand_over(p, packet, len, how);
}

static void add_offers(struct segment *s, struct tcp_peer *p)
{
	static const uint16_t sizes[] = {1460, 1, 88, 536, 1000, 65535, 0};
	uint8_t refused = script_byte();

	if (!(refused & 1)) {
		uint16_t mss = sizes[script_byte() % 7];

		add_option(s,
			   (uint8_t[]){2, 4, (uint8_t)(mss >> 8), (uint8_t)mss},
			   4);
	}
	if (!(refused & 2))
		add_option(s, (uint8_t[]){1, 3, 3, script_byte()}, 4);
	if (!(refused & 4))
		add_option(s, (uint8_t[]){1, 1, 4, 2}, 4);
	if (!(refused & 8))
		add_stamps(s, p->stamp, p->echo);
	p->stamps = !(refused & 8);
	if (refused & 16)
		s->flags |= ECE | CWR;
}

static void add_sack(struct segment *s, struct tcp_peer *p)
{
	uint8_t how = script_byte(), option[4 + 8 * BLOCKS_MOST] = {1, 1, 5};
	uint8_t n = how % (BLOCKS_MOST + 1);

	for (unsigned i = 0; i < n; i++) {
		unsigned at = (p->held_at - i) % PEER_HELD;
		uint32_t left = p->held[at].left, right = p->held[at].right;

		if (how & (16u << i)) {
			left = near(p->next, p->top);
			right = left + script_amount();
		}
		put32(option + 4 + 8 * i, left);
		put32(option + 8 + 8 * i, right);
	}
	option[3] = (uint8_t)(2 + 8 * n);
	if (n)
		add_option(s, option, 4 + 8u * n);
}

void peer_speak(struct tcp_peer *p)
{
	static const uint8_t flags[32] = {
		ACK,	   ACK | PSH, ACK | ECE, ACK | CWR, ACK | URG | PSH,
		ACK | FIN, RST,	      RST | ACK, SYN,	    SYN | ACK,
		FIN};
	uint8_t how = script_byte(), which = script_byte() % 32;
	struct segment s = {.flags = which < 11 ? flags[which] : ACK};

	s.seq = near(p->sent, p->acked);
	s.ack = near(p->next, p->top);
	s.window = window(p);
	s.len = script_amount();
	if (s.flags & URG)
		s.urgent = (uint16_t)script_amount();
	p->stamp += how >> 7;
	if ((how & STRANGE_STAMPS) == STRANGE_STAMPS)
		add_stamps(&s, p->stamp - script_amount(),
			   p->echo + script_amount());
	else if (p->stamps && (how & WITHOUT_STAMPS) != WITHOUT_STAMPS)
		add_stamps(&s, p->stamp, p->echo);
	add_sack(&s, p);
	if (p->called && s.flags & SYN)
		s.seq = p->iss;
	say(p, &s, how);
}

static void begin(struct tcp_peer *p, struct sim_link *l, struct path path)
{
	*p = (struct tcp_peer){.link = l, .path = path, .window = 65535};
	p->iss = p->sent = p->furthest = ISS + script_amount();
	p->acked = p->iss + 1;
	p->stamp = script_amount() << 16;
}

void peer_call(struct tcp_peer *p, struct sim_link *l, struct path path,
	       uint8_t how)
{
	struct segment s = {.flags = SYN};

	begin(p, l, path);
	s.window = window(p);
	s.seq = p->iss;
	add_offers(&s, p);
	s.len = script_amount() / 16;
	say(p, &s, how & (AS_TRAIN | MARKED));
	p->sent = p->iss + 1;
}

void peer_wait(struct tcp_peer *p, struct sim_link *l, struct path path)
{
	begin(p, l, path);
	p->acked = p->iss;
	p->called = true;
}

void peer_offer(struct tcp_peer *p)
{
	uint8_t how = script_byte();
	struct segment s = {.flags = SYN, .seq = p->iss};
	uint32_t sent = p->sent;

	if (p->called && (how & SYN_ONLY) != SYN_ONLY)
		s.flags |= ACK;
	s.ack = near(p->next, p->top);
	s.window = window(p);
	add_offers(&s, p);
	s.len = script_amount() / 16;
	say(p, &s, how & (BY_PUT | MARKED));
	p->sent = after(p->iss + 1, sent) ? p->iss + 1 : sent;
}

void peer_refuse(struct tcp_peer *p)
{
	static uint8_t packet[PACKET_MOST];
	uint32_t seq = near(p->next, p->top);
	uint32_t len = make_too_big(packet, &p->path, seq, script_amount());
	uint8_t *icmp = packet + (p->path.v6 ? 40 : 20);
	uint8_t what = script_byte();

	if (what) {
		icmp[0] = p->path.v6 ? 1 + (what & 2) : 3 + 8 * !!(what & 2);
		icmp[1] = what >> 4;
		fix_checksums(packet, len);
	}
	sim_input(p->link, packet, len);
}

static void peer_hold(struct tcp_peer *p, uint32_t left, uint32_t right)
{
	unsigned at = ++p->held_at % PEER_HELD;

	p->held[at].left = left;
	p->held[at].right = right;
}

uint32_t peer_edge(const struct tcp_peer *p, const struct seen *s)
{
	return s->ack + ((uint32_t)s->window << p->scale);
}

void peer_hear(struct tcp_peer *p, const struct seen *s, bool lost)
{
	uint32_t right = s->seq + s->payload_len + !!(s->flags & (SYN | FIN));

	if (s->flags & SYN) {
		p->stamps = s->stamps;
		p->met = p->called || s->ack == p->iss + 1;
		p->irs = s->seq;
		p->scale = s->scale;
		p->edge = s->ack + s->window;
		p->next = p->top = p->agreed = right;
	}
	p->echo = s->stamp;
	if (!(s->flags & SYN) && after(peer_edge(p, s), p->edge))
		p->edge = peer_edge(p, s);
	if ((s->flags & ACK) && after(s->ack, p->acked))
		p->acked = s->ack;
	if (after(p->acked, p->sent))
		p->sent = p->acked;
	if (after(right, p->top))
		p->top = right;
	if (lost || !after(right, p->next))
		return;
	if (!after(s->seq, p->next))
		p->next = right;
	else if (p->held[p->held_at % PEER_HELD].right == s->seq)
		p->held[p->held_at % PEER_HELD].right = right;
	else
		peer_hold(p, s->seq, right);
	for (int i = 0; i < PEER_HELD; i++)
		if (!after(p->held[i].left, p->next) &&
		    after(p->held[i].right, p->next))
			p->next = p->held[i].right;
}
