#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A keeper is a process that keeps one program at a time: its parent, and the one that inherits all that it leaves. A
// program that kills its parent loses its keeper and nothing else. It is forked and executes nothing, and calls only
// what signal-safety(7) allows, as the process that forks may have threads. Kept for the next program, as the fork
// costs more than all else of it.

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

// What a keeper is told to start. Behind it come the texts: title, folder, output, error output, arguments,
// environment.
struct order {
    uint32_t arguments, environment;
    uint64_t length;
    int32_t nice;
    uint64_t processors[SYS_PROCESSOR_WORDS];
};
enum { SINGLE_TEXTS = 4 };

struct sys_keeper {
    pid_t process;
    int socket;
    struct sys_kept *kept;
    // It was told of a program, and has not said yet whether that began.
    int is_starting;
};

static int receive(int socket, void *target, size_t length) {
    char *place = target;
    while (length > 0) {
        ssize_t count = read(socket, place, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return -1;
        place += count;
        length -= (size_t)count;
    }
    return 0;
}

static int deliver(int socket, const void *source, size_t length) {
    const char *place = source;
    while (length > 0) {
        ssize_t count = send(socket, place, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        place += count;
        length -= (size_t)count;
    }
    return 0;
}

// Makes room that stays until more is needed.
static char *room_for(size_t length) {
    static char *room;
    static size_t size;
    if (length <= size) return room;
    if (room) munmap(room, size);
    room = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) _exit(127);
    size = length;
    return room;
}

// Waits for the next program, and starts it; 0: it could not be started. The parent's end is this process's end.
//
// What is shared is the parent's again as soon as it is told of a failure, as it is after a program's end.
static int start_next(int socket, struct sys_kept *kept, pid_t parent) {
    struct order order;
    if (receive(socket, &order, sizeof order) < 0) _exit(0);
    size_t count = (size_t)order.arguments + order.environment;
    const char **texts = (const char **)room_for((SINGLE_TEXTS + count + 2) * sizeof *texts + order.length);
    char *bytes = (char *)(texts + SINGLE_TEXTS + count + 2);
    if (receive(socket, bytes, order.length) < 0) _exit(0);
    size_t last_argument = SINGLE_TEXTS + order.arguments;
    for (size_t i = 0; i < SINGLE_TEXTS + count + 2; i++) {
        int ends_array = i == last_argument || i == SINGLE_TEXTS + count + 1;
        texts[i] = ends_array ? NULL : bytes;
        if (!ends_array) bytes += strlen(bytes) + 1;
    }
    struct sys_start start = {
        .folder = texts[1], .output = texts[2], .error_output = texts[3], .arguments = texts + SINGLE_TEXTS,
        .environment = texts + last_argument + 1, .kept_descriptor = -1, .own_session = 1, .dies_with_parent = 1,
        .nice = order.nice};
    memcpy(start.processors, order.processors, sizeof start.processors);
    set_title(texts[0]);
    pid_t leader = sys_spawn(&start, &kept->step);
    if (leader < 0) kept->error = errno;
    kept->leader = leader;
    char byte = 1;
    if (deliver(socket, &byte, 1) < 0) _exit(127);
    // Perhaps nobody waits for that word any more.
    if (leader < 0) kill(parent, SIGCHLD);
    return leader > 0;
}

static _Noreturn void keep(struct sys_kept *kept, int socket, pid_t parent) {
    sigset_t news;
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    sigaddset(&news, SIGTERM);
    // SIGTERM says that the parent is gone: what runs is ended then.
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) _exit(127);
    if (getppid() != parent) _exit(127);
    // The parent's streams and locks must end with it alone.
    if (dup2(socket, 3) < 0) _exit(127);
    sys_close_from(4);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_NAME, "usweep-keep");
    for (;;) {
        if (!start_next(3, kept, parent)) continue;
        for (;;) {
            reap(kept);
            if (kept->leader_ended) break;
            if (sigwaitinfo(&news, NULL) == SIGTERM && getppid() != parent) break;
        }
        end_others(kept, &news);
        int is_last = kept->left > 0 || getppid() != parent;
        set_title("usweep-agent keep");
        __atomic_store_n(&kept->is_complete, 1, __ATOMIC_RELEASE);
        if (is_last) _exit(0);
        kill(parent, SIGCHLD);
    }
}

struct sys_keeper *sys_keeper_start(void) {
    int ends[2];
    struct sys_keeper *keeper = malloc(sizeof *keeper);
    if (!keeper) return NULL;
    struct sys_kept *kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kept == MAP_FAILED) goto no_memory;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) goto no_sockets;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0) keep(kept, ends[1], parent);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (process > 0) {
        *keeper = (struct sys_keeper){.process = process, .socket = ends[0], .kept = kept};
        return keeper;
    }
    close(ends[0]);
    errno = error;
no_sockets:
    munmap(kept, sizeof *kept);
no_memory:
    free(keeper);
    return NULL;
}

static char *append(char *place, const char *text) { return stpcpy(place, text) + 1; }

// All that a keeper is told, in one piece of memory to be freed.
static struct order *order_of(const struct sys_start *start, const char *title) {
    const char *single[SINGLE_TEXTS] = {title, start->folder, start->output, start->error_output};
    struct order order = {.nice = start->nice};
    memcpy(order.processors, start->processors, sizeof order.processors);
    for (int i = 0; i < SINGLE_TEXTS; i++) order.length += strlen(single[i]) + 1;
    for (; start->arguments[order.arguments]; order.arguments++)
        order.length += strlen(start->arguments[order.arguments]) + 1;
    for (; start->environment[order.environment]; order.environment++)
        order.length += strlen(start->environment[order.environment]) + 1;
    struct order *all = malloc(sizeof order + order.length);
    if (!all) return NULL;
    *all = order;
    char *place = (char *)(all + 1);
    for (int i = 0; i < SINGLE_TEXTS; i++) place = append(place, single[i]);
    for (uint32_t i = 0; i < order.arguments; i++) place = append(place, start->arguments[i]);
    for (uint32_t i = 0; i < order.environment; i++) place = append(place, start->environment[i]);
    return all;
}

// How long a program's start is waited for. Where its file or its folder does not answer, as on a file server that is
// away, it is under way for as long as that lasts.
static const int64_t start_patience = 1000000000;

// Waits for the keeper's word on the program that it was told to start. 1: it came; 0: it did not; -1: the keeper is
// gone.
static int hear_start(struct sys_keeper *keeper, int64_t patience) {
    if (!keeper->is_starting) return 1;
    struct pollfd news = {.fd = keeper->socket, .events = POLLIN};
    const int64_t deadline = now() + patience;
    int count;
    do {
        int64_t rest = deadline - now();
        count = poll(&news, 1, rest > 0 ? (int)((rest + 999999) / 1000000) : 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return 0;
    char byte;
    if (count < 0 || receive(keeper->socket, &byte, 1) < 0) return -1;
    keeper->is_starting = 0;
    return 1;
}

// What the keeper said: 1: its program began; -1, with errno and the step: it could not be started.
static int heard_start(const struct sys_keeper *keeper, const char **step) {
    if (keeper->kept->leader > 0) return 1;
    *step = keeper->kept->step;
    errno = keeper->kept->error;
    return -1;
}

int sys_keeper_run(struct sys_keeper *keeper, const struct sys_start *start, const char *title, const char **step) {
    *step = "keep";
    // Of the program before.
    if (hear_start(keeper, 0) != 1) {
        errno = ECHILD;
        return -1;
    }
    struct order *order = order_of(start, title);
    if (!order) return -1;
    // What it said of the program before is no word of this one, also if the keeper is gone by now.
    memset(keeper->kept, 0, sizeof *keeper->kept);
    int told = deliver(keeper->socket, order, sizeof *order + order->length);
    free(order);
    keeper->is_starting = 1;
    int heard = told < 0 ? -1 : hear_start(keeper, start_patience);
    if (heard < 0) {
        errno = ECHILD;
        return -1;
    }
    if (heard == 0) return 0;
    return heard_start(keeper, step) < 0 ? -1 : 0;
}

int sys_keeper_has_started(struct sys_keeper *keeper, const char **step) {
    if (hear_start(keeper, 0) != 1) return 0;
    return heard_start(keeper, step);
}

pid_t sys_keeper_process(const struct sys_keeper *keeper) { return keeper->process; }

const struct sys_kept *sys_keeper_kept(const struct sys_keeper *keeper) { return keeper->kept; }

int sys_keeper_has_ended(const struct sys_keeper *keeper) {
    siginfo_t info = {0};
    // It stays to be reaped.
    if (waitid(P_PID, (id_t)keeper->process, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return errno == ECHILD;
    return info.si_pid != 0;
}

int sys_keeper_is_complete(const struct sys_keeper *keeper) {
    return __atomic_load_n(&keeper->kept->is_complete, __ATOMIC_ACQUIRE);
}

void sys_keeper_free(struct sys_keeper *keeper) {
    close(keeper->socket);
    munmap(keeper->kept, sizeof *keeper->kept);
    free(keeper);
}
