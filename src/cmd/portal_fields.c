/* SPDX-License-Identifier: ISC */
/*
 * The head of a request, its fields as RFC 9110 writes them.  What does not
 * read is as if it were not there.
 */
#include "cmd/portal_http.h"

#include <string.h>
#include <strings.h>

#include "cmd/meshportal.h"

#define BLANK	" \t"
#define BUSY	5		/* seconds of Retry-After */

static const char *
skip_blank(const char *s)
{
	return s + strspn(s, BLANK);
}

bool
portal_field_json(const char *value)
{
	static const char type[] = "application/json";
	static const char charset[] = "charset=";
	const char *s = skip_blank(value);

	if (strncasecmp(s, type, sizeof(type) - 1) != 0)
		return false;
	s = skip_blank(s + sizeof(type) - 1);
	if (*s == '\0')
		return true;
	if (*s != ';')
		return false;
	s = skip_blank(s + 1);
	if (strncasecmp(s, charset, sizeof(charset) - 1) != 0)
		return *s == '\0';
	s += sizeof(charset) - 1;
	return strcasecmp(s, "utf-8") == 0 || strcasecmp(s, "\"utf-8\"") == 0;
}

bool
portal_field_names(const char *value, const char *etag)
{
	const char *s = skip_blank(value), *end;
	size_t n = strlen(etag);

	if (s[0] == '*')
		return *skip_blank(s + 1) == '\0';
	for (;;) {
		s += strspn(s, BLANK ",");
		/* A GET compares weakly. */
		if (s[0] == 'W' && s[1] == '/')
			s += 2;
		if (s[0] != '"' || (end = strchr(s + 1, '"')) == NULL)
			return false;
		end++;
		if ((size_t)(end - s) == n && memcmp(s, etag, n) == 0)
			return true;
		s = skip_blank(end);
		if (*s != ',')
			return false;
	}
}

bool
portal_field_last_ip(const char *value, char out[PORTAL_IP_TEXT])
{
	const char *comma = strrchr(value, ',');
	const char *s = skip_blank(comma == NULL ? value : comma + 1);
	size_t n = strlen(s);

	while (n > 0 && strchr(BLANK, s[n - 1]) != NULL)
		n--;
	return portal_ip_parse(s, n, out);
}

static bool
is_any(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

int
portal_head_judge(const struct portal_head *head)
{
	if (head->path == NULL)
		return 404;
	if (head->path[0] != '\0') {
		if (!is_any(head->method, "GET", "HEAD"))
			return 405;
		/* Nothing says what it would mean. */
		return head->has_body ? 400 : 0;
	}
	if (strcmp(head->method, "POST") != 0)
		return 405;
	if (head->type == NULL || !portal_field_json(head->type) ||
	    head->is_encoded)
		return 415;
	return head->len > PORTAL_BODY_MAX ? 413 : 0;
}

static const char *
words_of(int status)
{
	switch (status) {
	case 400:
		return "malformed request";
	case 404:
		return "not found";
	case 405:
		return "method not allowed here";
	case 413:
		return "request too large";
	case 415:
		return "Content-Type is not plain application/json";
	case 503:
		return "busy, ask again later";
	default:
		return "internal error";
	}
}

void
portal_head_refuse(int status, struct portal_reply *ret_reply)
{
	portal_refuse(ret_reply, status, words_of(status));
	if (status == 503)
		ret_reply->retry_after = BUSY;
}
