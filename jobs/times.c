#include "jobs/times.h"
#include "io/file.h"
#include "mpi/gather.h"

#include <string.h>
#include <sys/resource.h>

static int64_t peak_memory(void) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)usage.ru_maxrss * 1024;
}

static void end_phase(gp_times *t, double now) {
    gp_times_row *row = &t->row[t->now];
    gp_par_traffic there = gp_par_traffic_now();
    if (t->rows > 0) {
        row->seconds += now - t->from;
        row->traffic.waiting += there.waiting - t->at.waiting;
        row->traffic.bytes += there.bytes - t->at.bytes;
        row->traffic.messages += there.messages - t->at.messages;
        row->peak = peak_memory();
    }
    t->from = now;
    t->at = there;
}

static void begin(gp_times *t, const char *command, const char *phase) {
    end_phase(t, gp_clock());
    for (t->now = 0; t->now < t->rows; t->now++)
        if (strcmp(t->row[t->now].command, command) == 0 &&
            strcmp(t->row[t->now].phase, phase) == 0)
            return;
    if (t->rows == GP_TIMES_ROWS)
        t->now = GP_TIMES_ROWS - 1;
    else
        t->row[t->rows++] = (gp_times_row){.command = command, .phase = phase};
}

void gp_times_command(gp_times *times, const char *command) {
    if (times != NULL)
        begin(times, command, "start");
}

void gp_times_phase(gp_job *job, const char *phase) {
    gp_times *t = job->times;
    if (t != NULL && t->rows > 0)
        begin(t, t->row[t->now].command, phase);
}

static void print_rows(const gp_job *job, int64_t threads, gp_text *text, gp_err *err) {
    const gp_times *t = job->times;
    int rank = gp_par_rank(job->par), ranks = gp_par_size(job->par);
    for (int k = 0; k < t->rows; k++) {
        const gp_times_row *r = &t->row[k];
        gp_text_print(text, err, "%s,%s,%d,%d,%lld,%.6f,%.6f,%lld,%lld,%lld\n", r->command,
                      r->phase, rank, ranks, (long long)threads, r->seconds, r->traffic.waiting,
                      (long long)r->traffic.bytes, (long long)r->traffic.messages,
                      (long long)r->peak);
    }
}

int gp_times_write(gp_job *job, int64_t threads, gp_err *err) {
    static const char header[] =
        "command,phase,rank,ranks,threads,seconds,waiting,bytes,messages,peak_memory\n";
    gp_text mine = {0}, whole = {0};
    if (job->times == NULL)
        return GP_OK;
    end_phase(job->times, gp_clock());
    print_rows(job, threads, &mine, err);
    gp_text_add(&whole, header, sizeof header - 1, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        gp_par_gather(job->par, &mine, &whole, 1, err);
        if (gp_par_rank(job->par) == 0 && err->code == GP_OK)
            gp_io_write_file(job->common->times, whole.bytes, whole.length, err);
        gp_par_agree(job->par, err);
    }
    gp_text_free(&mine);
    gp_text_free(&whole);
    return err->code;
}
