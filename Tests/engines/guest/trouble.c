/* A function that goes wrong, for tests of the guest: it answers `yes` over HTTP/1.1, or a document in JSON, but its
 * third call goes as its first argument says. Further arguments are ports to listen on, of which the first is served.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALL = 3 };

static const char *mode;

static int is(const char *name) { return !strcmp(mode, name); }

static void end(const char *why)
{
    fprintf(stderr, "%s\n", why);
    abort();
}

static void take_memory(void)
{
    for (;;)
        memset(malloc(1 << 20), 1, 1 << 20);
}

static void fork_without_end(void)
{
    for (;;) {
        pid_t child = fork();
        if (!child)
            for (;;)
                pause();
        if (child < 0)
            end("cannot fork");
    }
}

/* Each call in a process of its own, which leaves a file in the root. */
static int answer_in_child(int call)
{
    char name[64];
    pid_t child = fork();
    if (child) {
        waitpid(child, NULL, 0);
        return 1;
    }
    snprintf(name, sizeof name, "/var/lib/call-%d", call);
    FILE *file = fopen(name, "w");
    if (!file || fputs(name, file) < 0 || fclose(file))
        end("cannot write to the root");
    return 0;
}

/* It has the number of the call, so that no two are the same. */
static const char *document(int call, int id)
{
    static char text[64];
    snprintf(text, sizeof text, "{\"call\": %d, \"user\": {\"id\": %d}}", call, id);
    return text;
}

static const char *answer_to(int call)
{
    if (is("json"))
        return document(call, 7);
    if (is("json-wrong"))
        return document(call, call == CALL ? 8 : 7);
    if (is("json-cut") && call < CALL)
        return document(call, 7);
    if (is("json-cut"))
        return "{\"user\": {\"id\": 7}";
    if (is("wrong") && call > 1)
        return "no!";
    if (call != CALL)
        return "yes";
    if (is("crash"))
        end("a null pointer, say");
    if (is("memory"))
        take_memory();
    if (is("bomb"))
        fork_without_end();
    if (is("hang"))
        for (;;)
            pause();
    if (is("late"))
        sleep(7);
    return "yes";
}

static void serve(int connection)
{
    static int call;
    char request[4096], answer[128];
    size_t length = 0;
    ssize_t n;
    while ((n = read(connection, request + length, sizeof request - 1 - length)) > 0) {
        length += n;
        request[length] = 0;
        if (!strstr(request, "\r\n\r\n"))
            continue;
        length = 0;
        call++;
        if (is("forks") && answer_in_child(call))
            continue;
        const char *body = answer_to(call);
        int size = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                            strlen(body), body);
        if (write(connection, answer, size) != size)
            end("cannot answer");
        if (is("forks"))
            _exit(0);
    }
    close(connection);
}

static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
        end(strerror(errno));
    return listener;
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 64;
    mode = arguments[1];
    /* As an image with a user of its own is started. */
    if (is("plain") && setuid(1000))
        end("cannot become another user");
    if (is("early"))
        end("it has no settings");
    if (is("deaf"))
        for (;;)
            pause();
    int listener = listen_on(arguments[2]);
    for (int i = 3; i < count; i++)
        listen_on(arguments[i]);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            return 1;
        serve(connection);
    }
}
