/* SPDX-License-Identifier: ISC */
/*
 * One login through an sshd that is run for it alone.
 *
 * We listen on a free port of the loopback, start ssh, take its connection
 * and hand it to "sshd -i".  So no Port or ListenAddress matters, sshd sees
 * a peer as in a real login, and there is never a second door: a connection
 * of anybody else than root is closed before sshd hears of it.
 *
 * No session is asked for (-N): neither a shell nor a forced command runs,
 * and what they are makes no difference.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/setup_trial.h"
#include "edge/clock.h"
#include "edge/sandbox.h"

#define TICK_MS		50
#define END_MS		2000	/* for a program to end by itself, and from
				   SIGTERM to SIGKILL */
#define SETTLE_MS	1000	/* for PAM's session, behind the key */
#define PIECE		4096u
#define NO_PROGRAM	127
#define SYSTEM_PATH	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:" \
			    "/usr/bin:/sbin:/bin"

struct run {
	struct setup_login *l;
	int listener, from_ssh, from_sshd;	/* -1: closed */
	unsigned port;
	pid_t self, ssh, sshd;	/* 0: not started, or waited for */
	int ssh_status;
	int64_t deadline, settled;	/* settled 0: not in yet */
};

/* A program to be started, and its standard descriptors. */
struct program {
	const char *const *argv;
	char *const *env;
	int in, out, err;
	bool group;		/* it leads one of its own */
};

static volatile sig_atomic_t interrupted;

static void
interrupt(int sig)
{
	interrupted = sig;
}

static int
failed(const char *what, struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "trial", "cannot %s: %s", what,
	    strerror(errno));
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
start_listening(struct run *r, struct mk_why *why)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	r->listener = socket(AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->listener == -1 ||
	    bind(r->listener, (struct sockaddr *)&at, len) != 0 ||
	    listen(r->listener, 16) != 0 ||
	    getsockname(r->listener, (struct sockaddr *)&at, &len) != 0)
		return failed("listen on 127.0.0.1", why);
	r->port = ntohs(at.sin_port);
	return 0;
}

/* In the new process. */
static _Noreturn void
become(const struct program *p, pid_t parent)
{
	sigset_t none;
	int i;

	/* Whoever kills us ends them too. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent || (p->group && setpgid(0, 0) != 0))
		_exit(NO_PROGRAM);
	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	mk_process_unlimit();
	if (dup2(p->in, STDIN_FILENO) != -1 &&
	    dup2(p->out, STDOUT_FILENO) != -1 &&
	    dup2(p->err, STDERR_FILENO) != -1) {
		/* execvpe(3) changes none of it; its type is older. */
		(void)execvpe(p->argv[0], (char **)(uintptr_t)p->argv,
		    p->env);
	}
	dprintf(STDERR_FILENO, "cannot run '%s': %s\n", p->argv[0],
	    strerror(errno));
	_exit(NO_PROGRAM);
}

/* Both descriptors close at an exec, and the end that we keep is ours. */
static int
make_pipe(int fd[2], struct mk_why *why)
{
	if (pipe2(fd, O_CLOEXEC) == 0 &&
	    fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	return failed("make a pipe", why);
}

static int
start(const struct run *r, const struct program *p, pid_t *ret_pid,
    struct mk_why *why)
{
	pid_t pid = fork();

	if (pid == 0)
		become(p, r->self);
	if (pid == -1)
		return failed("fork", why);
	if (p->group)
		(void)setpgid(pid, pid);
	*ret_pid = pid;
	return 0;
}

/*
 * Nobody's configuration.  The key of the host is not asked for: the socket
 * that ssh connects to is ours and nobody else can listen there.
 */
static const char *const ssh_options[] = {
	"-F", "none", "-N", "-T", "-x", "-a",
	"-o", "BatchMode=yes",
	"-o", "ConnectionAttempts=1",
	"-o", "ControlPath=none",
	"-o", "GlobalKnownHostsFile=/dev/null",
	"-o", "IdentitiesOnly=yes",
	"-o", "IdentityAgent=none",
	"-o", "LogLevel=ERROR",
	"-o", "PreferredAuthentications=publickey",
	"-o", "StrictHostKeyChecking=no",
	"-o", "UserKnownHostsFile=/dev/null"
};

#define N_SSH_OPTIONS	(sizeof(ssh_options) / sizeof(ssh_options[0]))

/* Options of which the first counts stand before them. */
static void
ssh_words(const struct run *r, const char *port, const char **argv)
{
	const struct setup_login *l = r->l;
	size_t n = 0, i;

	argv[n++] = "ssh";
	if (l->terminal) {
		argv[n++] = "-o";
		argv[n++] = "BatchMode=no";
	}
	if (l->agent) {
		argv[n++] = "-o";
		argv[n++] = "IdentityAgent=SSH_AUTH_SOCK";
	}
	argv[n++] = l->key != NULL ? "-i" : "-o";
	argv[n++] = l->key != NULL ? l->key : "IdentitiesOnly=no";
	if (l->key == NULL) {
		argv[n++] = "-o";
		argv[n++] = "IdentityFile=none";
	}
	for (i = 0; i < N_SSH_OPTIONS; i++)
		argv[n++] = ssh_options[i];
	argv[n++] = "-p";
	argv[n++] = port;
	argv[n++] = "-l";
	argv[n++] = l->user;
	argv[n++] = "127.0.0.1";
	argv[n] = NULL;
}

/* "NAME=value" of our own environment; NULL: it has none. */
static char *
env_word(const char *name)
{
	const char *value = getenv(name);
	char *word;

	if (value == NULL || asprintf(&word, "%s=%s", name, value) == -1)
		return NULL;
	return word;
}

static int
start_ssh(struct run *r, struct mk_why *why)
{
	char system_path[] = SYSTEM_PATH;
	char *agent = r->l->agent ? env_word("SSH_AUTH_SOCK") : NULL;
	char *term = env_word("TERM");
	char *env[4] = { system_path };
	const char *argv[N_SSH_OPTIONS + 20];
	int said[2] = { -1, -1 }, null = -1, e;
	struct program ssh = { .argv = argv, .env = env };
	size_t n = 1;
	char port[16];

	if (agent != NULL)
		env[n++] = agent;
	if (term != NULL)
		env[n++] = term;
	(void)snprintf(port, sizeof(port), "%u", r->port);
	ssh_words(r, port, argv);
	if ((e = make_pipe(said, why)) != 0)
		goto out;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1) {
		e = failed("open '/dev/null'", why);
		goto out;
	}
	/* A person reads what ssh wants of her. */
	ssh.in = ssh.out = null;
	ssh.err = r->l->terminal ? STDERR_FILENO : said[1];
	if ((e = start(r, &ssh, &r->ssh, why)) == 0) {
		r->from_ssh = said[0];
		said[0] = -1;
	}
out:
	shut(&said[0]);
	shut(&said[1]);
	shut(&null);
	free(term);
	free(agent);
	return e;
}

/* What the log is read by is set on the command line, where the first
   value counts; a Match block's LogLevel is stronger all the same. */
static int
start_sshd(struct run *r, int connection, struct mk_why *why)
{
	const char *const argv[] = { r->l->sshd, "-i", "-e", "-o",
	    "LogLevel=VERBOSE", "-o", "FingerprintHash=sha256", NULL };
	char system_path[] = SYSTEM_PATH;
	char *const env[] = { system_path, NULL };
	struct program sshd = { .argv = argv, .env = env, .in = connection,
	    .out = connection, .group = true };
	int said[2] = { -1, -1 }, e;

	if ((e = make_pipe(said, why)) == 0) {
		sshd.err = said[1];
		e = start(r, &sshd, &r->sshd, why);
	}
	shut(&said[1]);
	if (e == 0)
		r->from_sshd = said[0];
	else
		shut(&said[0]);
	return e;
}

/* The kernel says who connected; where it does not, nobody did. */
static bool
is_ours(const struct run *r, const struct sockaddr_in *peer)
{
	FILE *table = fopen("/proc/net/tcp", "re");
	char *line = NULL;
	size_t room = 0;
	uid_t uid = 0;
	bool found = false;

	if (peer->sin_family != AF_INET ||
	    peer->sin_addr.s_addr != htonl(INADDR_LOOPBACK) || table == NULL)
		goto out;
	while (!found && getline(&line, &room, table) != -1)
		found = setup_heard_peer(line, ntohs(peer->sin_port),
		    r->port, &uid);
	free(line);
out:
	if (table != NULL)
		(void)fclose(table);
	return found && uid == geteuid();
}

static int
take_connection(struct run *r, struct mk_why *why)
{
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd, e = 0;

	fd = accept4(r->listener, (struct sockaddr *)&peer, &len,
	    SOCK_CLOEXEC);
	if (fd == -1)
		return errno == EAGAIN || errno == EINTR ||
		    errno == ECONNABORTED ? 0 :
		    failed("take the connection", why);
	if (is_ours(r, &peer)) {
		r->l->connected = true;
		shut(&r->listener);
		e = start_sshd(r, fd, why);
	}
	(void)close(fd);
	return e;
}

/* What is beyond the maximum is read and forgotten: nobody must wait. */
static void
take_words(int *fd, struct mk_buf *said)
{
	char piece[PIECE];
	ssize_t n = -1, i;

	while (*fd >= 0 && (n = read(*fd, piece, sizeof(piece))) > 0) {
		for (i = 0; i < n && said->len < said->max; i++)
			mk_buf_putc(said, piece[i] != '\0' ? piece[i] : '?');
	}
	if (n == 0)
		shut(fd);
}

static void
listen_to_both(struct run *r)
{
	take_words(&r->from_ssh, &r->l->said_ssh);
	take_words(&r->from_sshd, &r->l->said_sshd);
}

/* Whether it has ended; it stays to be waited for, and keeps its number. */
static bool
ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return pid == 0 || waitid(P_PID, (id_t)pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

static bool
has_said(const struct mk_buf *said, const char *words)
{
	return said->len > 0 && strstr(said->data, words) != NULL;
}

/* Behind the key comes PAM's session, which may still fail. */
static bool
is_in(struct run *r)
{
	const struct mk_buf *said = &r->l->said_sshd;

	if (r->settled == 0 && has_said(said, "Accepted publickey for "))
		r->settled = mk_clock_ms() + SETTLE_MS;
	return r->settled != 0 && (mk_clock_ms() >= r->settled ||
	    has_said(said, "User child is on pid "));
}

static bool
is_over(struct run *r)
{
	if (r->sshd != 0)
		return ended(r->sshd) || is_in(r);
	return ended(r->ssh);
}

static int
wait_some(struct run *r, struct mk_why *why)
{
	struct pollfd p[] = {
		{ .fd = r->listener, .events = POLLIN },
		{ .fd = r->from_ssh, .events = POLLIN },
		{ .fd = r->from_sshd, .events = POLLIN }
	};

	if (interrupted != 0)
		return mk_fail(why, MK_E_STALE, "trial", "interrupted");
	if (mk_clock_ms() >= r->deadline)
		return mk_fail(why, MK_E_STALE, "trial",
		    "it did not end within %u seconds", r->l->seconds);
	if (poll(p, 3, TICK_MS) == -1 && errno != EINTR)
		return failed("wait", why);
	return (p[0].revents & POLLIN) != 0 ? take_connection(r, why) : 0;
}

static bool
wait_for_end(struct run *r, pid_t pid)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	const int64_t end = mk_clock_ms() + END_MS;

	while (!ended(pid) && mk_clock_ms() < end) {
		listen_to_both(r);
		(void)nanosleep(&nap, NULL);
	}
	return ended(pid);
}

/* 'whom' is the program, or minus its number for all of its group. */
static void
put_an_end(struct run *r, pid_t *pid, pid_t whom)
{
	int status;

	if (*pid == 0)
		return;
	(void)kill(whom, SIGTERM);
	(void)wait_for_end(r, *pid);
	(void)kill(whom, SIGKILL);
	while (waitpid(*pid, &status, 0) == -1 && errno == EINTR)
		;
	if (*pid == r->ssh)
		r->ssh_status = status;
	*pid = 0;
}

/*
 * sshd ends when ssh does, unless it waits for the helper; what that has
 * started is of sshd's group.
 */
static void
end_both(struct run *r)
{
	shut(&r->listener);
	put_an_end(r, &r->ssh, r->ssh);
	if (r->sshd != 0) {
		/* Its last words, if it still can. */
		(void)wait_for_end(r, r->sshd);
		put_an_end(r, &r->sshd, -r->sshd);
	}
	listen_to_both(r);
	shut(&r->from_ssh);
	shut(&r->from_sshd);
}

static int
follow(struct run *r, struct mk_why *why)
{
	int e;

	if ((e = start_listening(r, why)) != 0 ||
	    (e = start_ssh(r, why)) != 0)
		return e;
	while (e == 0 && !is_over(r)) {
		e = wait_some(r, why);
		listen_to_both(r);
	}
	return e;
}

/* What is ignored stays so: who used nohup(1) meant it. */
void
setup_login_signals(void (*handler)(int))
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action = { .sa_handler = handler }, before;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

int
setup_login_run(struct setup_login *login, struct mk_why *why)
{
	struct run r = { .l = login, .listener = -1, .from_ssh = -1,
	    .from_sshd = -1, .self = getpid(),
	    .deadline = mk_clock_ms() + (int64_t)login->seconds * 1000 };
	int e;

	setup_login_signals(interrupt);
	e = follow(&r, why);
	end_both(&r);
	if (e == 0 && !login->connected && WIFEXITED(r.ssh_status) &&
	    WEXITSTATUS(r.ssh_status) == NO_PROGRAM)
		e = mk_fail(why, MK_E_ABSENT, "trial", "no trial login: there "
		    "is no ssh(1) here to log in with");
	return e;
}
