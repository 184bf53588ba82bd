/* SPDX-License-Identifier: ISC */
/*
 * What root has read for it: a child that becomes the owner of the stores,
 * and a pipe that only text comes back through.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "edge/log.h"
#include "edge/pipe.h"

/* What the child says before its text; it may have been taken over. */
struct word {
	int code;
	struct mk_why why;
};

static _Noreturn void
work_apart(struct meshkeys *m, meshkeys_work *work, void *arg, int fd)
{
	struct word word;

	memset(&word, 0, sizeof(word));
	mk_buf_cut(&m->out, 0);
	word.code = keep_become(&m->keep, &m->place, &m->why);
	/* Which a change of the user id takes away again. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (word.code == 0)
		word.code = work(m, arg);
	word.why = m->why;
	if (word.code == 0)
		word.code = mk_buf_check(&m->out, &word.why, "output");
	if (word.code != 0)
		mk_buf_cut(&m->out, 0);
	_exit(mk_write_all(fd, &word, sizeof(word)) &&
	    mk_write_all(fd, m->out.data, m->out.len) ? 0 : 1);
}

/* No control character of a stranger's reaches the terminal. */
static void
take_text(struct mk_buf *text, const char *piece, size_t len)
{
	for (; len > 0; piece++, len--)
		mk_buf_putc(text, (*piece >= ' ' && *piece <= '~') ||
		    *piece == '\n' || *piece == '\t' ? *piece : '?');
}

/* The end of the pipe is the end of the child's words. */
static bool
receive(int fd, struct word *ret_word, struct mk_buf *text)
{
	char piece[4096], *head = (char *)ret_word;
	size_t got = 0, part;
	ssize_t n;

	for (;;) {
		n = read(fd, piece, sizeof(piece));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && got == sizeof(*ret_word);
		part = sizeof(*ret_word) - got;
		if (part > (size_t)n)
			part = (size_t)n;
		memcpy(head + got, piece, part);
		got += part;
		take_text(text, piece + part, (size_t)n - part);
	}
}

/* The reason is a stranger's too: it is shown, and stands in the log. */
static int
settle(struct meshkeys *m, struct word *word, const struct mk_buf *text)
{
	char *stage = word->why.stage, *p;

	if (text->failed != 0)
		return mk_buf_check(text, &m->why, "output");
	if (word->code == 0)
		return 0;
	stage[sizeof(word->why.stage) - 1] = '\0';
	word->why.detail[sizeof(word->why.detail) - 1] = '\0';
	for (p = stage; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return mk_fail(&m->why, word->code, stage, "%s", word->why.detail);
}

int
meshkeys_apart(struct meshkeys *m, meshkeys_work *work, void *arg,
    struct mk_buf *text)
{
	struct word word;
	int fds[2], status = 0;
	pid_t pid, reaped;
	bool whole;

	memset(&word, 0, sizeof(word));
	if (pipe(fds) == -1)
		return mk_fail(&m->why, MK_E_SYSTEM, "child",
		    "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		work_apart(m, work, arg, fds[1]);
	}
	(void)close(fds[1]);
	whole = pid != -1 && receive(fds[0], &word, text);
	(void)close(fds[0]);
	if (pid == -1)
		return mk_fail(&m->why, MK_E_SYSTEM, "child",
		    "cannot fork: %s", strerror(errno));
	do {
		reaped = waitpid(pid, &status, 0);
	} while (reaped == -1 && errno == EINTR);
	if (!whole || reaped != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		return mk_fail(&m->why, MK_E_BUG, "child", "the process that "
		    "reads the stores did not finish its answer");
	return settle(m, &word, text);
}

int
meshkeys_need_root(struct meshkeys *m)
{
	if (geteuid() == 0 || m->place.root_dir != NULL)
		return 0;
	return mk_fail(&m->why, MK_E_PERM, "rights",
	    "only root can do this; run: sudo meshkeys %s",
	    m->command->cmd.name);
}
