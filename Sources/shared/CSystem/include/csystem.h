#ifndef USWEEP_CSYSTEM_H
#define USWEEP_CSYSTEM_H

// What the agent needs of Linux and cannot say in Swift: a child that shares memory until it executes, variadic
// and macro interfaces, and folder trees whose names are bytes. Functions return -1 and leave errno unless it says
// otherwise.

#include <stdint.h>
#include <sys/types.h>

/// How a program is to be started. All strings end with NUL, both arrays with NULL.
struct sys_start {
    const char *const *arguments;
    const char *const *environment;
    const char *folder;          // working folder; NULL: unchanged
    const char *output;          // file for standard output, created or appended to; NULL: /dev/null
    const char *error_output;    // the same for standard error; equal to `output`: one file
    int kept_descriptor;         // stands as descriptor 3 in the program; -1: none
    int dies_with_parent;        // SIGKILL when the thread that started it ends
};

/// Starts a program in a session of its own, with standard input from /dev/null, no descriptor inherited but
/// those named, default signal dispositions and an umask of 077.
/// Returns its process number, or -1 with `*step` naming what failed ("chdir", "open", "exec") and errno saying why.
pid_t sys_spawn(const struct sys_start *start, const char **step);

/// A pipe whose ends no started program inherits.
int sys_pipe(int ends[2]);
/// This process's environment, ended by NULL.
char **sys_environment(void);

/// A child that ended.
struct sys_ended {
    pid_t pid;
    int status;              // exit status, when signal is 0
    int signal;              // the signal that ended it, or 0
    int64_t peak_bytes;      // largest resident set of it and of the descendants that it waited for
    int64_t cpu_nanoseconds;
};

/// Takes one child that ended, without waiting. 1: there was one; 0: none has ended; -1: no children (ECHILD).
int sys_reap(struct sys_ended *ended);

/// Default dispositions and an empty mask, whatever the parent left.
void sys_reset_signals(void);

int sys_become_subreaper(void);
int sys_set_umask(int mask);

/// A descriptor that reads one record for each of SIGCHLD, SIGTERM, SIGINT that came; the signals are blocked.
int sys_signal_descriptor(void);
/// The next signal from it, or 0.
int sys_next_signal(int descriptor);

/// A listening Unix socket with mode 0600; a file of that name is replaced.
int sys_listen(const char *path);
int sys_accept(int descriptor);
int sys_connect(const char *path);
/// The user at the other end of a Unix socket.
int sys_peer_user(int descriptor, uint32_t *user);
/// The process at the other end of a Unix socket when it connected or listened.
pid_t sys_peer_process(int descriptor);
int sys_nonblocking(int descriptor);

/// Takes an exclusive lock on a file, created if need be; held until the descriptor is closed. With `wait` 0 it
/// fails with EWOULDBLOCK.
int sys_lock(const char *path, int wait);

/// `f_type` of statfs(2), or 0.
uint64_t sys_file_system_magic(const char *path);
/// 1: the file system is mounted noexec.
int sys_is_noexec(const char *path);
/// 0: the file system of a folder knows no sockets.
int sys_holds_sockets(const char *folder);
/// Bytes that this user may still write there.
int64_t sys_free_bytes(const char *path);
/// Bytes of memory of this machine.
int64_t sys_memory_bytes(void);

/// Processors that this process may use.
int sys_processors(void);

/// Removes a file or a folder with all that is in it, following no symbolic link; a missing one is no error.
int sys_remove_tree(const char *path);

/// What a folder looks like, with all that is in it, symbolic links not followed.
struct sys_mark {
    uint64_t value;      // another one if a name came or went, or if a size or time of modification changed
    int64_t newest;      // the latest time of modification of a file, nanoseconds since 1970; 0: there is none
    char file[512];      // that file, from the folder on; cut if it is longer
};

/// A folder that is not there, or cannot be read, looks like an empty one.
void sys_mark_tree(const char *path, struct sys_mark *mark);

/// Takes whole blocks of 64 bytes into a state of SHA-256 by the processor's own instructions. 0, with nothing done,
/// where it has none, or nobody wrote this for it.
int sys_sha256(uint32_t state[8], const void *bytes, size_t blocks);

/// Sets aside disk blocks for a file without changing its length.
int sys_reserve(int descriptor, int64_t bytes);

/// Copies on within the kernel from where both descriptors stand; 0 at the end.
int64_t sys_copy(int source, int target);

/// A thread that makes a file durable while its owner goes on.
struct sys_syncer;
struct sys_syncer *sys_syncer_start(void);
/// Becomes readable when a request was served.
int sys_syncer_descriptor(struct sys_syncer *syncer);
/// Asks that all written to `descriptor` so far be durable; `ticket` grows from request to request.
void sys_syncer_request(struct sys_syncer *syncer, int descriptor, uint64_t ticket);
/// The last ticket served; `*error` is the errno of a failure, or 0.
uint64_t sys_syncer_served(struct sys_syncer *syncer, int *error);
/// Returns when no request is under way.
void sys_syncer_settle(struct sys_syncer *syncer);

#endif
