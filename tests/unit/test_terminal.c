/* SPDX-License-Identifier: ISC */
/*
 * A person at a terminal: the test types, a process that stands for the
 * shell starts the one that asks, and tells how it ended and how the
 * terminal was then.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <sodium.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/terminal.h"
#include "unit/unit.h"

#define PROMPT	"Word: "
#define SECONDS	20

enum kind { SECRET, LINE, YES };

struct scene {
	enum kind kind;
	const char *typed;
	const char *again;	/* after the second prompt */
	int result;
	const char *line;	/* of YES: "yes" or "" */
	int ended_by;		/* a signal, or 0 */
};

struct report {
	int status;
	bool stopped, echo_stopped, echo;
};

static int
answer(const struct scene *s, char **ret_line)
{
	bool yes = false;
	int r;

	switch (s->kind) {
	case SECRET:
		return mk_terminal_secret(PROMPT, 8, ret_line, NULL);
	case LINE:
		return mk_terminal_line(PROMPT, 8, ret_line, NULL);
	case YES:
		r = mk_terminal_yes(PROMPT, &yes, NULL);
		*ret_line = strdup(yes ? "yes" : "");
		return r;
	}
	return MK_E_BUG;
}

/* In a process group of its own, as a shell does it. */
static void
ask(const struct scene *s)
{
	char *line = NULL;
	int r;

	(void)signal(SIGTTOU, SIG_IGN);
	(void)setpgid(0, 0);
	(void)tcsetpgrp(STDIN_FILENO, getpid());
	(void)signal(SIGTTOU, SIG_DFL);
	r = answer(s, &line);
	if (r != s->result)
		_exit(1);
	if (r == MK_OK && strcmp(line, s->line) != 0)
		_exit(2);
	_exit(0);
}

/* Those of the library that runs the tests would end all of us. */
static void
default_signals(void)
{
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
}

static bool
has_echo(void)
{
	struct termios t;

	return tcgetattr(STDIN_FILENO, &t) == 0 && (t.c_lflag & ECHO) != 0;
}

static void
shell(int slave, const struct scene *s, int report)
{
	struct report rep = { .stopped = false };
	pid_t pid;

	default_signals();
	(void)alarm(SECONDS);
	(void)setsid();
	if (ioctl(slave, TIOCSCTTY, 0) != 0 ||
	    dup2(slave, STDIN_FILENO) == -1)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		(void)alarm(SECONDS);
		ask(s);
	}
	while (waitpid(pid, &rep.status, WUNTRACED) == pid &&
	    WIFSTOPPED(rep.status)) {
		rep.stopped = true;
		rep.echo_stopped = has_echo();
		(void)kill(pid, SIGCONT);
	}
	rep.echo = has_echo();
	(void)!write(report, &rep, sizeof(rep));
	_exit(0);
}

/* Reads what is shown until the prompt has come, or all of it. */
static void
watch(int master, char *shown, size_t size, const char *until)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	size_t len = strlen(shown), from = len;
	ssize_t n;

	while (poll(&p, 1, SECONDS * 1000) > 0) {
		n = read(master, shown + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		shown[len] = '\0';
		if (until != NULL && strstr(shown + from, until) != NULL)
			return;
	}
	ck_assert_ptr_null(until);
}

static void
play(const struct scene *s, char *shown, size_t size, struct report *ret)
{
	int master, slave, report[2];
	pid_t pid;

	shown[0] = '\0';
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(pipe(report), 0);
	pid = fork();
	if (pid == 0) {
		close(master);
		shell(slave, s, report[1]);
	}
	close(slave);
	close(report[1]);
	watch(master, shown, size, PROMPT);
	ck_assert_int_eq(write(master, s->typed, strlen(s->typed)),
	    (ssize_t)strlen(s->typed));
	if (s->again != NULL) {
		watch(master, shown, size, PROMPT);
		ck_assert_int_eq(write(master, s->again, strlen(s->again)),
		    (ssize_t)strlen(s->again));
	}
	watch(master, shown, size, NULL);
	ck_assert_int_eq(read(report[0], ret, sizeof(*ret)), sizeof(*ret));
	close(report[0]);
	close(master);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static const struct scene scenes[] = {
	{ SECRET, "sesame\n", NULL, 0, "sesame", 0 },
	{ SECRET, "12345678\n", NULL, 0, "12345678", 0 },
	{ SECRET, "\n", NULL, 0, "", 0 },
	{ SECRET, "123456789\n", NULL, MK_E_USAGE, NULL, 0 },
	{ SECRET, "\004", NULL, MK_E_USAGE, NULL, 0 },
	{ SECRET, "sesam\004\004", NULL, MK_E_USAGE, NULL, 0 },
	{ SECRET, "sex\177same\n", NULL, 0, "sesame", 0 },
	{ SECRET, "ses\003", NULL, 0, NULL, SIGINT },
	{ SECRET, "ses\034", NULL, 0, NULL, SIGQUIT },
	{ SECRET, "ses\032", "sesame\n", 0, "sesame", 0 },
	{ SECRET, "\032", "\003", 0, NULL, SIGINT },
	{ LINE, "sesame\n", NULL, 0, "sesame", 0 },
	{ LINE, "123456789\n", NULL, MK_E_USAGE, NULL, 0 },
	{ LINE, "\032", "sesame\n", 0, "sesame", 0 },
	{ LINE, "\003", NULL, 0, NULL, SIGINT },
	{ YES, "yes\n", NULL, 0, "yes", 0 },
	{ YES, "y\n", NULL, 0, "yes", 0 },
	{ YES, "Y\n", NULL, 0, "", 0 },
	{ YES, "yes \n", NULL, 0, "", 0 },
	{ YES, "no\n", NULL, 0, "", 0 },
	{ YES, "\n", NULL, 0, "", 0 },
	{ YES, "yesyesyesyesyesyes\n", NULL, MK_E_USAGE, NULL, 0 },
	{ YES, "\004", NULL, MK_E_USAGE, NULL, 0 }
};

START_TEST(asked)
{
	const struct scene *s = &scenes[_i];
	char shown[4096];
	struct report rep;

	play(s, shown, sizeof(shown), &rep);
	if (s->ended_by != 0) {
		ck_assert(WIFSIGNALED(rep.status));
		ck_assert_int_eq(WTERMSIG(rep.status), s->ended_by);
	} else {
		ck_assert(WIFEXITED(rep.status));
		ck_assert_int_eq(WEXITSTATUS(rep.status), 0);
	}
	ck_assert(rep.echo);
	ck_assert(rep.stopped == (s->again != NULL));
	ck_assert(!rep.stopped || rep.echo_stopped);
	if (s->kind == SECRET) {
		ck_assert_ptr_null(strstr(shown, "se"));
		ck_assert_ptr_null(strstr(shown, "123"));
	} else if (s->result == 0 && strcmp(s->typed, "sesame\n") == 0) {
		ck_assert_ptr_nonnull(strstr(shown, "sesame"));
	}
}
END_TEST

/* By others than the keyboard. */
START_TEST(ended)
{
	static const int sent[] = { SIGTERM, SIGHUP };
	int master, slave, status;
	struct termios t;
	char shown[256] = "";
	pid_t pid;

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	pid = fork();
	if (pid == 0) {
		struct scene s = { .kind = SECRET };
		char *line;

		default_signals();
		(void)alarm(SECONDS);
		(void)setsid();
		(void)ioctl(slave, TIOCSCTTY, 0);
		/* The terminal outlives the one that asks. */
		pid = fork();
		if (pid == 0)
			_exit(answer(&s, &line) == 0 ? 0 : 1);
		(void)signal(SIGHUP, SIG_IGN);
		watch(master, shown, sizeof(shown), PROMPT);
		if (tcgetattr(slave, &t) != 0 || (t.c_lflag & ECHO) != 0)
			_exit(10);
		(void)kill(pid, sent[_i]);
		if (waitpid(pid, &status, 0) != pid ||
		    !WIFSIGNALED(status) || WTERMSIG(status) != sent[_i])
			_exit(11);
		if (tcgetattr(slave, &t) != 0 || (t.c_lflag & ECHO) == 0)
			_exit(12);
		_exit(0);
	}
	close(slave);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	close(master);
}
END_TEST

/* Standard input is never asked in its place. */
START_TEST(none)
{
	int fd[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(write(fd[1], "yes\n", 4), 4);
	pid = fork();
	if (pid == 0) {
		struct mk_why why;
		bool yes = false;
		char *line = NULL;

		(void)setsid();
		(void)dup2(fd[0], STDIN_FILENO);
		if (mk_terminal_there() ||
		    mk_terminal_yes("?", &yes, &why) != MK_E_USAGE || yes ||
		    mk_terminal_line("?", 9, &line, &why) != MK_E_USAGE ||
		    mk_terminal_secret("?", 9, &line, &why) != MK_E_USAGE ||
		    line != NULL)
			_exit(1);
		_exit(strstr(why.detail, "no terminal") == NULL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void
setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
}

Suite *
mk_suite(void)
{
	Suite *s = suite_create("terminal");
	TCase *t = tcase_create("terminal");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, asked, 0,
	    (int)(sizeof(scenes) / sizeof(scenes[0])));
	tcase_add_loop_test(t, ended, 0, 2);
	tcase_add_test(t, none);
	suite_add_tcase(s, t);
	return s;
}
