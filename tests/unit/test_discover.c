/* SPDX-License-Identifier: ISC */
/* Answers of DNS, made by hand, and a name server that sends them. */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <net/if.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/discover.h"
#include "unit/tree.h"
#include "unit/unit.h"

#define QUERY		"_mmm._tcp.Example.com"
#define DEFAULT		"https://mmm.example.com"

#define OK		0x8180
#define TRUNCATED	0x8380
#define SERVFAIL	0x8182
#define NXDOMAIN	0x8183
#define REFUSED		0x8185
#define NO_ANSWER	0x0100

#define A		1
#define CNAME		5
#define SRV		33

struct service {
	unsigned priority, weight, port;
	const char *target;
};

static uint8_t packet[70000];
static size_t len;
static struct mk_buf out;
static struct mk_why why;

static void
put16(unsigned n)
{
	packet[len++] = (uint8_t)(n >> 8);
	packet[len++] = (uint8_t)n;
}

/* "" is the root. */
static void
put_name(const char *name)
{
	size_t n;

	for (; *name != '\0'; name += n + (name[n] == '.')) {
		n = strcspn(name, ".");
		packet[len++] = (uint8_t)n;
		memcpy(packet + len, name, n);
		len += n;
	}
	packet[len++] = 0;
}

static void
begin(unsigned flags, unsigned answers)
{
	len = 0;
	put16(7);
	put16(flags);
	put16(1);
	put16(answers);
	put16(0);
	put16(0);
	put_name(QUERY);
	put16(SRV);
	put16(1);
}

/* Up to the data; where their length stands. */
static size_t
begin_record(unsigned type, unsigned class)
{
	put16(0xc00c);
	put16(type);
	put16(class);
	put16(0);
	put16(300);
	put16(0);
	return len;
}

static void
end_record(size_t from)
{
	packet[from - 2] = (uint8_t)((len - from) >> 8);
	packet[from - 1] = (uint8_t)(len - from);
}

static void
put_service(const struct service *s)
{
	size_t from = begin_record(SRV, 1);

	put16(s->priority);
	put16(s->weight);
	put16(s->port);
	put_name(s->target);
	end_record(from);
}

static int
parse(void)
{
	char *exact = malloc(len);
	int r;

	/* Reading over the end is to be seen. */
	memcpy(exact, packet, len);
	mk_buf_cut(&out, 0);
	why.detail[0] = '\0';
	r = mk_discover_parse((unsigned char *)exact, (int)len, &out, &why);
	free(exact);
	return r;
}

static void
setup(void)
{
	mk_buf_init(&out, 512);
}

static void
teardown(void)
{
	mk_buf_release(&out);
}

static const struct {
	struct service s[4];
	const char *url;
} orders[] = {
	{ { { 10, 5, 443, "Portal.Example.com" } },
	    "https://portal.example.com" },
	{ { { 10, 5, 8443, "p.example.com" } },
	    "https://p.example.com:8443" },
	{ { { 20, 9, 443, "b.example.com" }, { 10, 0, 443, "a.example.com" } },
	    "https://a.example.com" },
	{ { { 10, 1, 443, "b.example.com" }, { 10, 9, 443, "a.example.com" },
	    { 10, 8, 443, "c.example.com" } }, "https://a.example.com" },
	{ { { 1, 1, 443, "b.example.com" }, { 1, 1, 443, "a.example.com" } },
	    "https://a.example.com" },
	{ { { 1, 1, 444, "b.example.com" }, { 1, 1, 442, "b.example.com" } },
	    "https://b.example.com:442" },
	{ { { 65535, 65535, 65535, "b.example.com" } },
	    "https://b.example.com:65535" },
	{ { { 0, 0, 0, "" }, { 9, 0, 443, "a.example.com" } },
	    "https://a.example.com" }
};

START_TEST(chosen)
{
	unsigned n, i;
	bool turn;

	for (n = 0; n < 4 && orders[_i].s[n].target != NULL; n++)
		;
	for (turn = false;; turn = true) {
		begin(OK, n);
		for (i = 0; i < n; i++)
			put_service(&orders[_i].s[turn ? n - 1 - i : i]);
		ck_assert_int_eq(parse(), 0);
		ck_assert_str_eq(out.data, orders[_i].url);
		if (turn)
			break;
	}
}
END_TEST

#define L21	"aaaaaaaaaaaaaaaaaaaaa"
#define L63	L21 L21 L21

static const char *const bad_targets[] = {
	"com", "localhost", "a.localhost", "a_b.example.com",
	"-a.example.com", "a-.example.com", "a b.example.com",
	"a/b.example.com", "user@example.com", "a:80.example.com",
	"10.0.0.1", "a.0x7f", "b\xc3\xbc.example.com", "a\n.example.com",
	"a\\.example.com", "a?.example.com", "#.example.com"
};

START_TEST(bad_target)
{
	struct service good = { 1, 1, 443, "a.example.com" };
	struct service s = { 9, 1, 443, bad_targets[_i] };

	begin(OK, 2);
	put_service(&good);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.detail, "target"));
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(long_targets)
{
	struct service s = { 1, 1, 443, L63 "." L63 "." L63 "." L63 };

	begin(OK, 1);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
	s.target = L63 "." L63 "." L63 ".com";
	begin(OK, 1);
	put_service(&s);
	ck_assert_int_eq(parse(), 0);
	s.port = 0;
	begin(OK, 1);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
}
END_TEST

START_TEST(none)
{
	const struct service root = { 0, 0, 0, "" };
	size_t from;

	begin(OK, 1);
	put_service(&root);
	ck_assert_int_eq(parse(), MK_E_NOPROFILE);
	begin(OK, 0);
	ck_assert_int_eq(parse(), MK_E_ABSENT);
	begin(NXDOMAIN, 0);
	ck_assert_int_eq(parse(), MK_E_ABSENT);
	begin(SERVFAIL, 0);
	ck_assert_int_eq(parse(), MK_E_STALE);
	/* Others than services of the Internet do not count. */
	begin(OK, 2);
	from = begin_record(CNAME, 1);
	put_name("c.example.com");
	end_record(from);
	from = begin_record(SRV, 3);
	put16(0);
	end_record(from);
	ck_assert_int_eq(parse(), MK_E_ABSENT);
}
END_TEST

/* Cut anywhere, it is refused and nothing behind the end is read. */
START_TEST(cut)
{
	const struct service s = { 1, 2, 443, "a.example.com" };
	size_t whole;

	begin(OK, 2);
	put_service(&s);
	put_service(&s);
	whole = len;
	for (len = 0; len < whole; len++)
		ck_assert_int_eq(parse(), MK_E_REFUSED);
	ck_assert_int_eq(parse(), 0);
	/* Nor does anything follow it. */
	put16(0);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
}
END_TEST

/* A target of exactly these bytes, the whole of it 'more' bytes longer. */
static int
raw_target(const void *bytes, size_t n, size_t more)
{
	size_t from;

	begin(OK, 1);
	from = begin_record(SRV, 1);
	put16(1);
	put16(1);
	put16(443);
	memcpy(packet + len, bytes, n);
	len += n;
	memset(packet + len, 0, more);
	len += more;
	end_record(from);
	return parse();
}

START_TEST(raw)
{
	unsigned self;
	uint8_t loop[2];

	begin(OK, 1);
	self = (unsigned)begin_record(SRV, 1) + 6;
	loop[0] = (uint8_t)(0xc0 | self >> 8);
	loop[1] = (uint8_t)self;
	/* To itself, before it in a circle, beyond the end, a bad type. */
	ck_assert_int_eq(raw_target(loop, 2, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\x01" "a\xc0\x00", 4, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\xff\xff", 2, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\x80" "a", 2, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\x3f" "a", 2, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\xc0", 1, 0), MK_E_REFUSED);
	ck_assert_int_eq(raw_target("", 0, 0), MK_E_REFUSED);
	/* More than the target, and a pointer to a proper name. */
	ck_assert_int_eq(raw_target("\x01" "a\x02" "bc\x00", 6, 1),
	    MK_E_REFUSED);
	ck_assert_int_eq(raw_target("\x01" "a\x02" "bc\x00", 6, 0), 0);
	ck_assert_str_eq(out.data, "https://a.bc");
	ck_assert_int_eq(raw_target("\x01" "a\xc0\x16", 4, 0), 0);
	ck_assert_str_eq(out.data, "https://a.example.com");
}
END_TEST

START_TEST(heads)
{
	const struct service s = { 1, 2, 443, "a.example.com" };

	begin(NO_ANSWER, 1);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
	begin(TRUNCATED, 1);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
	begin(OK, 65535);
	put_service(&s);
	ck_assert_int_eq(parse(), MK_E_REFUSED);
	ck_assert_int_eq(mk_discover_parse(packet, -1, &out, &why),
	    MK_E_REFUSED);
}
END_TEST

START_TEST(largest)
{
	struct service s = { 5, 2, 443, "a.example.com" };
	unsigned n, most;
	size_t each;

	begin(OK, 0);
	each = len;
	put_service(&s);
	each = len - each;
	most = (unsigned)((65535 - (len - each)) / each);
	begin(OK, most);
	for (n = 0; n < most; n++) {
		if (n == most - 1)
			s.priority = 4, s.target = "b.example.com";
		put_service(&s);
	}
	ck_assert_int_eq(parse(), 0);
	ck_assert_str_eq(out.data, "https://b.example.com");
	len = 65537;
	ck_assert_int_eq(parse(), MK_E_REFUSED);
}
END_TEST

static const char *const bad_domains[] = {
	"", ".", "localhost", "example", "mesh.localhost", "10.0.0.1",
	"example.com.", ".example.com", "example..com", "ex_ample.com",
	"example.com/x", "example.com:80", "-.com", "a.b\n",
	L63 "." L63 "." L63 "." L63
};

START_TEST(bad_domain)
{
	ck_assert_int_eq(mk_discover(bad_domains[_i], &out, &why),
	    MK_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.detail,
	    "name the portal with --portal"));
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* What the server answers; NULL target: no service. */
struct scene {
	unsigned flags;
	struct service s;
	bool silent, garbage;
	int result;
	const char *url;
};

static const struct scene scenes[] = {
	{ .flags = OK, .s = { 1, 1, 8443, "p.example.com" },
	    .url = "https://p.example.com:8443" },
	{ .flags = OK, .url = DEFAULT },
	{ .flags = NXDOMAIN, .url = DEFAULT },
	{ .flags = OK, .s = { 0, 0, 0, "" }, .result = MK_E_NOPROFILE },
	{ .flags = OK, .s = { 1, 1, 443, "10.0.0.1" },
	    .result = MK_E_REFUSED },
	{ .flags = SERVFAIL, .result = MK_E_STALE },
	{ .flags = REFUSED, .result = MK_E_STALE },
	{ .flags = TRUNCATED, .s = { 1, 1, 443, "p.example.com" },
	    .result = MK_E_REFUSED },
	{ .silent = true, .result = MK_E_STALE },
	{ .flags = OK, .garbage = true, .result = MK_E_REFUSED }
};

static void
serve(int fd, const struct scene *s)
{
	struct sockaddr_in from;
	uint8_t query[512];
	socklen_t size;
	ssize_t n;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(40);
	for (;;) {
		size = sizeof(from);
		n = recvfrom(fd, query, sizeof(query), 0,
		    (struct sockaddr *)&from, &size);
		if (n < 12 || s->silent)
			continue;
		begin(s->flags, s->s.target != NULL);
		/* Nothing but our question is answered. */
		if ((size_t)n < len || memcmp(query + 12, packet + 12,
		    len - 12) != 0)
			continue;
		if (s->s.target != NULL)
			put_service(&s->s);
		if (s->garbage) {
			packet[7] = 1;
			memset(packet + len, 0xff, 9);
			len += 9;
		}
		memcpy(packet, query, 2);
		(void)sendto(fd, packet, len, 0, (struct sockaddr *)&from,
		    size);
	}
}

/* A host of its own with this name server; false if that is not allowed. */
static bool
make_host(int *ret_fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(53) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET |
	    (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(tree_path("/resolv.conf"), "/etc/resolv.conf", NULL,
	    MS_BIND, NULL) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*ret_fd = fd;
	return fd != -1 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 &&
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
}

/* The exit status of a process of its own: 77 if it is not allowed. */
static int
on_host(const struct scene *s)
{
	const time_t begun = time(NULL);
	pid_t server;
	int fd, r;

	if (!make_host(&fd))
		return 77;
	server = fork();
	if (server == 0)
		serve(fd, s);
	close(fd);
	/* Neither of them makes us wait for longer. */
	(void)setenv("RES_OPTIONS", "timeout:30 attempts:5 use-vc", 1);
	r = mk_discover("Example.com", &out, &why);
	(void)kill(server, SIGKILL);
	if (time(NULL) - begun > 7)
		return 1;
	if (r != s->result)
		return 2;
	if (s->url == NULL ? out.len != 0 : strcmp(out.data, s->url) != 0)
		return 3;
	return 0;
}

START_TEST(asked)
{
	int status;
	pid_t pid;

	tree_setup();
	tree_text("/resolv.conf", "nameserver 127.0.0.1\nsearch invalid\n");
	pid = fork();
	if (pid == 0)
		_exit(on_host(&scenes[_i]));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	tree_teardown();
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		fprintf(stderr, "no namespaces here: not tested\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("discover");
	TCase *t = tcase_create("answers"), *u = tcase_create("server");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, chosen, 0,
	    (int)(sizeof(orders) / sizeof(orders[0])));
	tcase_add_loop_test(t, bad_target, 0,
	    (int)(sizeof(bad_targets) / sizeof(bad_targets[0])));
	tcase_add_test(t, long_targets);
	tcase_add_test(t, none);
	tcase_add_test(t, cut);
	tcase_add_test(t, raw);
	tcase_add_test(t, heads);
	tcase_add_test(t, largest);
	tcase_add_loop_test(t, bad_domain, 0,
	    (int)(sizeof(bad_domains) / sizeof(bad_domains[0])));
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, teardown);
	tcase_set_timeout(u, 60);
	tcase_add_loop_test(u, asked, 0,
	    (int)(sizeof(scenes) / sizeof(scenes[0])));
	suite_add_tcase(s, u);
	return s;
}
