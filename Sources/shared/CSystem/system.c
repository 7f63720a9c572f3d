#define _GNU_SOURCE
#include "csystem.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

int sys_signal_descriptor(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int sys_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static int address_of(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

// Closes what cannot be used; errno stays what it was.
static int close_failed(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int sys_listen(const char *path) {
    struct sockaddr_un address;
    if (address_of(path, &address) < 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    unlink(path);
    mode_t before = umask(0177);
    int bound = bind(descriptor, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound < 0 || listen(descriptor, 64) < 0) {
        return close_failed(descriptor);
    }
    return descriptor;
}

int sys_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int sys_connect(const char *path) {
    struct sockaddr_un address;
    if (address_of(path, &address) < 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        return close_failed(descriptor);
    }
    return sys_nonblocking(descriptor) < 0 ? -1 : descriptor;
}

// Addresses in digits only: nothing is looked up.
static socklen_t internet_address(const char *text, int port, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return sizeof *six;
    }
    errno = EINVAL;
    return 0;
}

int sys_listen_at(const char *text, int *port) {
    struct sockaddr_storage address;
    socklen_t length = internet_address(text, 0, &address);
    if (length == 0) return -1;
    int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0 || listen(descriptor, 64) < 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) < 0) {
        return close_failed(descriptor);
    }
    *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                               : ((struct sockaddr_in6 *)&address)->sin6_port);
    return descriptor;
}

int sys_connect_to(const char *text, int port) {
    struct sockaddr_storage address;
    socklen_t length = internet_address(text, port, &address);
    if (length == 0) return -1;
    int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int at_once = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    if (connect(descriptor, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS) {
        return close_failed(descriptor);
    }
    return descriptor;
}

int sys_peer_user(int descriptor, uint32_t *user) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -1;
    *user = peer.uid;
    return 0;
}

pid_t sys_peer_process(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? -1 : peer.pid;
}

int sys_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

static int lock(int descriptor, int operation) {
    int result;
    do {
        result = flock(descriptor, operation);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int sys_lock(const char *path, int wait) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return descriptor < 0 ? -1 : lock(descriptor, LOCK_EX | (wait ? 0 : LOCK_NB));
}

int sys_lock_folder(const char *path, int shared) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return descriptor < 0 ? -1 : lock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

uint64_t sys_file_system_magic(const char *path) {
    struct statfs status;
    return statfs(path, &status) < 0 ? 0 : (uint64_t)(uint32_t)status.f_type;
}

int sys_is_noexec(const char *path) {
    struct statvfs status;
    return statvfs(path, &status) < 0 ? -1 : (status.f_flag & ST_NOEXEC) != 0;
}

int sys_holds_sockets(const char *folder) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/.socket-%d", folder, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof path) return 0;
    unlink(path);
    if (mknod(path, S_IFSOCK | 0600, 0) == 0) {
        unlink(path);
        return 1;
    }
    // A disk that is full now holds sockets at another time: the answer must not change with that.
    return errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL;
}

int64_t sys_free_bytes(const char *path) {
    struct statvfs status;
    return statvfs(path, &status) < 0 ? -1 : (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}

int64_t sys_memory_bytes(void) {
    struct sysinfo information;
    return sysinfo(&information) < 0 ? -1 : (int64_t)information.totalram * (int64_t)information.mem_unit;
}

int sys_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return (int)sysconf(_SC_NPROCESSORS_ONLN);
    return CPU_COUNT(&set);
}

int sys_allowed_processors(int *list, int room) {
    static uint64_t words[64];
    long length = syscall(SYS_sched_getaffinity, 0, sizeof words, words);
    int count = 0;
    for (int number = 0; number < length * 8 && count < room; number++)
        if (words[number / 64] >> number % 64 & 1) list[count++] = number;
    return count;
}

int sys_claim(const char *folder, const char *path) {
    struct stat status;
    if (stat(folder, &status) < 0) return -1;
    if (!(status.st_mode & S_ISVTX)) {
        errno = EPERM;
        return -1;
    }
    // Without O_CREAT first: in such folders the kernel may refuse to open what is there with it.
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int descriptor = open(path, flags);
    if (descriptor < 0 && errno == ENOENT) descriptor = open(path, flags | O_CREAT | O_EXCL, 0600);
    if (descriptor < 0) return -1;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fstat(descriptor, &status) < 0) return close_failed(descriptor);
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1) {
        errno = EPERM;
        return close_failed(descriptor);
    }
    if (fchmod(descriptor, 0644) < 0 || fcntl(descriptor, F_OFD_SETLK, &lock) < 0) return close_failed(descriptor);
    return descriptor;
}

int64_t sys_read_claim(const char *path, uint32_t user, void *bytes, size_t most) {
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    struct stat status;
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    ssize_t count = -1;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == user && status.st_nlink == 1
        && !(status.st_mode & (S_IWGRP | S_IWOTH)) && fcntl(descriptor, F_OFD_GETLK, &lock) == 0
        && lock.l_type == F_WRLCK)
        count = pread(descriptor, bytes, most, 0);
    close(descriptor);
    return count;
}

/// Removes at most so many names, by which `most` is lowered. 0: nothing is left; 1: that was not all.
static int remove_at(int folder, const char *name, int depth, int64_t *most) {
    if (*most <= 0) return 1;
    if (unlinkat(folder, name, 0) == 0) {
        --*most;
        return 0;
    }
    if (errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return -1;
    if (depth > 512) {
        errno = ELOOP;
        return -1;
    }
    int descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0 && errno == EACCES) {
        // The program took its own right to read away; the folder is still this user's.
        fchmodat(folder, name, 0700, 0);
        descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (descriptor < 0) return -1;
    fchmod(descriptor, 0700);
    DIR *stream = fdopendir(descriptor);
    if (!stream) {
        close(descriptor);
        return -1;
    }
    int error = 0, rest = 0;
    struct dirent *entry;
    while (rest != 1 && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        rest = remove_at(dirfd(stream), entry->d_name, depth + 1, most);
        if (rest < 0 && error == 0) error = errno;
    }
    closedir(stream);
    if (*most <= 0) return 1;
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0) --*most;
    else if (error == 0) error = errno;
    errno = error;
    return error == 0 || error == ENOENT ? 0 : -1;
}

int sys_remove_tree(const char *path, int64_t most) { return remove_at(AT_FDCWD, path, 0, &most); }

/// The finaliser of SplitMix64: spreads every bit over all.
static uint64_t spread(uint64_t value) {
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/// Adds what stands in a folder to a mark. A sum, so that the order in which the system lists names does not count.
/// `path` holds the folder's own name from the start on, and has room for more.
static void mark_folder(int descriptor, char *path, size_t length, size_t room, int depth, struct sys_mark *mark) {
    DIR *stream = fdopendir(descriptor);
    if (!stream) {
        close(descriptor);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        struct stat status;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
        int count = snprintf(path + length, room - length, "%s%s", length ? "/" : "", name);
        if (count < 0 || (size_t)count >= room - length) continue;
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (const char *byte = path; *byte; byte++) hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
        int64_t time = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        hash = spread(hash ^ status.st_mode) + (uint64_t)time;
        mark->value += spread(spread(hash) + (S_ISDIR(status.st_mode) ? 0 : (uint64_t)status.st_size));
        if (S_ISREG(status.st_mode) && time > mark->newest) {
            mark->newest = time;
            snprintf(mark->file, sizeof mark->file, "%s", path);
        }
        int64_t taken = (int64_t)status.st_blocks * 512;
        // Blocks that were set aside beyond the end are not written yet.
        if (taken > status.st_size) taken = status.st_size;
        if (S_ISREG(status.st_mode)) mark->bytes += taken;
        if (S_ISREG(status.st_mode) && taken > mark->largest) {
            mark->largest = taken;
            snprintf(mark->largest_file, sizeof mark->largest_file, "%s", path);
        }
        if (S_ISDIR(status.st_mode) && depth < 64) {
            int below = openat(dirfd(stream), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0) mark_folder(below, path, length + (size_t)count, room, depth + 1, mark);
        }
    }
    closedir(stream);
}

void sys_mark_tree(const char *path, struct sys_mark *mark) {
    char name[PATH_MAX] = "";
    memset(mark, 0, sizeof *mark);
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor >= 0) mark_folder(descriptor, name, 0, sizeof name, 0, mark);
}

int sys_reserve(int descriptor, int64_t bytes) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
}

int sys_write_out(int descriptor, int64_t offset, int64_t count) {
    if (sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE) < 0) return -1;
    if (offset < count) return 0;
    return sync_file_range(descriptor, offset - count, count,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

int sys_widen_pipe(int descriptor, int bytes) { return fcntl(descriptor, F_SETPIPE_SZ, bytes); }

void sys_spread(const char *folder) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags;
    if (descriptor < 0) return;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        ioctl(descriptor, FS_IOC_SETFLAGS, &flags);
    }
    close(descriptor);
}

int64_t sys_attribute(const char *path, const char *name, void *bytes, size_t most)
{
    return lgetxattr(path, name, bytes, most);
}

int64_t sys_copy(int source, int target, int64_t offset, int64_t count) {
    off_t from = (off_t)offset, to = (off_t)offset;
    return copy_file_range(source, &from, target, &to, (size_t)count, 0);
}

int sys_clone(int source, int target) { return ioctl(target, FICLONE, source); }

struct sys_syncer {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int event;
    int descriptor;
    uint64_t requested;
    uint64_t served;
    int error;
};

static void *serve(void *argument) {
    struct sys_syncer *syncer = argument;
    pthread_mutex_lock(&syncer->lock);
    for (;;) {
        while (syncer->requested == syncer->served) pthread_cond_wait(&syncer->changed, &syncer->lock);
        uint64_t ticket = syncer->requested;
        int descriptor = syncer->descriptor;
        pthread_mutex_unlock(&syncer->lock);
        int error = fdatasync(descriptor) < 0 ? errno : 0;
        pthread_mutex_lock(&syncer->lock);
        syncer->served = ticket;
        if (error != 0) syncer->error = error;
        pthread_cond_broadcast(&syncer->changed);
        uint64_t one = 1;
        if (write(syncer->event, &one, sizeof one) < 0) continue;
    }
    return NULL;
}

struct sys_syncer *sys_syncer_start(void) {
    struct sys_syncer *syncer = calloc(1, sizeof *syncer);
    if (!syncer) return NULL;
    pthread_mutex_init(&syncer->lock, NULL);
    pthread_cond_init(&syncer->changed, NULL);
    syncer->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_t thread;
    if (syncer->event < 0 || pthread_create(&thread, NULL, serve, syncer) != 0) {
        free(syncer);
        return NULL;
    }
    pthread_detach(thread);
    return syncer;
}

int sys_syncer_descriptor(struct sys_syncer *syncer) { return syncer->event; }

void sys_syncer_request(struct sys_syncer *syncer, int descriptor, uint64_t ticket) {
    pthread_mutex_lock(&syncer->lock);
    syncer->descriptor = descriptor;
    syncer->requested = ticket;
    pthread_cond_broadcast(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
}

uint64_t sys_syncer_served(struct sys_syncer *syncer, int *error) {
    uint64_t count;
    if (read(syncer->event, &count, sizeof count) < 0) count = 0;
    pthread_mutex_lock(&syncer->lock);
    uint64_t served = syncer->served;
    *error = syncer->error;
    syncer->error = 0;
    pthread_mutex_unlock(&syncer->lock);
    return served;
}

void sys_syncer_settle(struct sys_syncer *syncer) {
    pthread_mutex_lock(&syncer->lock);
    while (syncer->requested != syncer->served) pthread_cond_wait(&syncer->changed, &syncer->lock);
    pthread_mutex_unlock(&syncer->lock);
}
