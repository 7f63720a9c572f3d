#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void collect_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCHLD);
}

/* Runs in the child: nothing here may take a lock or memory. */
static void become(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                   int count, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
        return; /* the parent may have died before the request was made */
    signal(SIGPIPE, SIG_DFL);
    if (sigprocmask(SIG_SETMASK, &none, NULL))
        return;
    for (int i = 0; i < count; i++)
        if (dup2(descriptors[i], i) < 0)
            return;
    execve(path, arguments, environment);
}

pid_t child_start(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                  int count)
{
    int report[2], failure = 0;
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC))
        return -errno;
    /* Away from the numbers that the program's descriptors take. */
    int writer = fcntl(report[1], F_DUPFD_CLOEXEC, 64);
    close(report[1]);
    pid_t child = writer < 0 ? -1 : fork();
    if (child == 0) {
        become(path, arguments, environment, descriptors, count, parent);
        failure = errno ? errno : ECANCELED;
        if (write(writer, &failure, sizeof failure) < 0)
            _exit(126);
        _exit(127);
    }
    if (child < 0)
        failure = errno;
    close(writer);
    if (child > 0) {
        while (read(report[0], &failure, sizeof failure) < 0 && errno == EINTR)
            continue;
        if (failure)
            waitpid(child, NULL, 0);
    }
    close(report[0]);
    return failure ? -failure : child;
}

int signals_open(void)
{
    sigset_t set;
    collect_signals(&set);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int signals_next(int descriptor)
{
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) != sizeof info)
        return 0;
    return (int)info.ssi_signo;
}
