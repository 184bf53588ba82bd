/* SPDX-License-Identifier: ISC */
/* What sshd's log says of a login, in lines as it writes them. */
#include <check.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cmd/setup_trial.h"
#include "unit/unit.h"

#define HELPER	"/usr/libexec/meshkeys/mesh-authorized-keys %u %t %k"
#define FOUND_A	"Accepted key ED25519 SHA256:aaaa found at "
#define IN_A	"Accepted publickey for alice from 127.0.0.1 port 4242 " \
		"ssh2: ED25519 SHA256:aaaa\r\n"
#define CERT	"Accepted certificate ID "
#define CA	" (serial 7) signed by ED25519 CA SHA256:cccc"
#define IN_CERT	"Accepted publickey for alice from 127.0.0.1 port 4242 " \
		"ssh2: ED25519-CERT SHA256:bbbb ID x (serial 7) CA ED25519 " \
		"SHA256:cccc\r\n"

static struct setup_heard heard;

static void
teardown(void)
{
	setup_heard_release(&heard);
}

static void
hear(const char *log)
{
	struct mk_why why = { 0 };

	setup_heard_release(&heard);
	ck_assert_int_eq(setup_heard_read(log, &heard, &why), 0);
}

START_TEST(by_a_file)
{
	hear("Connection from 127.0.0.1 port 4242 on 127.0.0.1 port 22\r\n"
	    FOUND_A "/root/.ssh/authorized_keys:3\r\n"
	    "Postponed publickey for alice from 127.0.0.1 [preauth]\r\n"
	    FOUND_A "/root/.ssh/authorized_keys:3\r\n" IN_A);
	ck_assert_int_eq(heard.end, SETUP_IN);
	ck_assert(!heard.certificate);
	ck_assert_str_eq(heard.fingerprint, "SHA256:aaaa");
	ck_assert_str_eq(heard.where, "/root/.ssh/authorized_keys:3");
	ck_assert(!setup_heard_command(heard.where, HELPER));
}
END_TEST

START_TEST(by_the_command)
{
	hear(FOUND_A HELPER ":1\n" IN_A);
	ck_assert_int_eq(heard.end, SETUP_IN);
	ck_assert(setup_heard_command(heard.where, HELPER));
	ck_assert(!setup_heard_command(heard.where, "/usr/libexec/meshkeys/"
	    "mesh-authorized-keys"));
	ck_assert(!setup_heard_command(HELPER ":", HELPER));
	ck_assert(!setup_heard_command(HELPER ":1x", HELPER));
	ck_assert(!setup_heard_command(HELPER, HELPER));
}
END_TEST

/* One is found, its signature is not made, and another one gets in. */
START_TEST(of_several)
{
	hear("Accepted key RSA SHA256:bbbb found at /etc/k:1\n"
	    FOUND_A HELPER ":1\n" IN_A);
	ck_assert_str_eq(heard.where, HELPER ":1");
	hear(FOUND_A HELPER ":1\n"
	    "Accepted key RSA SHA256:bbbb found at /etc/k:1\n" IN_A);
	ck_assert_ptr_null(heard.where);
	hear(FOUND_A HELPER ":1\n" IN_A
	    FOUND_A "/etc/k:1\n" IN_A);
	ck_assert_str_eq(heard.where, HELPER ":1");
}
END_TEST

START_TEST(not_told)
{
	hear(IN_A);
	ck_assert_int_eq(heard.end, SETUP_IN);
	ck_assert_str_eq(heard.fingerprint, "SHA256:aaaa");
	ck_assert_ptr_null(heard.where);
}
END_TEST

START_TEST(half)
{
	hear(FOUND_A "/etc/k:1\nPartial publickey for alice from 127.0.0.1 "
	    "port 4242 ssh2: ED25519 SHA256:aaaa\n");
	ck_assert_int_eq(heard.end, SETUP_HALF_IN);
	ck_assert_str_eq(heard.where, "/etc/k:1");
}
END_TEST

START_TEST(kept_out)
{
	static const char *const logs[] = { "", "\n\r\n", FOUND_A "/etc/k:1\n",
	    "Failed publickey for alice from 127.0.0.1 port 1 ssh2: ED25519 "
	    "SHA256:aaaa\n",
	    "User alice from 127.0.0.1 not allowed because not listed in "
	    "AllowUsers\r\n",
	    "Accepted publickey for ", "Accepted key", "Accepted key ",
	    "debug1: Accepted publickey for alice from 127.0.0.1 port 1 "
	    "ssh2: ED25519 SHA256:aaaa\n",
	    "Invalid user Accepted publickey for a from b port 1 ssh2: c d\n",
	    "Accepted password for alice from 127.0.0.1 port 1 ssh2\n" };

	hear(logs[_i]);
	ck_assert_int_eq(heard.end, SETUP_KEPT_OUT);
	ck_assert_ptr_null(heard.fingerprint);
	ck_assert_ptr_null(heard.where);
}
END_TEST

#define N_KEPT_OUT	11

START_TEST(certificates)
{
	static const struct {
		const char *line, *where;
	} cases[] = {
		{ CERT "\"x\"" CA " via /etc/ssh/ca.pub", "/etc/ssh/ca.pub" },
		{ CERT "\"x\"" CA " found at /etc/k:2", "/etc/k:2" },
		{ CERT "\"x\"" CA " found at " HELPER ":2", HELPER ":2" },
		{ CERT "\"a via /etc/b\" (serial 1) found at /etc/c:1\"" CA
		    " via /etc/ssh/ca.pub", "/etc/ssh/ca.pub" },
		{ CERT "\"a via /etc/b\"" CA, NULL }
	};
	char log[1024];

	(void)snprintf(log, sizeof(log), FOUND_A "/etc/other:1\n%s\r\n"
	    IN_CERT, cases[_i].line);
	hear(log);
	ck_assert_int_eq(heard.end, SETUP_IN);
	ck_assert(heard.certificate);
	ck_assert_str_eq(heard.fingerprint, "SHA256:bbbb");
	if (cases[_i].where == NULL)
		ck_assert_ptr_null(heard.where);
	else
		ck_assert_str_eq(heard.where, cases[_i].where);
}
END_TEST

#define N_CERTIFICATES	5

START_TEST(shown)
{
	struct mk_buf out;

	mk_buf_init(&out, 4096);
	setup_heard_show("Connection from 127.0.0.1 port 1 on 127.0.0.1\r\n"
	    "debug1: noise\r\nUser \033[2J not allowed [preauth]\r\n"
	    "User \033[2J not allowed [preauth]\r\nlast", &out);
	ck_assert_str_eq(out.data, "    User ?[2J not allowed\n    last\n");
	mk_buf_release(&out);
}
END_TEST

/* However much there is, a person reads a page. */
START_TEST(shown_of_many)
{
	struct mk_buf log, out;
	size_t i, n = 0;

	mk_buf_init(&log, 1u << 20);
	mk_buf_init(&out, 4096);
	for (i = 0; i < 1000; i++) {
		mk_buf_putu(&log, i);
		mk_buf_putc(&log, '\n');
	}
	setup_heard_show(log.data, &out);
	for (i = 0; i < out.len; i++)
		n += out.data[i] == '\n';
	ck_assert_uint_eq(n, 25);
	ck_assert_str_eq(out.data + out.len - 8, "    ...\n");
	mk_buf_release(&out);
	mk_buf_release(&log);
}
END_TEST

/* A line of /proc/net/tcp, its addresses in the order of this machine. */
static const char *
row(const char *state, unsigned from, unsigned to, uint32_t address)
{
	static char line[256];

	(void)snprintf(line, sizeof(line), "   3: %08X:%04X %08X:%04X %s "
	    "00000000:00000000 02:000000FF 00000000  1001        0 4242 2 "
	    "0000000000000000 20 4 30 10 -1\n", (unsigned)htonl(0x7f000001),
	    from, (unsigned)htonl(address), to, state);
	return line;
}

START_TEST(peers)
{
	uid_t uid = 0;

	ck_assert(setup_heard_peer(row("01", 4242, 80, 0x7f000001), 4242, 80,
	    &uid));
	ck_assert_uint_eq(uid, 1001);
	uid = 0;
	ck_assert(!setup_heard_peer(row("01", 80, 4242, 0x7f000001), 4242,
	    80, &uid));
	ck_assert(!setup_heard_peer(row("01", 4242, 81, 0x7f000001), 4242,
	    80, &uid));
	ck_assert(!setup_heard_peer(row("01", 4242, 80, 0x7f000002), 4242,
	    80, &uid));
	/* Closed already, and told as root's. */
	ck_assert(!setup_heard_peer(row("06", 4242, 80, 0x7f000001), 4242,
	    80, &uid));
	ck_assert(!setup_heard_peer("  sl  local_address rem_address   st "
	    "tx_queue rx_queue tr tm->when retrnsmt   uid\n", 4242, 80,
	    &uid));
	ck_assert(!setup_heard_peer("", 4242, 80, &uid));
	ck_assert_uint_eq(uid, 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("setup_heard");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, by_a_file);
	tcase_add_test(tc, by_the_command);
	tcase_add_test(tc, of_several);
	tcase_add_test(tc, not_told);
	tcase_add_test(tc, half);
	tcase_add_loop_test(tc, kept_out, 0, N_KEPT_OUT);
	tcase_add_loop_test(tc, certificates, 0, N_CERTIFICATES);
	tcase_add_test(tc, shown);
	tcase_add_test(tc, shown_of_many);
	tcase_add_test(tc, peers);
	suite_add_tcase(s, tc);
	return s;
}
