#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A keeper is a process of its own for each program: its parent, and the one that inherits all that it leaves. A
// program that kills its parent loses its keeper and nothing else. It is forked and executes nothing; between the
// two only what signal-safety(7) allows is called, as the process that forks may have threads.

// Where the arguments of this process stand, which are what ps(1) shows of it.
static char *title_start;
static size_t title_room;

__attribute__((constructor)) static void note_arguments(int count, char **arguments) {
    if (count < 1 || !arguments || !arguments[0]) return;
    title_start = arguments[0];
    title_room = (size_t)(arguments[count - 1] + strlen(arguments[count - 1]) - title_start);
}

static void set_title(const char *title) {
    if (!title_start) return;
    size_t length = strlen(title);
    if (length > title_room) length = title_room;
    memcpy(title_start, title, length);
    memset(title_start + length, 0, title_room - length);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Takes all that ended. Returns whether children are left.
static int reap(struct sys_kept *kept) {
    int status;
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (pid != kept->leader) continue;
        kept->ended.pid = pid;
        sys_note_end(&kept->ended, status, &usage);
        __atomic_store_n(&kept->leader_ended, 1, __ATOMIC_RELEASE);
    }
    return pid == 0 || errno != ECHILD;
}

// Ends everything that the program left, and what appears while that goes on.
static void end_others(struct sys_kept *kept, const sigset_t *news) {
    const int64_t patience = 10 * (int64_t)1000000000;
    const struct timespec pause = {0, 50000000};
    pid_t pids[2048];
    int64_t deadline = now() + patience;
    while (reap(kept)) {
        int count = sys_children(pids, sizeof pids / sizeof *pids);
        for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
        if (now() > deadline) {
            kept->left = count;
            return;
        }
        sigtimedwait(news, NULL, &pause);
    }
}

static _Noreturn void keep(
    const struct sys_start *start, const char *title, struct sys_kept *kept, int report, pid_t parent) {
    sigset_t news;
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    sigaddset(&news, SIGTERM);
    // SIGTERM says that the parent is gone: what runs is ended then.
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) _exit(127);
    if (getppid() != parent) _exit(127);
    // The parent's streams and locks must end with it alone.
    if (dup2(report, 3) < 0) _exit(127);
    sys_close_from(4);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_NAME, "usweep-keep");
    set_title(title);
    kept->leader = sys_spawn(start, &kept->step);
    if (kept->leader < 0) kept->error = errno;
    char byte = 1;
    if (write(3, &byte, 1) < 0 || kept->leader < 0) _exit(127);
    close(3);
    for (;;) {
        reap(kept);
        if (kept->leader_ended) break;
        if (sigwaitinfo(&news, NULL) == SIGTERM && getppid() != parent) break;
    }
    end_others(kept, &news);
    __atomic_store_n(&kept->is_complete, 1, __ATOMIC_RELEASE);
    _exit(0);
}

pid_t sys_keep(const struct sys_start *start, const char *title, struct sys_kept **result, const char **step) {
    int ends[2];
    *step = "keep";
    struct sys_kept *kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kept == MAP_FAILED) return -1;
    if (sys_pipe(ends) < 0) {
        sys_kept_free(kept);
        return -1;
    }
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t keeper = fork();
    if (keeper == 0) keep(start, title, kept, ends[1], parent);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    char byte;
    ssize_t count = 0;
    if (keeper > 0) while ((count = read(ends[0], &byte, 1)) < 0 && errno == EINTR) {}
    close(ends[0]);
    if (keeper > 0 && count == 1 && kept->leader > 0) {
        *result = kept;
        return keeper;
    }
    if (keeper > 0) {
        error = ECHILD;
        if (kept->leader < 0) {
            *step = kept->step;
            error = kept->error;
        }
        while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR) {}
    }
    sys_kept_free(kept);
    errno = error;
    return -1;
}

void sys_kept_free(struct sys_kept *kept) { munmap(kept, sizeof *kept); }
