/* SPDX-License-Identifier: ISC */
/*
 * Runs a program and tells the most memory that it ever had resident, in
 * KiB, on standard error.  Being small itself it does not spoil the number,
 * which begins with that of the process before exec.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: peak PROGRAM [ARGUMENT ...]\n");
		return 64;
	}
	pid = vfork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid == -1 || wait4(pid, &status, 0, &usage) != pid)
		err(71, "'%s'", argv[1]);
	fprintf(stderr, "%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
