#ifndef USWEEP_CSYSTEM_H
#define USWEEP_CSYSTEM_H

// What the agent needs of Linux and cannot say in Swift: a child that shares memory until it executes, variadic
// and macro interfaces, and folder trees whose names are bytes. Functions return -1 and leave errno unless it says
// otherwise.

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/// Of 64 processors each.
#define SYS_PROCESSOR_WORDS 64

/// How a program is to be started. All strings end with NUL, both arrays with NULL.
struct sys_start {
    const char *const *arguments;
    const char *const *environment;
    const char *file;            // what is executed; NULL: arguments[0], looked for in the PATH of `environment`
    const char *folder;          // working folder; NULL: unchanged
    const char *output;          // file for standard output, created or appended to; NULL: /dev/null
    const char *error_output;    // the same for standard error; equal to `output`: one file
    const int *descriptors;      // `descriptor_count` of them, each 64 or more, become 0, 1, 2, ... instead of files
    int descriptor_count;
    int kept_descriptor;         // stands as descriptor 3 in the program; -1: none
    int own_session;             // it leads a session, and so a process group, of its own
    int dies_with_parent;        // SIGKILL when the thread that started it ends
    int nice;                    // its niceness, where that is above 0
    uint64_t processors[SYS_PROCESSOR_WORDS];  // it is kept on those whose bits are set; none: on any
};

/// Keeps what is to be started on a processor; one that there cannot be is passed over.
void sys_keep_on(struct sys_start *start, int processor);

/// Starts a program with standard input from /dev/null, no descriptor inherited but those named, default signal
/// dispositions and an umask of 077.
/// Returns its process number, or -1 with `*step` naming what failed ("chdir", "open", "exec") and errno saying why.
pid_t sys_spawn(const struct sys_start *start, const char **step);

/// A pipe whose ends no started program inherits.
int sys_pipe(int ends[2]);
/// Opens /dev/null in place of standard input, output and error where these are closed: what is opened next would be
/// taken for them.
void sys_fill_standard_descriptors(void);
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
/// Fills in all but `pid`, from what wait4(2) told.
void sys_note_end(struct sys_ended *ended, int status, const struct rusage *usage);
/// The children of this process, as far as there is room; -1: the kernel does not tell.
int sys_children(pid_t *pids, int room);

/// What a keeper says of the program that it keeps, or kept last.
struct sys_kept {
    pid_t leader;            // the program
    int leader_ended;        // its number may belong to another soon
    struct sys_ended ended;  // how it ended
    int left;                // processes of it that could not be ended: this keeper keeps no other program
    int is_complete;         // 0 after the keeper's end: somebody killed the keeper
    int error;
    const char *step;
};

/// A process that starts programs, one after the other, as its children, and ends all that each leaves behind. When
/// this process ends, so do its keepers and what they keep. Only one thread may use it.
struct sys_keeper;
/// NULL, with errno: there can be none.
struct sys_keeper *sys_keeper_start(void);
/// Starts a program as ``sys_spawn`` does, in a session of its own. `start` says arguments, environment, folder and
/// both outputs, and no descriptors; `title` is what ps(1) shows of the keeper meanwhile. This process gets SIGCHLD
/// when it is complete. Returns 0, or -1 as ``sys_spawn`` does; with the step "keep" and ECHILD the keeper is gone.
/// A start that takes longer than a second goes on without being waited for: ``sys_keeper_has_started``.
int sys_keeper_run(struct sys_keeper *keeper, const struct sys_start *start, const char *title, const char **step);
/// 1: the program began; 0: its start is still under way, or the keeper is gone; -1, as ``sys_spawn``: it could not be
/// started. This process gets SIGCHLD when it is that.
int sys_keeper_has_started(struct sys_keeper *keeper, const char **step);
pid_t sys_keeper_process(const struct sys_keeper *keeper);
/// Whether its process has ended, which was perhaps reaped.
int sys_keeper_has_ended(const struct sys_keeper *keeper);
/// Whether nothing runs any more of what it kept. Only then is all that it says of it there.
int sys_keeper_is_complete(const struct sys_keeper *keeper);
/// Shared with the keeper, until that is freed.
const struct sys_kept *sys_keeper_kept(const struct sys_keeper *keeper);
/// An idle one ends; one that keeps a program goes on until that ends.
void sys_keeper_free(struct sys_keeper *keeper);

/// Closes all descriptors from `first` on.
void sys_close_from(unsigned int first);

/// Default dispositions and an empty mask, whatever the parent left.
void sys_reset_signals(void);

int sys_become_subreaper(void);
int sys_set_umask(int mask);

/// A descriptor that reads one record for each of SIGCHLD, SIGTERM, SIGINT, SIGHUP that came; they are blocked, and
/// SIGPIPE is ignored.
int sys_signal_descriptor(void);
/// The next signal from it, or 0.
int sys_next_signal(int descriptor);

/// A listening Unix socket with mode 0600; a file of that name is replaced.
int sys_listen(const char *path);
int sys_accept(int descriptor);
int sys_connect(const char *path);
/// A listening TCP socket at an address in digits, on a port that is free and told.
int sys_listen_at(const char *address, int *port);
/// A TCP connection that begins: whether it stands is known when it can be written to.
int sys_connect_to(const char *address, int port);
/// The user at the other end of a Unix socket.
int sys_peer_user(int descriptor, uint32_t *user);
/// The process at the other end of a Unix socket when it connected or listened.
pid_t sys_peer_process(int descriptor);
int sys_nonblocking(int descriptor);

/// Takes an exclusive lock on a file, created if need be; held until the descriptor is closed. With `wait` 0 it
/// fails with EWOULDBLOCK.
int sys_lock(const char *path, int wait);
/// The same on a folder, without waiting. Where `shared` is not 0, others may have it, too.
int sys_lock_folder(const char *path, int shared);

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
/// Their numbers, as far as there is room; how many.
int sys_allowed_processors(int *list, int room);

/// Opens a file of this user's in a folder where everybody may write and only owners may remove, made if need be and
/// readable for all, and locks it as long as the descriptor is open. EPERM: the folder, or what stands there, is not
/// such.
int sys_claim(const char *folder, const char *path);
/// What stands in a file that a user holds so; -1, whatever errno says, where nobody does, or where it is not that
/// user's alone.
int64_t sys_read_claim(const char *path, uint32_t user, void *bytes, size_t most);

/// Removes a file or a folder with all that is in it, following no symbolic link, but at most so many names; a missing
/// one is no error. 0: nothing is left; 1: so many were removed, and more is to be; -1: errno is of the first name that
/// cannot be removed, and all that can be are gone.
int sys_remove_tree(const char *path, int64_t most);

/// What a folder looks like, with all that is in it, symbolic links not followed.
struct sys_mark {
    uint64_t value;      // another one if a name came or went, or if a size or time of modification changed
    int64_t newest;      // the latest time of modification of a file, nanoseconds since 1970; 0: there is none
    char file[512];      // that file, from the folder on; cut if it is longer
    int64_t bytes;       // what all files take on the disk; holes take nothing
    int64_t largest;     // the most of one of them
    char largest_file[512];
};

/// A folder that is not there, or cannot be read, looks like an empty one.
void sys_mark_tree(const char *path, struct sys_mark *mark);

/// Takes whole blocks of 64 bytes into a state of SHA-256 by the processor's own instructions. 0, with nothing done,
/// where it has none, or nobody wrote this for it.
int sys_sha256(uint32_t state[8], const void *bytes, size_t blocks);

/// Goes on with a CRC-32C, whose bits are not inverted here, by the processor's own instruction. 0, with nothing done,
/// as above.
int sys_crc32c(uint32_t *value, const void *bytes, size_t count);

/// Sets aside disk blocks for a file without changing its length.
int sys_reserve(int descriptor, int64_t bytes);

/// Has the disk begin with `count` bytes from `offset` of a file, and waits for the `count` bytes before them.
int sys_write_out(int descriptor, int64_t offset, int64_t count);

/// How many bytes a pipe may hold; -1 where the system does not allow so many.
int sys_widen_pipe(int descriptor, int bytes);

/// Asks the file system to place what is made in a folder far from each other (chattr +T); some do.
void sys_spread(const char *folder);

/// An extended attribute of a file, not of what a link leads to; its length, or -1.
int64_t sys_attribute(const char *path, const char *name, void *bytes, size_t most);

/// Copies within the kernel, from `offset` of one file to that of the other; 0 at the end.
int64_t sys_copy(int source, int target, int64_t offset, int64_t count);
/// Makes one file share the blocks of another, where the file system can.
int sys_clone(int source, int target);

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
