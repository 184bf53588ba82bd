/* SPDX-License-Identifier: ISC */
/*
 * What is logged of a decision: a sentence, and a tail that programs read:
 * event= conn= user= udf= device= set= age=.  sshd asks twice for each
 * login; readers merge lines of one conn.
 */
#include <stdio.h>
#include <unistd.h>

#include "cmd/akc.h"
#include "core/timestamp.h"
#include "edge/log.h"

#define TAIL_MAX	8192u

static pid_t conn_pid;

void
akc_report_begin(void)
{
	conn_pid = getppid();
}

static void
begin_tail(struct mk_buf *tail, const char *event, const char *user)
{
	char conn[24];

	(void)snprintf(conn, sizeof(conn), "%ld", (long)conn_pid);
	mk_buf_init(tail, TAIL_MAX);
	mk_log_value(tail, "event", event);
	mk_log_value(tail, "conn", conn);
	mk_log_value(tail, "user", user != NULL ? user : "");
}

static void
add_record(struct mk_buf *tail, const struct mk_record *rec)
{
	char udf[MK_UDF_TEXT + 1], when[MK_TIME_LEN + 1], age[24];

	mk_udf_format(&rec->udf, udf);
	mk_log_value(tail, "udf", udf);
	if (rec->matched) {
		mk_udf_format(&rec->device, udf);
		mk_log_value(tail, "device", udf);
	}
	mk_time_format(rec->set_time, when);
	mk_log_value(tail, "set", rec->set_time != MK_TIME_NONE ? when :
	    NULL);
	(void)snprintf(age, sizeof(age), "%lld", (long long)rec->age);
	mk_log_value(tail, "age", rec->age != MK_AGE_NONE ? age : NULL);
}

static const char *
tail_text(const struct mk_buf *tail)
{
	return tail->data != NULL ? tail->data : "";
}

/* A refusal is the user's affair; not being able to decide is ours. */
static int
failure_level(int code)
{
	return code == MK_E_REFUSED || code == MK_E_STALE ? LOG_NOTICE :
	    LOG_ERR;
}

static const char *
failure_event(int code)
{
	return failure_level(code) == LOG_NOTICE ? "akc.refused" :
	    "akc.error";
}

static void
report_failed(const struct mk_record *rec, const char *user)
{
	struct mk_buf tail;

	begin_tail(&tail, failure_event(rec->code), user);
	add_record(&tail, rec);
	mk_log(failure_level(rec->code), "%s: %s; %s",
	    rec->why.stage, rec->why.detail, tail_text(&tail));
	mk_buf_release(&tail);
}

static void
report_decided(const struct mk_record *rec, const char *user, bool offered,
    bool log_matches)
{
	const char *event = "akc.list", *words = "keys listed";
	int level = LOG_DEBUG;
	struct mk_buf tail;

	if (offered) {
		event = rec->matched ? "akc.match" : "akc.nomatch";
		words = rec->matched ? "the offered key is of a device of "
		    "hers" : "the offered key is none of hers";
	}
	/* sshd has seen no signature yet, and anybody may ask often. */
	if (rec->matched && log_matches)
		level = LOG_INFO;
	begin_tail(&tail, event, user);
	add_record(&tail, rec);
	mk_log(level, "%s%s; %s", words, rec->stale ? " (stale set)" : "",
	    tail_text(&tail));
	mk_buf_release(&tail);
}

void
akc_report_answer(const struct mk_answer *answer, const char *user,
    bool offered, bool log_matches)
{
	size_t i;

	for (i = 0; i < answer->n_records; i++) {
		if (answer->records[i].code != 0)
			report_failed(&answer->records[i], user);
		else if (answer->why.code == 0)
			report_decided(&answer->records[i], user, offered,
			    log_matches);
	}
	if (answer->why.code != 0)
		akc_report_failure(&answer->why, user);
}

void
akc_report_failure(const struct mk_why *why, const char *user)
{
	struct mk_buf tail;

	begin_tail(&tail, failure_event(why->code), user);
	mk_log(failure_level(why->code), "%s: %s; %s", why->stage,
	    why->detail, tail_text(&tail));
	mk_buf_release(&tail);
}

void
akc_report_unmapped(const char *user, bool denied)
{
	struct mk_buf tail;

	begin_tail(&tail, denied ? "akc.denied" : "akc.unmapped", user);
	mk_log(LOG_DEBUG, "%s; %s", denied ? "the user has no Mesh keys by "
	    "order of the administrator" : "nothing names a profile of the "
	    "user", tail_text(&tail));
	mk_buf_release(&tail);
}
