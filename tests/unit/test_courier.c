/* SPDX-License-Identifier: ISC */
#include <config.h>

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "canned.h"
#include "core/err.h"
#include "edge/fetcher.h"
#include "net/courier.h"
#include "net/frame.h"
#include "unit.h"

#define BODY		(256u << 10)
#define OK_HEAD		"HTTP/1.1 200 OK\r\n"
#define FOUR(x)		x x x x
#define KIB		FOUR(FOUR("0123456789012345678901234567890123456789" \
			"012345678901234567890123"))

static const struct canned table[] = {
	{ "/tag", CANNED_KEEP, OK_HEAD "ETag: \"v1\"\r\n"
	    "Content-Length: 5\r\n\r\nhello", NULL },
	{ "/64k", CANNED_KEEP, OK_HEAD "Content-Length: 65536\r\n\r\n"
	    FOUR(FOUR(FOUR(KIB))), NULL },
	{ "/304", CANNED_KEEP, "HTTP/1.1 304 Not Modified\r\n"
	    "ETag: \"v1\"\r\n\r\n", NULL },
	{ "/silent", CANNED_HOLD, NULL, NULL },
	{ "/chunks", CANNED_REPEAT, OK_HEAD "Transfer-Encoding: chunked\r\n"
	    "\r\n", "400\r\n" KIB "\r\n" },
	{ "/echo", CANNED_ECHO, NULL, NULL },
	{ "/503", CANNED_KEEP, "HTTP/1.1 503 Busy\r\n"
	    "Retry-After: 9999999\r\nContent-Length: 0\r\n\r\n", NULL },
	{ NULL, CANNED_CLOSE, NULL, NULL }
};

static struct canned_server server;
static struct mk_courier courier;

static void
start(unsigned at_once, unsigned per_host)
{
	const struct mk_fetch_limits limits = {
		.body = BODY,
		.seconds = 10,
		.connect_seconds = 2,
		.at_once = at_once,
		.per_host = per_host
	};
	struct mk_why why = { 0 };

	ck_assert_msg(mk_courier_start(&limits, mk_fetcher_confine,
	    &courier, &why) == MK_OK,
	    "%s", why.detail);
}

static void
setup(void)
{
	canned_start(table, &server);
	start(32, 0);
}

static void
teardown(void)
{
	mk_courier_stop(&courier, 2000);
	canned_stop(&server);
}

static int
send_one(uint32_t id, const char *url, const char *post)
{
	const struct mk_fetch_request req = {
		.id = id,
		.url = url,
		.etag = "\"v1\"",
		.post = post
	};

	return mk_courier_send(&courier, &req, NULL);
}

static void
receive(struct mk_fetch_answer *ret_answer)
{
	struct mk_why why = { 0 };

	ck_assert_msg(mk_courier_receive(&courier, 10000, ret_answer,
	    &why) == MK_OK, "%s", why.detail);
}

START_TEST(one)
{
	struct mk_fetch_answer a;

	ck_assert_int_eq(send_one(9, canned_url(&server, "/tag"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_uint_eq(a.id, 9);
	ck_assert_int_eq(a.outcome, MK_FETCH_DONE);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.etag, "\"v1\"");
	ck_assert_ptr_null(a.error);
	ck_assert_uint_eq(a.len, 5);
	ck_assert_int_eq(memcmp(a.body, "hello", 5), 0);
	mk_courier_release(&a);
	ck_assert_int_eq(send_one(10, canned_url(&server, "/304"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_int_eq(a.status, 304);
	ck_assert_uint_eq(a.len, 0);
	mk_courier_release(&a);
	ck_assert_int_eq(send_one(11, canned_url(&server, "/chunks"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_int_eq(a.outcome, MK_FETCH_TOO_BIG);
	ck_assert_ptr_nonnull(a.error);
	mk_courier_release(&a);
}
END_TEST

START_TEST(refusals)
{
	struct mk_fetch_request req = { .url = "http://h/", .etag = "x" };

	ck_assert_int_eq(send_one(1, "file:///etc/passwd", NULL),
	    MK_E_CONFIG);
	ck_assert_int_eq(mk_courier_send(&courier, &req, NULL),
	    MK_E_REFUSED);
}
END_TEST

START_TEST(waiting)
{
	struct mk_fetch_answer a;

	ck_assert_int_eq(mk_courier_receive(&courier, 20, &a, NULL),
	    MK_E_ABSENT);
	ck_assert_int_eq(send_one(1, canned_url(&server, "/silent"), NULL),
	    MK_OK);
	ck_assert_int_eq(mk_courier_receive(&courier, 20, &a, NULL),
	    MK_E_ABSENT);
	/* Others do not wait for that one. */
	ck_assert_int_eq(send_one(2, canned_url(&server, "/tag"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_uint_eq(a.id, 2);
	mk_courier_release(&a);
}
END_TEST

/* Answers wait to be read, and more than the socket holds to be sent. */
START_TEST(both_full)
{
	static char post[MK_FETCH_POST + 1];
	struct mk_fetch_answer a;
	unsigned i;

	memset(post, 'x', MK_FETCH_POST);
	for (i = 0; i < MK_COURIER_UNANSWERED / 2; i++)
		ck_assert_int_eq(send_one(i, canned_url(&server, "/64k"),
		    NULL), MK_OK);
	(void)usleep(300000);
	for (; i < MK_COURIER_UNANSWERED; i++)
		ck_assert_int_eq(send_one(i, canned_url(&server, "/echo"),
		    post), MK_OK);
	for (i = 0; i < MK_COURIER_UNANSWERED; i++) {
		receive(&a);
		ck_assert_int_eq(a.status, 200);
		ck_assert_uint_ge(a.len, 65536);
		mk_courier_release(&a);
	}
}
END_TEST

/*
 * As many of the largest requests as may be unanswered, before any answer
 * is read: neither process waits for the other.
 */
START_TEST(largest_first)
{
	static char post[MK_FETCH_POST + 1];
	const time_t begun = time(NULL);
	struct mk_fetch_answer a;
	unsigned i, round;

	memset(post, 'x', MK_FETCH_POST);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < MK_COURIER_UNANSWERED; i++)
			ck_assert_int_eq(send_one(i, canned_url(&server,
			    "/echo"), post), MK_OK);
		(void)usleep(300000);
		for (i = 0; i < MK_COURIER_UNANSWERED; i++) {
			receive(&a);
			ck_assert_int_eq(a.status, 200);
			ck_assert_uint_gt(a.len, MK_FETCH_POST);
			mk_courier_release(&a);
		}
	}
	ck_assert_int_lt(time(NULL) - begun, 20);
}
END_TEST

#define LARGE	(8u << 20)	/* as much as a portal takes */
#define LARGE_N	4u

static char large[LARGE + 2];

static void
start_large(void)
{
	const struct mk_fetch_limits limits = {
		.body = LARGE + 65536,
		.post = LARGE,
		.seconds = 30,
		.connect_seconds = 2,
		.at_once = LARGE_N
	};
	size_t i;

	mk_courier_stop(&courier, 2000);
	ck_assert_int_eq(mk_courier_start(&limits, mk_fetcher_confine,
	    &courier, NULL), MK_OK);
	for (i = 0; i < LARGE; i++)
		large[i] = (char)('a' + i % 23);
}

/*
 * A profile set at its limit, several times before an answer is read, each
 * many times what the socket holds.
 */
START_TEST(huge)
{
	const char *url = canned_url(&server, "/echo");
	struct mk_fetch_answer a;
	unsigned i;

	start_large();
	for (i = 0; i < LARGE_N; i++)
		ck_assert_int_eq(send_one(i, url, large), MK_OK);
	for (i = 0; i < LARGE_N; i++) {
		receive(&a);
		ck_assert_int_eq(a.status, 200);
		ck_assert_uint_gt(a.len, LARGE);
		ck_assert_int_eq(memcmp(a.body + a.len - LARGE, large,
		    LARGE), 0);
		mk_courier_release(&a);
	}
	large[LARGE] = 'x';
	ck_assert_int_eq(send_one(i, url, large), MK_E_REFUSED);
	large[LARGE] = '\0';
	/* Nothing of it was sent, so that the next one is understood. */
	ck_assert_int_eq(send_one(9, canned_url(&server, "/tag"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_uint_eq(a.id, 9);
	mk_courier_release(&a);
}
END_TEST

/* The other end does not take the sender's word for the length. */
START_TEST(too_huge)
{
	struct mk_frame head = { .magic = MK_FRAME_REQUEST };
	struct mk_fetch_answer a;
	unsigned most;

	if (_i == 1)
		start_large();
	most = _i == 1 ? LARGE : MK_FETCH_POST;
	head.len[0] = most + 1;
	ck_assert_int_eq(send(courier.fd, &head, sizeof(head), MSG_NOSIGNAL),
	    sizeof(head));
	ck_assert_int_eq(mk_courier_receive(&courier, 100, &a, NULL),
	    MK_E_ABSENT);
	mk_courier_stop(&courier, 2000);
	if (_i == 1)
		start_large();
	else
		start(32, 0);
	head.len[0] = most + 2;
	ck_assert_int_eq(send(courier.fd, &head, sizeof(head), MSG_NOSIGNAL),
	    sizeof(head));
	ck_assert_int_eq(mk_courier_receive(&courier, 5000, &a, NULL),
	    MK_E_SYSTEM);
}
END_TEST

/* The limits reach the process. */
START_TEST(per_host)
{
	struct mk_fetch_answer a;
	unsigned i;

	mk_courier_stop(&courier, 2000);
	start(32, 3);
	for (i = 0; i < 30; i++)
		ck_assert_int_eq(send_one(i, canned_url(&server, "/64k"),
		    NULL), MK_OK);
	for (i = 0; i < 30; i++) {
		receive(&a);
		ck_assert_int_eq(a.status, 200);
		mk_courier_release(&a);
	}
	ck_assert_int_le(server.seen->connections, 3);
}
END_TEST

/* What a server asks for comes through, and what is left of it. */
START_TEST(put_off)
{
	struct mk_fetch_answer a;

	ck_assert_int_eq(send_one(1, canned_url(&server, "/503"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_int_eq(a.status, 503);
	ck_assert_uint_eq(a.retry_after, MK_FETCH_RETRY);
	mk_courier_release(&a);
	ck_assert_int_eq(send_one(2, canned_url(&server, "/tag"), NULL),
	    MK_OK);
	receive(&a);
	ck_assert_int_eq(a.outcome, MK_FETCH_PUT_OFF);
	ck_assert_uint_le(a.retry_after, MK_FETCH_RETRY);
	ck_assert_uint_ge(a.retry_after, MK_FETCH_RETRY - 10);
	mk_courier_release(&a);
}
END_TEST

/* More answers than the socket holds. */
START_TEST(large_answers)
{
	struct mk_fetch_answer a;
	unsigned sent = 0, received = 0, most;

	while (received < 1000) {
		most = received + MK_COURIER_UNANSWERED;
		for (; sent < 1000 && sent < most; sent++)
			ck_assert_int_eq(send_one(sent, canned_url(&server,
			    "/64k"), NULL), MK_OK);
		receive(&a);
		ck_assert_uint_eq(a.len, 65536);
		mk_courier_release(&a);
		received++;
	}
}
END_TEST

START_TEST(ten_thousand)
{
	static bool seen[10000];
	struct mk_fetch_answer a;
	unsigned sent = 0, received = 0, most;

	while (received < 10000) {
		most = received + MK_COURIER_UNANSWERED;
		for (; sent < 10000 && sent < most; sent++)
			ck_assert_int_eq(send_one(sent, canned_url(&server,
			    "/tag"), NULL), MK_OK);
		receive(&a);
		ck_assert_uint_lt(a.id, 10000);
		ck_assert(!seen[a.id]);
		seen[a.id] = true;
		ck_assert_int_eq(a.status, 200);
		mk_courier_release(&a);
		received++;
	}
}
END_TEST

START_TEST(killed)
{
	struct mk_fetch_answer a;
	struct mk_why why = { 0 };

	ck_assert_int_eq(kill(courier.pid, SIGKILL), 0);
	ck_assert_int_eq(mk_courier_receive(&courier, 5000, &a, &why),
	    MK_E_SYSTEM);
	ck_assert_int_eq(send_one(1, canned_url(&server, "/tag"), NULL),
	    MK_E_SYSTEM);
}
END_TEST

START_TEST(stopped)
{
	const time_t begun = time(NULL);
	const pid_t pid = courier.pid;
	unsigned i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(send_one(i, canned_url(&server, "/silent"),
		    NULL), MK_OK);
	mk_courier_stop(&courier, 2000);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_lt(time(NULL) - begun, 2);
}
END_TEST

/* One that does not listen is ended all the same. */
START_TEST(stopped_hard)
{
	const pid_t pid = courier.pid;

	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	mk_courier_stop(&courier, 100);
	ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

static bool
is_alive(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z';
}

/* Whoever started it dies: so does it. */
START_TEST(orphaned)
{
	const struct mk_fetch_limits limits = {
		.body = 1, .seconds = 1, .connect_seconds = 1, .at_once = 1
	};
	struct mk_courier c;
	int fd[2], tries;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		if (mk_courier_start(&limits, mk_fetcher_confine,
	    &c, NULL) == MK_OK)
			(void)!write(fd[1], &c.pid, sizeof(c.pid));
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(read(fd[0], &pid, sizeof(pid)), sizeof(pid));
	for (tries = 0; tries < 200 && is_alive(pid); tries++)
		(void)usleep(10000);
	ck_assert(!is_alive(pid));
}
END_TEST

/* What a process that was taken over could send. */
static const struct lie {
	struct mk_frame head;
	const char *rest;
	size_t len;
} lies[] = {
	{ { .magic = 1 }, "", 0 },
	{ { .magic = MK_FRAME_READY }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200,
	    .len = { BODY + 1, 0, 0 } }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200,
	    .len = { 0, MK_FETCH_ETAG + 2, 0 } }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = MK_FETCH_FAILED,
	    .len = { 0, 0, MK_FRAME_ERROR + 1 } }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200,
	    .len = { UINT32_MAX, UINT32_MAX, UINT32_MAX } }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200, .len = { 0, 3, 0 } },
	    "\"\"x", 3 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200, .len = { 0, 4, 0 } },
	    "\"\n\"", 4 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200, .len = { 0, 4, 0 } },
	    "\"\0\"", 4 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = MK_FETCH_FAILED,
	    .len = { 0, 0, 3 } }, "\n\n", 3 },
	{ { .magic = MK_FRAME_ANSWER, .status = 99 }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 70000 }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200, .seconds = 86401 },
	    "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .status = 200, .len = { 0, 0, 2 } },
	    "x", 2 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = 99, .len = { 0, 0, 2 } },
	    "x", 2 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = MK_FETCH_TIMEOUT }, "", 0 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = MK_FETCH_TIMEOUT,
	    .status = 200, .len = { 0, 0, 2 } }, "x", 2 },
	{ { .magic = MK_FRAME_ANSWER, .outcome = MK_FETCH_TIMEOUT,
	    .len = { 1, 0, 2 } }, "yx", 3 }
};

START_TEST(lied_to)
{
	const struct lie *l = &lies[_i];
	struct mk_courier c = { .body = BODY };
	struct mk_fetch_answer a;
	struct mk_why why = { 0 };
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	c.fd = fd[0];
	ck_assert_int_eq(send(fd[1], &l->head, sizeof(l->head), 0),
	    sizeof(l->head));
	ck_assert_int_eq(send(fd[1], l->rest, l->len, 0), (ssize_t)l->len);
	ck_assert_int_eq(mk_courier_receive(&c, 100, &a, &why), MK_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.detail, "malformed"));
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* A frame that comes in byte by byte is a frame. */
START_TEST(in_pieces)
{
	const struct mk_frame head = {
		.magic = MK_FRAME_ANSWER, .id = 3, .status = 200,
		.len = { 2, 5, 0 }
	};
	struct mk_courier c = { .body = BODY };
	struct mk_fetch_answer a;
	char bytes[sizeof(head) + 7];
	size_t i;
	int fd[2];

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), "hi\"v1\"", 7);
	bytes[sizeof(bytes) - 1] = '\0';
	bytes[sizeof(head) + 5] = '"';
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	c.fd = fd[0];
	if (fork() == 0) {
		for (i = 0; i < sizeof(bytes); i++) {
			(void)send(fd[1], bytes + i, 1, 0);
			(void)usleep(1000);
		}
		_exit(0);
	}
	close(fd[1]);
	ck_assert_int_eq(mk_courier_receive(&c, 1000, &a, NULL), MK_OK);
	ck_assert_str_eq(a.etag, "\"v1\"");
	ck_assert_uint_eq(a.len, 2);
	mk_courier_release(&a);
	ck_assert_int_eq(mk_courier_receive(&c, 1000, &a, NULL),
	    MK_E_SYSTEM);
	ck_assert_int_eq(wait(NULL) > 0, 1);
}
END_TEST

/* Descriptors and environment of the process, seen from outside. */
START_TEST(bare)
{
	char path[64], target[256];
	struct dirent *entry;
	unsigned sockets = 0;
	ssize_t n;
	DIR *dir;

	if (geteuid() != 0)
		return;		/* the process is not dumpable */
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)courier.pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target,
		    sizeof(target) - 1);
		ck_assert_int_gt(n, 0);
		target[n] = '\0';
		sockets += strncmp(target, "socket:", 7) == 0;
		if (atoi(entry->d_name) <= STDERR_FILENO)
			ck_assert_str_eq(target, "/dev/null");
		else
			ck_assert(strncmp(target, "socket:", 7) == 0 ||
			    strncmp(target, "anon_inode:", 11) == 0);
	}
	closedir(dir);
	/* Ours, and two with which libcurl wakes itself. */
	ck_assert_uint_le(sockets, 3);
}
END_TEST

/* Behind the walls, in a process of its own; the exit status is the test. */
static int
behind_walls(bool landlock)
{
	struct addrinfo *found = NULL;
	struct rlimit limit = { 0, 0 };
	char byte;
	int fd;

#define EXPECT(n, condition) do { if (!(condition)) return (n); } while (0)
	fd = open("/etc/passwd", O_RDONLY);
	EXPECT(1, fd != -1 && read(fd, &byte, 1) == 1);
	EXPECT(2, open("/etc/passwd", O_RDWR) == -1 && errno == EPERM);
	EXPECT(3, open("x", O_WRONLY | O_CREAT, 0600) == -1 &&
	    errno == EPERM);
	EXPECT(4, open("/dev/null", O_WRONLY) == -1 && errno == EPERM);
	EXPECT(5, open(".", O_TMPFILE | O_RDWR, 0600) == -1 &&
	    errno == EPERM);
	EXPECT(6, syscall(SYS_openat2, -1, "x", NULL, 0) == -1 &&
	    errno == ENOSYS);
	EXPECT(7, execl("/bin/true", "true", (char *)NULL) == -1 &&
	    errno == EPERM);
	EXPECT(8, ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM);
	EXPECT(9, unshare(CLONE_NEWUSER) == -1 && errno == EPERM);
	EXPECT(10, kill(getppid(), 0) == -1 && errno == EPERM);
	EXPECT(11, socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM);
	EXPECT(12, socket(AF_ALG, SOCK_SEQPACKET, 0) == -1 &&
	    errno == EPERM);
	EXPECT(13, socket(AF_INET, SOCK_STREAM, 0) != -1);
	EXPECT(14, socket(AF_INET6, SOCK_STREAM, 0) != -1 ||
	    errno == EAFNOSUPPORT);
	EXPECT(15, socket(AF_NETLINK, SOCK_RAW, 0) != -1);
	EXPECT(16, unlink("/etc/hostname") == -1 && errno == EPERM);
	EXPECT(17, chmod("/etc/hostname", 0777) == -1 && errno == EPERM);
	EXPECT(18, rename("x", "y") == -1 && errno == EPERM);
	EXPECT(19, syscall(SYS_io_uring_setup, 1, NULL) == -1 &&
	    errno == EPERM);
	EXPECT(20, prlimit(getppid(), RLIMIT_CPU, &limit, NULL) == -1 &&
	    errno == EPERM);
	EXPECT(21, getrlimit(RLIMIT_CPU, &limit) == 0);
	EXPECT(22, getaddrinfo("localhost", "80", NULL, &found) == 0);
	if (landlock) {
		EXPECT(30, open("/proc/self/maps", O_RDONLY) == -1 &&
		    errno == EACCES);
		EXPECT(31, open("/", O_RDONLY | O_DIRECTORY) == -1 &&
		    errno == EACCES);
		EXPECT(32, open("/var", O_RDONLY | O_DIRECTORY) == -1 &&
		    errno == EACCES);
	}
#undef EXPECT
	return 0;
}

START_TEST(walls)
{
	bool landlock = syscall(444, NULL, 0, 1) >= 1;
	int status;
	pid_t pid;

	if (!MK_SANDBOX)
		return;
	pid = fork();
	if (pid == 0)
		_exit(mk_fetcher_confine(NULL) != MK_OK ? 99 :
		    behind_walls(landlock));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

Suite *
mk_suite(void)
{
	Suite *s = suite_create("courier");
	TCase *t = tcase_create("process"), *u = tcase_create("frames");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, one);
	tcase_add_test(t, refusals);
	tcase_add_test(t, waiting);
	tcase_add_test(t, both_full);
	tcase_add_test(t, largest_first);
	tcase_add_test(t, huge);
	tcase_add_loop_test(t, too_huge, 0, 2);
	tcase_add_test(t, per_host);
	tcase_add_test(t, put_off);
	tcase_add_test(t, large_answers);
	tcase_add_test(t, ten_thousand);
	tcase_add_test(t, killed);
	tcase_add_test(t, stopped);
	tcase_add_test(t, stopped_hard);
	tcase_add_test(t, bare);
	suite_add_tcase(s, t);
	tcase_set_timeout(u, 60);
	tcase_add_test(u, orphaned);
	tcase_add_loop_test(u, lied_to, 0,
	    (int)(sizeof(lies) / sizeof(lies[0])));
	tcase_add_test(u, in_pieces);
	tcase_add_test(u, walls);
	suite_add_tcase(s, u);
	return s;
}
