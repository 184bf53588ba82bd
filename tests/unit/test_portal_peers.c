/* SPDX-License-Identifier: ISC */
/* The bounds on connections: by time, by address, by bytes; and the heads
   of requests. */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshportal.h"
#include "cmd/portal_http.h"
#include "unit/unit.h"

#define PER_ADDRESS	3u
#define PROXY		"127.0.0.7"
#define MIB		(1u << 20)

static struct portal_peers *peers;
static struct portal_peer list[8];
static int other[8];		/* the client's end of each */

static void
setup(void)
{
	struct mk_why why;

	ck_assert_int_ne(sodium_init(), -1);
	memset(list, 0, sizeof(list));
	memset(other, -1, sizeof(other));
	ck_assert_int_eq(portal_peers_new(PER_ADDRESS, PROXY, &peers, &why),
	    0);
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (other[i] == -1)
			continue;
		close(other[i]);
		close(list[i].fd);
	}
	portal_peers_free(peers);
}

static struct sockaddr *
sa_of(const char *ip)
{
	static struct sockaddr_in6 sin6;
	struct sockaddr_in *sin = (struct sockaddr_in *)&sin6;

	memset(&sin6, 0, sizeof(sin6));
	if (inet_pton(AF_INET, ip, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, ip, &sin6.sin6_addr),
		    1);
		sin6.sin6_family = AF_INET6;
	}
	return (struct sockaddr *)&sin6;
}

static struct portal_peer *
come(size_t i, const char *ip, int64_t now)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	list[i].fd = fds[0];
	other[i] = fds[1];
	portal_peers_add(peers, &list[i], sa_of(ip), now);
	return &list[i];
}

static bool
was_shut(size_t i)
{
	char c;

	return recv(other[i], &c, 1, MSG_DONTWAIT) == 0;
}

static bool
may_come(const char *ip)
{
	return portal_peers_may_come(peers, sa_of(ip));
}

START_TEST(each_phase_has_its_time)
{
	ck_assert_int_eq(portal_peers_tick(peers, 0), -1);
	(void)come(0, "192.0.2.1", 0);
	(void)come(1, "192.0.2.1", 100);
	portal_peers_enter(peers, come(2, "192.0.2.2", 0), PORTAL_BODY, 50);
	portal_peers_enter(peers, come(3, "192.0.2.2", 0), PORTAL_WAITING,
	    0);
	portal_peers_enter(peers, come(4, "192.0.2.2", 0), PORTAL_ANSWER,
	    0);
	ck_assert_int_eq(portal_peers_tick(peers, 1000),
	    PORTAL_HEAD_MS - 1000);
	ck_assert_int_eq(portal_peers_tick(peers, PORTAL_HEAD_MS), 100);
	ck_assert(was_shut(0));
	ck_assert(!was_shut(1));
	ck_assert_int_eq(portal_peers_tick(peers, PORTAL_HEAD_MS + 100),
	    PORTAL_BODY_MS + 50 - PORTAL_HEAD_MS - 100);
	ck_assert(was_shut(1));
	(void)portal_peers_tick(peers, PORTAL_BODY_MS + 49);
	ck_assert(!was_shut(2));
	(void)portal_peers_tick(peers, PORTAL_BODY_MS + 50);
	ck_assert(was_shut(2));
	ck_assert_int_eq(portal_peers_tick(peers, PORTAL_ANSWER_MS), -1);
	ck_assert(was_shut(4));
	ck_assert(!was_shut(3));
	ck_assert_uint_eq(portal_peers_count(peers, PORTAL_ENDED), 4);
	ck_assert_uint_eq(portal_peers_count(peers, PORTAL_WAITING), 1);
}
END_TEST

/* A phase begins when it is entered, and not when the connection came. */
START_TEST(a_new_phase_has_new_time)
{
	struct portal_peer *peer = come(0, "192.0.2.1", 0);

	portal_peers_enter(peers, peer, PORTAL_BODY, 20000);
	portal_peers_enter(peers, peer, PORTAL_ANSWER, 40000);
	portal_peers_enter(peers, peer, PORTAL_HEAD, 60000);
	ck_assert_int_eq(portal_peers_tick(peers, 60000), PORTAL_HEAD_MS);
	portal_peers_end(peers, PORTAL_HEAD);
	ck_assert(was_shut(0));
	ck_assert_int_eq(portal_peers_tick(peers, 60000), -1);
}
END_TEST

START_TEST(an_address_has_so_many)
{
	size_t i;

	for (i = 0; i < PER_ADDRESS; i++) {
		ck_assert(may_come("192.0.2.1"));
		(void)come(i, "192.0.2.1", 0);
	}
	ck_assert(!may_come("192.0.2.1"));
	ck_assert(!may_come("::ffff:192.0.2.1"));
	ck_assert(may_come("192.0.2.2"));
	portal_peers_remove(peers, &list[1]);
	ck_assert(may_come("192.0.2.1"));
	for (i = PER_ADDRESS; i < 2 * PER_ADDRESS; i++)
		(void)come(i, "2001:db8::1", 0);
	ck_assert(!may_come("2001:db8::ffff:2"));
	ck_assert(may_come("2001:db8:0:1::1"));
}
END_TEST

START_TEST(a_proxy_has_as_many_as_it_likes)
{
	size_t i;

	for (i = 0; i < 2 * PER_ADDRESS; i++) {
		ck_assert(may_come(PROXY));
		(void)come(i, PROXY, 0);
		ck_assert(list[i].proxy);
	}
}
END_TEST

START_TEST(bodies_are_bounded)
{
	struct portal_peer *a = come(0, "192.0.2.1", 0);
	struct portal_peer *b = come(1, "192.0.2.1", 0);
	struct portal_peer *c = come(2, "192.0.2.2", 0);
	struct portal_peer *proxy = come(3, PROXY, 0);

	ck_assert(portal_peers_hold(peers, a, 10 * MIB));
	ck_assert(!portal_peers_hold(peers, b, 7 * MIB));
	ck_assert(portal_peers_hold(peers, b, 6 * MIB));
	ck_assert(!portal_peers_hold(peers, a, 11 * MIB));
	ck_assert(portal_peers_hold(peers, c, 16 * MIB));
	ck_assert(!portal_peers_hold(peers, proxy, 33 * MIB));
	ck_assert(portal_peers_hold(peers, proxy, 32 * MIB));
	/* What is given back is there for others. */
	ck_assert(portal_peers_hold(peers, a, 2 * MIB));
	ck_assert(portal_peers_hold(peers, proxy, 40 * MIB));
	ck_assert(!portal_peers_hold(peers, a, 3 * MIB));
	portal_peers_remove(peers, c);
	ck_assert(portal_peers_hold(peers, a, 10 * MIB));
}
END_TEST

/* Who waits has room of its own. */
START_TEST(waiting_bodies_are_bounded)
{
	struct portal_peer *peer;
	size_t i;

	for (i = 0; i < 6; i++) {
		peer = come(i, PROXY, 0);
		ck_assert(portal_peers_hold(peers, peer, 32 * MIB));
		ck_assert(portal_peers_may_wait(peers, peer));
		portal_peers_enter(peers, peer, PORTAL_WAITING, 0);
	}
	peer = come(6, PROXY, 0);
	ck_assert(portal_peers_hold(peers, peer, 1));
	ck_assert(!portal_peers_may_wait(peers, peer));
	portal_peers_enter(peers, &list[0], PORTAL_ANSWER, 0);
	ck_assert(portal_peers_may_wait(peers, peer));
	ck_assert(portal_peers_hold(peers, &list[0], 0));
	ck_assert(portal_peers_hold(peers, peer, 64 * MIB));
}
END_TEST

/* Nobody keeps the answers of others back by not taking his own. */
START_TEST(answers_are_bounded)
{
	struct portal_peer *peer;
	size_t i;

	for (i = 0; i < 3; i++) {
		peer = come(i, i < 2 ? "192.0.2.1" : "192.0.2.2", 0);
		portal_peers_enter(peers, peer, PORTAL_ANSWER, 0);
	}
	ck_assert(portal_peers_hold(peers, &list[0], 9 * MIB));
	ck_assert(!portal_peers_hold(peers, &list[1], 8 * MIB));
	ck_assert(portal_peers_hold(peers, &list[1], 7 * MIB));
	ck_assert(portal_peers_hold(peers, &list[2], 9 * MIB));
	/* Bodies have room of their own. */
	portal_peers_enter(peers, &list[2], PORTAL_BODY, 0);
	ck_assert(portal_peers_hold(peers, &list[2], 16 * MIB));
	peer = come(3, PROXY, 0);
	portal_peers_enter(peers, peer, PORTAL_ANSWER, 0);
	ck_assert(!portal_peers_hold(peers, peer, 113 * MIB));
	ck_assert(portal_peers_hold(peers, peer, 112 * MIB));
	portal_peers_remove(peers, &list[0]);
	ck_assert(portal_peers_hold(peers, peer, 121 * MIB));
}
END_TEST

/* Behind a proxy, too, one client is one. */
START_TEST(a_proxy_tells_for_whom)
{
	size_t i;

	for (i = 0; i < PER_ADDRESS + 2; i++) {
		(void)come(i, PROXY, 0);
		portal_peers_speak(peers, &list[i], i == PER_ADDRESS + 1 ?
		    "2001:db8::1" : "192.0.2.1");
	}
	ck_assert(portal_peers_hold(peers, &list[0], 16 * MIB));
	ck_assert(!portal_peers_hold(peers, &list[1], 1));
	ck_assert(portal_peers_hold(peers, &list[PER_ADDRESS + 1], 1));
	/* The next request of that connection may be another's. */
	portal_peers_speak(peers, &list[1], "192.0.2.2");
	ck_assert(portal_peers_hold(peers, &list[1], 16 * MIB));
	portal_peers_speak(peers, &list[1], "192.0.2.1");
	ck_assert(portal_peers_hold(peers, &list[1], 0));
	for (i = 0; i < PER_ADDRESS; i++) {
		ck_assert(portal_peers_may_wait(peers, &list[i]));
		portal_peers_enter(peers, &list[i], PORTAL_WAITING, 0);
	}
	ck_assert(!portal_peers_may_wait(peers, &list[PER_ADDRESS]));
	ck_assert(portal_peers_may_wait(peers, &list[PER_ADDRESS + 1]));
	portal_peers_speak(peers, &list[PER_ADDRESS], NULL);
	ck_assert(portal_peers_may_wait(peers, &list[PER_ADDRESS]));
}
END_TEST

START_TEST(body_grows_to_its_end)
{
	static const uint8_t piece[65536];
	const struct mk_bytes bytes = { piece, sizeof(piece) };
	const struct mk_bytes one = { piece, 1 };
	struct portal_peer *peer = come(0, "192.0.2.1", 0);
	struct portal_body body = { 0 };
	size_t n;

	for (n = 0; n < PORTAL_BODY_MAX; n += sizeof(piece))
		ck_assert_int_eq(portal_body_add(&body, &bytes, peers, peer),
		    0);
	ck_assert_int_eq(portal_body_add(&body, &one, peers, peer), 413);
	ck_assert_uint_eq(body.len, PORTAL_BODY_MAX);
	ck_assert_uint_ge(peer->held, PORTAL_BODY_MAX);
	portal_body_forget(&body, peers, peer);
	ck_assert_uint_eq(peer->held, 0);
	ck_assert_int_eq(portal_body_add(&body, &one, peers, peer), 0);
	portal_body_shrink(&body, peers, peer);
	ck_assert_uint_eq(peer->held, 1);
	portal_body_forget(&body, peers, peer);
}
END_TEST

START_TEST(forwarded_is_the_last_address)
{
	static const struct {
		const char *value, *ip;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1, 198.51.100.7 ", "198.51.100.7" },
		{ "x,\t2001:DB8::0:1", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1,", NULL },
		{ "192.0.2.1, unknown", NULL },
		{ "192.0.2.1:80", NULL },
		{ "[2001:db8::1]", NULL },
		{ "", NULL }
	};
	char ip[PORTAL_IP_TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(portal_field_last_ip(cases[i].value, ip),
		    cases[i].ip != NULL);
		if (cases[i].ip != NULL)
			ck_assert_str_eq(ip, cases[i].ip);
	}
}
END_TEST

START_TEST(address_has_one_form)
{
	static const char *const good[] = { "127.0.0.1:8443", "[::1]:0",
		"0.0.0.0:1", "[2001:db8::1]:65535" };
	static const char *const bad[] = { "", ":", "127.0.0.1", "::1:8443",
		"[127.0.0.1]:1", "[::1]", "[::1]:", "[]:1", "[:1", "::1]:1",
		"127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:1x",
		"localhost:1", "127.1:1", " 127.0.0.1:1" };
	struct portal_address address;
	char text[PORTAL_ADDRESS_TEXT];
	struct mk_why why;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(portal_address_parse(good[i], &address,
		    &why), 0);
		portal_address_text(&address, text);
		ck_assert_str_eq(text, good[i]);
		ck_assert_int_eq(portal_address_is_loopback(&address), i < 2);
		ck_assert_int_eq(portal_address_is_any(&address), i == 2);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(portal_address_parse(bad[i], &address,
		    &why), MK_E_USAGE);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("portal_peers");
	TCase *tc = tcase_create("peers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_phase_has_its_time);
	tcase_add_test(tc, a_new_phase_has_new_time);
	tcase_add_test(tc, an_address_has_so_many);
	tcase_add_test(tc, a_proxy_has_as_many_as_it_likes);
	tcase_add_test(tc, bodies_are_bounded);
	tcase_add_test(tc, waiting_bodies_are_bounded);
	tcase_add_test(tc, answers_are_bounded);
	tcase_add_test(tc, a_proxy_tells_for_whom);
	tcase_add_test(tc, body_grows_to_its_end);
	tcase_add_test(tc, forwarded_is_the_last_address);
	tcase_add_test(tc, address_has_one_form);
	suite_add_tcase(s, tc);
	return s;
}
