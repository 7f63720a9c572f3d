/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a connection to this machine would find somebody who accepts it:
 *
 *     listens PORT
 *     listens PORT PROCESSES SECONDS      waits for that
 *
 * It ends with status 0 if so, 1 if not, or if no process is left in the control group whose file PROCESSES is, and 2
 * after so many seconds. It asks the kernel by sock_diag(7), which looks the port up: /proc/net/tcp goes through all
 * connections that there could be, and in a simulated machine each look costs more than the container's start.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 5000000 };

static void die(const char *what)
{
    perror(what);
    exit(3);
}

static int listens(int diagnosis, int port)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
    } question = {
        .head = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1},
    };
    union {
        struct nlmsghdr head;
        char bytes[8192];
    } answer;
    question.request.id.idiag_sport = htons(port);
    question.request.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
    question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (send(diagnosis, &question, sizeof question, 0) < 0 || recv(diagnosis, &answer, sizeof answer, 0) < 0)
        die("sock_diag");
    if (answer.head.nlmsg_type != NLMSG_ERROR)
        return 1;
    errno = -((struct nlmsgerr *)NLMSG_DATA(&answer.head))->error;
    if (errno != ENOENT)
        die("sock_diag");
    return 0;
}

static int runs(const char *processes)
{
    char byte;
    int file = open(processes, O_RDONLY | O_CLOEXEC);
    int found = file >= 0 && read(file, &byte, 1) == 1;
    close(file);
    return found;
}

int main(int count, char **arguments)
{
    struct timespec pause = {0, PAUSE_NS}, start, now;
    int diagnosis = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (count != 2 && count != 4)
        return 64;
    if (diagnosis < 0)
        die("sock_diag");
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        if (listens(diagnosis, atoi(arguments[1])))
            return 0;
        if (count == 2 || !runs(arguments[2]))
            return 1;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec >= atoi(arguments[3]))
            return 2;
        nanosleep(&pause, NULL);
    }
}
