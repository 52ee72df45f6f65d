/* Preloaded into sockdiff: takes away, one at a time, what its records rest on.
 *
 * SOCKDIFF_SPOIL is `quickack` (the routes' attribute is not heeded), `buffer` (captures have
 * hardly any) or `clock` (somebody sets the system clock back by an hour). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int spoils(const char *what) {
    const char *asked = getenv("SOCKDIFF_SPOIL");
    return asked != NULL && strcmp(asked, what) == 0;
}

/* RTA_METRICS with one metric, RTAX_QUICKACK, whose value 1 becomes 0. */
ssize_t send(int fd, const void *data, size_t len, int flags) {
    static ssize_t (*real)(int, const void *, size_t, int);
    real = (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    static const char metric[8] = {8, 0, 15, 0, 1, 0, 0, 0};
    char *copy = spoils("quickack") ? malloc(len) : NULL;
    if (copy == NULL) {
        return real(fd, data, len, flags);
    }
    memcpy(copy, data, len);
    char *found;
    while ((found = memmem(copy, len, metric, sizeof metric)) != NULL) {
        found[4] = 0;
    }
    ssize_t sent = real(fd, copy, len, flags);
    free(copy);
    return sent;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    static int (*real)(int, int, int, const void *, socklen_t);
    real = (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    int few = 0;
    int buffer = level == SOL_SOCKET && (name == SO_RCVBUFFORCE || name == SO_RCVBUF);
    if (buffer && spoils("buffer")) {
        return real(fd, level, name, &few, sizeof few);
    }
    return real(fd, level, name, value, len);
}

/* Half a second after the start an hour is taken away. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    static struct timespec start;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME && spoils("clock")) {
        struct timespec now;
        real(CLOCK_MONOTONIC, &now);
        if (start.tv_sec == 0) {
            start = now;
        }
        long passed_ms = (now.tv_sec - start.tv_sec) * 1000 +
                         (now.tv_nsec - start.tv_nsec) / 1000000;
        time->tv_sec -= passed_ms >= 500 ? 3600 : 0;
    }
    return result;
}
