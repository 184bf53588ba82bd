/* SPDX-License-Identifier: ISC */
/*
 * Times commands side by side, as sshd meets them: from before the start
 * to the end of what they write and their exit.  Every round runs each of
 * them once, in an order drawn anew, so that whatever else the machine
 * does falls on all alike.
 *
 *   spawn [-n ROUNDS] [-r FILE]
 *
 * Standard input has a line for each command: a name and the words, all
 * divided by tabs.  Standard output gets a line for each, divided by tabs:
 * name, median, minimum and 95th percentile in microseconds, maximum RSS in
 * KiB, exit status, bytes written.  -r writes each round to a file as well,
 * a column for each command.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX	64
#define WORDS_MAX	64
#define ROUNDS_MAX	100000

extern char **environ;

struct command {
	char *name;
	char *word[WORDS_MAX + 1];
	uint32_t *took;		/* microseconds, of each round */
	long rss;
	int status;		/* the worst one */
	size_t bytes;		/* of the last run */
};

struct bench {
	struct command command[COMMANDS_MAX];
	unsigned n, rounds;
	FILE *raw;
};

static void
usage(void)
{
	fputs("usage: spawn [-n ROUNDS] [-r FILE] <COMMANDS\n", stderr);
	exit(64);
}

static void
parse_args(struct bench *b, int argc, char *argv[])
{
	long rounds = 100;
	int c;

	while ((c = getopt(argc, argv, "n:r:")) != -1) {
		switch (c) {
		case 'n':
			rounds = strtol(optarg, NULL, 10);
			break;
		case 'r':
			b->raw = fopen(optarg, "w");
			if (b->raw == NULL)
				err(71, "%s", optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || rounds < 1 || rounds > ROUNDS_MAX)
		usage();
	b->rounds = (unsigned)rounds;
}

static void
split(struct command *c, char *line)
{
	unsigned n = 0;
	char *word;

	line[strcspn(line, "\n")] = '\0';
	c->name = strsep(&line, "\t");
	while ((word = strsep(&line, "\t")) != NULL) {
		if (n == WORDS_MAX)
			errx(65, "'%s' has too many words", c->name);
		c->word[n++] = word;
	}
	if (n == 0)
		errx(65, "'%s' has no command", c->name);
}

static void
read_commands(struct bench *b)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) != -1) {
		if (b->n == COMMANDS_MAX)
			errx(65, "more than %d commands", COMMANDS_MAX);
		split(&b->command[b->n], line);
		b->command[b->n].took = calloc(b->rounds, sizeof(uint32_t));
		if (b->command[b->n++].took == NULL)
			err(71, NULL);
		line = NULL;	/* the words stay in it */
	}
	if (b->n == 0)
		errx(65, "no commands");
}

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* posix_spawn() shares our memory with the child until it runs: no fork. */
static pid_t
start(struct command *c, int out)
{
	posix_spawn_file_actions_t files;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawn(&pid, c->word[0], &files, NULL, c->word, environ);
	posix_spawn_file_actions_destroy(&files);
	if (r != 0)
		errx(71, "cannot run '%s': %s", c->word[0], strerror(r));
	return pid;
}

static size_t
read_to_end(int fd)
{
	static char data[65536];
	size_t bytes = 0;
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) != 0) {
		if (n > 0)
			bytes += (size_t)n;
		else if (errno != EINTR)
			err(71, "read");
	}
	return bytes;
}

static uint32_t
run(struct command *c)
{
	struct rusage usage;
	int pipes[2], status;
	int64_t begun = now();
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		err(71, "pipe");
	pid = start(c, pipes[1]);
	close(pipes[1]);
	c->bytes = read_to_end(pipes[0]);
	close(pipes[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		err(71, "wait");
	begun = now() - begun;
	status = WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
	if (status > c->status)
		c->status = status;
	if (usage.ru_maxrss > c->rss)
		c->rss = usage.ru_maxrss;
	return begun < UINT32_MAX ? (uint32_t)begun : UINT32_MAX;
}

/* Any order as likely as any other, near enough for this. */
static void
shuffle(unsigned *order, unsigned n)
{
	unsigned i, j, held;

	for (i = n - 1; i > 0; i--) {
		j = (unsigned)random() % (i + 1);
		held = order[i];
		order[i] = order[j];
		order[j] = held;
	}
}

static void
run_rounds(struct bench *b)
{
	unsigned order[COMMANDS_MAX], i, k;

	/* The first runs bring the files into memory. */
	for (i = 0; i < b->n; i++) {
		order[i] = i;
		run(&b->command[i]);
	}
	for (k = 0; k < b->rounds; k++) {
		shuffle(order, b->n);
		for (i = 0; i < b->n; i++)
			b->command[order[i]].took[k] =
			    run(&b->command[order[i]]);
		for (i = 0; i < b->n && b->raw != NULL; i++)
			fprintf(b->raw, "%u%c", b->command[i].took[k],
			    i + 1 < b->n ? '\t' : '\n');
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
print(const struct bench *b)
{
	const struct command *c;
	unsigned n = b->rounds;

	for (c = b->command; c < b->command + b->n; c++) {
		qsort(c->took, n, sizeof(*c->took), compare);
		printf("%s\t%u\t%u\t%u\t%ld\t%d\t%zu\n", c->name,
		    c->took[n / 2], c->took[0], c->took[n * 95 / 100],
		    c->rss, c->status, c->bytes);
	}
}

int
main(int argc, char *argv[])
{
	static struct bench b;

	parse_args(&b, argc, argv);
	read_commands(&b);
	srandom((unsigned)time(NULL));
	run_rounds(&b);
	print(&b);
	if (fflush(stdout) != 0 || (b.raw != NULL && fclose(b.raw) != 0))
		err(71, "cannot write");
	return 0;
}
