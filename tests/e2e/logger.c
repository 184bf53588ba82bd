/* SPDX-License-Identifier: ISC */
/*
 * The log daemon of the tests: every datagram to a socket becomes a line of
 * a file.  With -m it is a client that sends one, so that a test can wait
 * until all that was logged before has arrived.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
socket_at(const char *path, struct sockaddr_un *sun)
{
	int fd;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path))
		errx(64, "'%s' is too long for a socket", path);
	memcpy(sun->sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(71, "socket");
	return fd;
}

static int
send_mark(const char *path, const char *text)
{
	struct sockaddr_un sun;
	int fd = socket_at(path, &sun);

	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1)
		err(71, "'%s'", path);
	return 0;
}

static int
collect(const char *path, const char *file)
{
	struct sockaddr_un sun;
	char line[8192];
	int fd = socket_at(path, &sun), out;
	ssize_t n;

	out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out == -1)
		err(71, "'%s'", file);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(path, 0666) == -1)
		err(71, "'%s'", path);
	while ((n = recv(fd, line, sizeof(line) - 1, 0)) >= 0) {
		line[n] = '\n';
		if (write(out, line, (size_t)n + 1) != n + 1)
			err(71, "'%s'", file);
	}
	err(71, "'%s'", path);
}

int
main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "-m") == 0)
		return send_mark(argv[2], argv[3]);
	if (argc == 3)
		return collect(argv[1], argv[2]);
	fprintf(stderr, "usage: logger SOCKET FILE\n"
	    "       logger -m SOCKET TEXT\n");
	return 64;
}
