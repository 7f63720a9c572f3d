/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may act on the guest, and when. QEMU runs the cores in one thread, by counted instructions: their turns end
 * where the guest's clock says so, and that thread then runs the guest's timers. But it also wakes the main thread,
 * which, a little late, takes the big lock and runs whatever timer is due by then. If that is one which the cores'
 * thread has just reached, the turns go on in another order: the statistics would depend on how the host schedules
 * two threads.
 *
 * So the main thread, once it has the lock, gives it back until the cores' thread waits for something to do. Then it
 * has to act: it moves the clock on when all cores sleep. QEMU (7.2; others may) reaches its lock and its way to wait
 * through variables, made for profiling, which are replaced here.
 */
#include "turns.h"

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <time.h>

#define OF_QEMU __attribute__((weak, visibility("default"))) /* null where this QEMU has none */

typedef void (*lock_function)(void *mutex, const char *file, int line);
typedef void (*wait_function)(void *condition, void *mutex, const char *file, int line);

extern OF_QEMU lock_function qemu_bql_mutex_lock_func;
extern OF_QEMU wait_function qemu_cond_wait_func;
extern OF_QEMU void qemu_mutex_unlock_impl(void *mutex, const char *file, int line);
extern OF_QEMU int qemu_shutdown_requested_get(void);

/* Nothing that has been seen needs the main thread meanwhile; should something, it gets its turn after this time. */
enum { LOOKS_MOST = 100, LOOK_MILLISECONDS = 100 };

/* All but what never changes is protected by the big lock. */
static struct {
    lock_function lock;
    wait_function wait;
    pthread_t main_thread;
    sem_t cores_stopped;
    void *big_lock;
    bool cores_run, is_awaited;
} turns;

static void await_cores(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MILLISECONDS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)sem_clockwait(&turns.cores_stopped, CLOCK_MONOTONIC, &until); /* too early is only one look more */
}

static void take_lock(void *mutex, const char *file, int line)
{
    turns.lock(mutex, file, line);
    turns.big_lock = mutex;
    if (!pthread_equal(pthread_self(), turns.main_thread))
        return;
    for (int looks = 0; turns.cores_run && looks < LOOKS_MOST && !qemu_shutdown_requested_get(); looks++) {
        turns.is_awaited = true;
        qemu_mutex_unlock_impl(mutex, file, line);
        await_cores();
        turns.lock(mutex, file, line);
    }
    turns.is_awaited = false;
}

/* Only the cores' thread, besides the main one, waits with the big lock: when no core has anything to do. */
static void wait_with_lock(void *condition, void *mutex, const char *file, int line)
{
    bool is_cores = mutex == turns.big_lock && !pthread_equal(pthread_self(), turns.main_thread);
    if (is_cores) {
        turns.cores_run = false;
        if (turns.is_awaited)
            sem_post(&turns.cores_stopped);
    }
    turns.wait(condition, mutex, file, line);
    if (is_cores)
        turns.cores_run = true;
}

bool turns_keep(void)
{
    if (!&qemu_bql_mutex_lock_func || !&qemu_cond_wait_func || !qemu_mutex_unlock_impl || !qemu_shutdown_requested_get)
        return false;
    if (sem_init(&turns.cores_stopped, 0, 0))
        return false;
    turns.main_thread = pthread_self();
    turns.lock = qemu_bql_mutex_lock_func;
    turns.wait = qemu_cond_wait_func;
    qemu_cond_wait_func = wait_with_lock;
    qemu_bql_mutex_lock_func = take_lock;
    return true;
}
