/* SPDX-License-Identifier: ISC */
/*
 * While somebody types, the signals that would end or stop us are noted and
 * wait until the terminal is as before; then they are sent again, and do
 * what they would have done.  They are let in only inside of ppoll(2), so
 * that none is missed between a look and a read.
 */
#include "edge/terminal.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"

#define TTY	"/dev/tty"
#define YES_MAX	16u

static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };

#define SIGNALS	(sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t noted[SIGNALS];

struct question {
	const char *prompt;
	size_t max;
	bool echo;
};

/* How it was before. */
struct before {
	struct termios term;
	struct sigaction action[SIGNALS];
	sigset_t mask;
};

static int
no_terminal(struct mk_why *why)
{
	return mk_fail(why, MK_E_USAGE, "terminal",
	    "there is no terminal to ask at");
}

static int
failed(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "terminal",
	    "cannot use '" TTY "': %s", strerror(errno));
}

static int
open_terminal(void)
{
	return open(TTY, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool
mk_terminal_there(void)
{
	int fd = open_terminal();
	bool there = fd != -1 && isatty(fd);

	if (fd != -1)
		close(fd);
	return there;
}

static void
note(int sig)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++) {
		if (signals[i] == sig)
			noted[i] = 1;
	}
}

/* What is ignored, as by nohup(1), stays ignored. */
static void
hold_signals(struct before *b)
{
	struct sigaction act = { .sa_handler = note };
	sigset_t held;
	size_t i;

	sigemptyset(&act.sa_mask);
	sigemptyset(&held);
	for (i = 0; i < SIGNALS; i++) {
		noted[i] = 0;
		(void)sigaddset(&held, signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &held, &b->mask);
	for (i = 0; i < SIGNALS; i++) {
		(void)sigaction(signals[i], NULL, &b->action[i]);
		if (b->action[i].sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &act, NULL);
	}
}

static bool
was_interrupted(void)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++) {
		if (noted[i])
			return true;
	}
	return false;
}

/*
 * Everything that was noted happens here.  Whether it was only a stop, of
 * which somebody came back.
 */
static bool
let_signals_go(const struct before *b)
{
	bool stopped = false, other = false;
	size_t i;

	for (i = 0; i < SIGNALS; i++) {
		(void)sigaction(signals[i], &b->action[i], NULL);
		if (!noted[i])
			continue;
		if (signals[i] == SIGTSTP)
			stopped = true;
		else
			other = true;
		(void)raise(signals[i]);
	}
	(void)sigprocmask(SIG_SETMASK, &b->mask, NULL);
	return stopped && !other;
}

static int
say(int fd, const char *text, struct mk_why *why)
{
	size_t len = strlen(text);
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n == -1 && errno != EINTR)
			return failed(why);
		if (n == -1)
			n = 0;
	}
	return MK_OK;
}

/* 1 for a byte, 0 for none, MK_E_*. */
static int
next_byte(int fd, const struct before *b, char *ret_c, struct mk_why *why)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;

	do {
		if (ppoll(&p, 1, NULL, &b->mask) > 0)
			n = read(fd, ret_c, 1);
	} while (n == -1 && errno == EINTR && !was_interrupted());
	if (n >= 0)
		return (int)n;
	/* A terminal that was hung up is at its end. */
	if (errno == EIO)
		return 0;
	return errno == EINTR ? mk_fail(why, MK_E_USAGE, "terminal",
	    "interrupted") : failed(why);
}

/*
 * Reads to the end of the line, whatever it holds: what is left over would
 * be taken for the answer to the next question, or by a shell.
 */
static int
read_line(int fd, const struct before *b, const struct question *q,
    char *line, struct mk_why *why)
{
	bool good = true;
	size_t len = 0;
	char c = '\0';
	int r;

	while ((r = next_byte(fd, b, &c, why)) == 1 && c != '\n') {
		if (len < q->max && c != '\0')
			line[len++] = c;
		else
			good = false;
	}
	sodium_memzero(&c, sizeof(c));
	line[len] = '\0';
	if (r < 0)
		return r;
	if (r == 0)
		return mk_fail(why, MK_E_USAGE, "terminal",
		    "nothing was answered");
	return good ? MK_OK : mk_fail(why, MK_E_USAGE, "terminal",
	    "the answer is longer than %zu bytes, or none of text", q->max);
}

/* The terminal is ours, and is given back as it was. */
static int
ask_held(int fd, struct before *b, const struct question *q, char *line,
    struct mk_why *why)
{
	struct termios quiet;
	int r;

	if (tcgetattr(fd, &b->term) != 0)
		return failed(why);
	quiet = b->term;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (!q->echo && tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return failed(why);
	r = say(fd, q->prompt, why);
	if (r == MK_OK)
		r = read_line(fd, b, q, line, why);
	if (q->echo)
		return r;
	/* The line feed that was typed was not seen. */
	(void)say(fd, "\n", NULL);
	while (tcsetattr(fd, TCSAFLUSH, &b->term) != 0) {
		if (errno != EINTR)
			return failed(why);
	}
	return r;
}

/* 'line' has room for q->max bytes and a NUL. */
static int
ask(const struct question *q, char *line, struct mk_why *why)
{
	struct before b;
	bool again;
	int fd, r;

	fd = open_terminal();
	if (fd == -1 || !isatty(fd)) {
		if (fd != -1)
			close(fd);
		return no_terminal(why);
	}
	do {
		hold_signals(&b);
		r = ask_held(fd, &b, q, line, why);
		again = let_signals_go(&b) && r != MK_OK;
	} while (again);
	close(fd);
	return r;
}

/* 'line' has room for the answer, or is NULL, and is freed unless there is
   one. */
static int
ask_new(const struct question *q, char *line, char **ret_line,
    struct mk_why *why)
{
	int r;

	if (line == NULL)
		return mk_fail(why, MK_E_SYSTEM, "terminal",
		    "out of memory");
	r = ask(q, line, why);
	if (r == MK_OK)
		*ret_line = line;
	else if (q->echo)
		free(line);
	else
		sodium_free(line);
	return r;
}

int
mk_terminal_secret(const char *prompt, size_t max, char **ret_secret,
    struct mk_why *why)
{
	const struct question q = { .prompt = prompt, .max = max };

	return ask_new(&q, sodium_malloc(max + 1), ret_secret, why);
}

int
mk_terminal_line(const char *prompt, size_t max, char **ret_line,
    struct mk_why *why)
{
	const struct question q = { .prompt = prompt, .max = max,
	    .echo = true };

	return ask_new(&q, malloc(max + 1), ret_line, why);
}

int
mk_terminal_yes(const char *question, bool *ret_yes, struct mk_why *why)
{
	const struct question q = { .prompt = question, .max = YES_MAX,
	    .echo = true };
	char line[YES_MAX + 1];
	int r;

	r = ask(&q, line, why);
	if (r == MK_OK)
		*ret_yes = strcmp(line, "yes") == 0 || strcmp(line, "y") == 0;
	return r;
}
