#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

void sys_close_from(unsigned int first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
    // Kernels before 5.9.
    for (unsigned int descriptor = first; descriptor < 65536; descriptor++) close((int)descriptor);
}

static int redirect(const char *path, int target, int flags) {
    int descriptor = open(path, flags, 0600);
    if (descriptor < 0) return -1;
    if (descriptor == target) return 0;
    int result = dup2(descriptor, target);
    close(descriptor);
    return result < 0 ? -1 : 0;
}

// All of what the program finds open, while nothing of 0 to 3 may be needed any more.
static int redirect_all(const struct sys_start *start) {
    const char *output = start->output ? start->output : "/dev/null";
    const char *error_output = start->error_output ? start->error_output : "/dev/null";
    const int writing = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY;
    int kept = start->kept_descriptor;
    if (start->descriptor_count > 0) {
        for (int i = 0; i < start->descriptor_count; i++)
            if (dup2(start->descriptors[i], i) < 0) return -1;
        sys_close_from((unsigned)start->descriptor_count);
        return 0;
    }
    // Out of the way of 0 to 3, which are about to be replaced.
    if (kept >= 0 && (kept = fcntl(kept, F_DUPFD, 10)) < 0) return -1;
    if (redirect("/dev/null", 0, O_RDONLY) < 0) return -1;
    if (redirect(output, 1, start->output ? writing : O_WRONLY) < 0) return -1;
    if (start->output && start->error_output && strcmp(start->output, start->error_output) == 0) {
        if (dup2(1, 2) < 0) return -1;
    } else if (redirect(error_output, 2, start->error_output ? writing : O_WRONLY) < 0) {
        return -1;
    }
    if (kept >= 0 && dup2(kept, 3) < 0) return -1;
    sys_close_from(kept >= 0 ? 4 : 3);
    return 0;
}

void sys_reset_signals(void) {
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// The child shares the parent's memory until it executes: what went wrong is left here for the parent.
static volatile int failure_errno;
static const char *volatile failure_step;

void sys_keep_on(struct sys_start *start, int processor) {
    if (processor < 0 || processor >= 64 * SYS_PROCESSOR_WORDS) return;
    start->processors[processor / 64] |= (uint64_t)1 << processor % 64;
}

// What makes it slower or faster and nothing else: where the kernel refuses, the program runs all the same.
static void place(const struct sys_start *start) {
    if (start->nice > 0 && nice(start->nice) == -1) {}
    for (int i = 0; i < SYS_PROCESSOR_WORDS; i++) {
        if (start->processors[i] == 0) continue;
        syscall(SYS_sched_setaffinity, 0, sizeof start->processors, start->processors);
        break;
    }
}

// Whether it is a script without a first line that says what runs it.
static bool is_bare_script(const char *file) {
    int descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return false;
    char begin[128];
    ssize_t count = read(descriptor, begin, sizeof begin);
    close(descriptor);
    if (count <= 0 || memchr(begin, 0, (size_t)count)) return false;
    if (begin[0] == 0x7f || (count > 1 && begin[0] == '#' && begin[1] == '!')) return false;
    return count < 3 || memcmp(begin, "\xef\xbb\xbf", 3) != 0;
}

// As execve(2); a script without a first line for the system is given to /bin/sh, as shells and execvp(3) do.
static void execute_file(const char *file, char *const *arguments, char *const *environment) {
    execve(file, arguments, environment);
    if (errno != ENOEXEC) return;
    if (is_bare_script(file)) {
        size_t count = 0;
        while (arguments[count]) count++;
        char *words[count + 2];
        words[0] = "/bin/sh";
        words[1] = (char *)file;
        for (size_t i = 1; i <= count; i++) words[i + 1] = arguments[i];
        execve(words[0], words, environment);
    }
    errno = ENOEXEC;
}

// Executes the file, or the first program of that name in the PATH that the program itself gets. Returns where there is
// none, with errno. execvpe(3) searches the caller's PATH instead.
static void execute(const struct sys_start *start) {
    char *const *arguments = (char *const *)start->arguments;
    char *const *environment = (char *const *)start->environment;
    const char *name = start->file ? start->file : arguments[0];
    if (start->file || strchr(name, '/')) {
        execute_file(name, arguments, environment);
        return;
    }
    const char *entry = "/bin:/usr/bin";
    for (int i = 0; environment[i]; i++) {
        if (strncmp(environment[i], "PATH=", 5) != 0) continue;
        entry = environment[i] + 5;
        break;
    }
    char file[PATH_MAX];
    size_t length = strlen(name);
    int error = ENOENT;
    while (length > 0) {
        const char *end = strchrnul(entry, ':');
        size_t folder = (size_t)(end - entry);
        if (folder + length + 2 <= sizeof file) {
            memcpy(file, entry, folder);
            // An empty entry is the working folder.
            if (folder > 0) file[folder++] = '/';
            memcpy(file + folder, name, length + 1);
            execute_file(file, arguments, environment);
            if (errno == EACCES) error = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR && errno != ENODEV && errno != ESTALE && errno != ETIMEDOUT)
                return;
        }
        if (*end == 0) break;
        entry = end + 1;
    }
    errno = error;
}

static void child(const struct sys_start *start, pid_t parent) {
    place(start);
    failure_step = "setsid";
    if (start->own_session && setsid() < 0) goto failed;
    if (start->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
    }
    failure_step = "chdir";
    if (start->folder && chdir(start->folder) < 0) goto failed;
    failure_step = "open";
    if (redirect_all(start) < 0) goto failed;
    failure_step = "exec";
    execute(start);
failed:
    failure_errno = errno;
    _exit(127);
}

pid_t sys_spawn(const struct sys_start *start, const char **step) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    failure_errno = 0;
    failure_step = "vfork";
    pid_t parent = getpid();
    pid_t pid = vfork();
    if (pid == 0) {
        sys_reset_signals();
        umask(077);
        child(start, parent);
    }
    int error = pid < 0 ? errno : failure_errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && error != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        pid = -1;
    }
    if (pid < 0) {
        *step = failure_step;
        errno = error;
    }
    return pid;
}

void sys_note_end(struct sys_ended *ended, int status, const struct rusage *usage) {
    ended->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ended->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    ended->peak_bytes = (int64_t)usage->ru_maxrss * 1024;
    ended->cpu_nanoseconds = ((int64_t)usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000
        + ((int64_t)usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

int sys_reap(struct sys_ended *ended) {
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) return pid == 0 ? 0 : -1;
    ended->pid = pid;
    sys_note_end(ended, status, &usage);
    return 1;
}

int sys_children(pid_t *pids, int room) {
    char text[16384];
    int descriptor = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t length = read(descriptor, text, sizeof text);
    close(descriptor);
    if (length < 0) return -1;
    int count = 0;
    pid_t pid = 0;
    // Each number is followed by a space: one that the end of the text cut off is not counted.
    for (ssize_t i = 0; i < length && count < room; i++) {
        if (text[i] != ' ') {
            pid = pid * 10 + (text[i] - '0');
        } else {
            pids[count++] = pid;
            pid = 0;
        }
    }
    return count;
}

int sys_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void sys_fill_standard_descriptors(void) {
    // The lowest that is free is taken: 0, 1 or 2.
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

char **sys_environment(void) { return environ; }

int sys_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1); }

int sys_set_umask(int mask) { return (int)umask((mode_t)mask); }
