/* SPDX-License-Identifier: ISC */
/*
 * Steps 5 to 8 in a child, for a process that goes on to run another
 * program: none of a stranger's bytes is ever parsed in it.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/akc.h"
#include "core/limits.h"
#include "edge/log.h"
#include "edge/pipe.h"
#include "edge/sandbox.h"

#define MEMORY_BASE	(16u << 20)	/* libraries, lines, yajl */

/*
 * What the child says; both ends are the same program.  The child may have
 * been taken over by what it read: no pointer, no bool, and every length is
 * judged.
 */
struct wire_record {
	int code;
	uint8_t stale, matched;
	struct mk_why why;
	int64_t set_time, age;
	struct mk_udf device;
	uint64_t n_keys;
};

struct wire_head {
	int code;
	uint8_t matched, refused;
	struct mk_why why;
	uint64_t n_records, lines_len;
};

int
akc_close_sandbox(const struct mk_question *q, struct mk_why *why)
{
	size_t memory = MEMORY_BASE, i;

	for (i = 0; i < q->n_found; i++)
		memory += mk_verify_memory(q->found[i].set_len);
	return mk_sandbox_close(memory, MK_OUTPUT_MAX, why);
}

static bool
send_record(int fd, const struct mk_record *rec)
{
	struct wire_record w;

	memset(&w, 0, sizeof(w));
	w.code = rec->code;
	w.stale = rec->stale;
	w.matched = rec->matched;
	w.why = rec->why;
	w.set_time = rec->set_time;
	w.age = rec->age;
	w.device = rec->device;
	w.n_keys = rec->n_keys;
	return mk_write_all(fd, &w, sizeof(w));
}

static bool
send_answer(int fd, const struct mk_answer *answer)
{
	struct wire_head w;
	size_t i;

	memset(&w, 0, sizeof(w));
	w.code = answer->code;
	w.matched = answer->matched;
	w.refused = answer->refused;
	w.why = answer->why;
	w.n_records = answer->n_records;
	w.lines_len = answer->lines.len;
	if (!mk_write_all(fd, &w, sizeof(w)))
		return false;
	for (i = 0; i < answer->n_records; i++) {
		if (!send_record(fd, &answer->records[i]))
			return false;
	}
	return mk_write_all(fd, answer->lines.data, answer->lines.len);
}

/*
 * The child: nothing stays open but the pipe, then the sandbox.  It ends
 * with its parent, whose alarm it does not inherit.
 */
static _Noreturn void
decide_in_child(int fd, const struct mk_question *q, pid_t parent)
{
	struct mk_answer answer;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    getppid() != parent)
		_exit(mk_exit_code(MK_E_SYSTEM));
	memset(&answer, 0, sizeof(answer));
	mk_log_close();
	answer.code = mk_process_isolate(fd, &answer.why);
	if (answer.code == 0)
		answer.code = akc_close_sandbox(q, &answer.why);
	if (answer.code == 0)
		mk_decide(q, &answer);
	_exit(send_answer(fd, &answer) ? 0 : mk_exit_code(MK_E_SYSTEM));
}

static void
end_text(struct mk_why *why)
{
	why->stage[sizeof(why->stage) - 1] = '\0';
	why->detail[sizeof(why->detail) - 1] = '\0';
}

static bool
receive_record(int fd, struct mk_record *rec)
{
	struct wire_record w;

	if (!mk_read_all(fd, &w, sizeof(w)))
		return false;
	rec->code = w.code;
	rec->stale = w.stale != 0;
	rec->matched = w.matched != 0;
	rec->why = w.why;
	end_text(&rec->why);
	rec->set_time = w.set_time;
	rec->age = w.age;
	rec->device = w.device;
	rec->n_keys = w.n_keys;
	return true;
}

static bool
receive_lines(int fd, uint64_t len, struct mk_buf *lines)
{
	char piece[4096];
	size_t n;

	for (; len > 0; len -= n) {
		n = len < sizeof(piece) ? len : sizeof(piece);
		if (!mk_read_all(fd, piece, n))
			return false;
		mk_buf_put(lines, piece, n);
	}
	return lines->failed == 0;
}

static bool
receive_answer(int fd, const struct mk_question *q, struct mk_answer *answer)
{
	struct wire_head w;
	size_t i;

	if (!mk_read_all(fd, &w, sizeof(w)) || w.lines_len > MK_OUTPUT_MAX ||
	    (w.n_records != q->n_found && w.n_records != 0))
		return false;
	/* What failed has no lines, and they would stand before a chain. */
	if (w.code != 0 && (w.lines_len != 0 || w.matched != 0))
		return false;
	answer->code = w.code;
	answer->matched = w.matched != 0;
	answer->refused = w.refused != 0 || w.code != 0;
	answer->why = w.why;
	end_text(&answer->why);
	answer->records = calloc(q->n_found + 1, sizeof(*answer->records));
	if (answer->records == NULL)
		return false;
	for (i = 0; i < w.n_records; i++) {
		answer->records[i].udf = q->found[i].udf;
		if (!receive_record(fd, &answer->records[i]))
			return false;
	}
	answer->n_records = (size_t)w.n_records;
	return receive_lines(fd, w.lines_len, &answer->lines);
}

static void
fail_answer(struct mk_answer *answer, int code, const char *what)
{
	mk_answer_release(answer);
	answer->refused = true;
	answer->code = mk_fail(&answer->why, code, "child", "%s", what);
}

void
akc_decide_apart(const struct mk_question *q, struct mk_answer *ret_answer)
{
	pid_t pid, reaped, parent = getpid();
	int fds[2], status = 0;
	bool received;

	memset(ret_answer, 0, sizeof(*ret_answer));
	mk_buf_init(&ret_answer->lines, MK_OUTPUT_MAX);
	if (pipe(fds) == -1) {
		fail_answer(ret_answer, MK_E_SYSTEM, "cannot make a pipe");
		return;
	}
	pid = fork();
	if (pid == 0)
		decide_in_child(fds[1], q, parent);
	(void)close(fds[1]);
	received = pid != -1 && receive_answer(fds[0], q, ret_answer);
	(void)close(fds[0]);
	if (pid == -1) {
		fail_answer(ret_answer, MK_E_SYSTEM, "cannot fork");
		return;
	}
	do {
		reaped = waitpid(pid, &status, 0);
	} while (reaped == -1 && errno == EINTR);
	if (!received || reaped != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		fail_answer(ret_answer, MK_E_BUG, "the process that verifies "
		    "did not finish its answer");
}
