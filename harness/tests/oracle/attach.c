/* Preloaded into sockdiff: before a run goes on in its new network namespace, a tcpdump watches
 * all of that namespace. Nothing of sockdiff has to know, and no packet can be early.
 *
 * SOCKDIFF_ORACLE names the folder; tcpdump's process id is the name of its file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The threads and children in which sockdiff only tries what the machine can do. */
static int only_tries(void) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    return syscall(SYS_gettid) == getpid() || strcmp(name, "namespace") == 0;
}

static void watch(const char *folder) {
    int told[2];
    if (pipe(told) != 0) {
        abort();
    }
    pid_t child = fork();
    if (child == 0) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%d.pcap", folder, getpid());
        /* Whoever reads what sockdiff prints does not wait for tcpdump. */
        dup2(told[1], STDOUT_FILENO);
        dup2(told[1], STDERR_FILENO);
        /* It tells its counts at its end, when nobody listens any more. */
        signal(SIGPIPE, SIG_IGN);
        /* Runs leave signals to another thread; tcpdump ends by one. */
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* Headers only: whole packets would leave room for eight of them. Other protocols are told
         * of peers alone: sentinels have one, too. */
        execlp("tcpdump", "tcpdump", "-i", "any", "-n", "-U", "--immediate-mode", "-Z", "root",
               "-s", "256", "-B", "4096", "-w", file,
               "tcp or udp or icmp or icmp6 or src 192.0.2.2 or src 2001:db8::2", (char *)NULL);
        _exit(127);
    }
    close(told[1]);
    char text[4096] = "";
    size_t len = 0;
    while (strstr(text, "listening on") == NULL) {
        ssize_t more = read(told[0], text + len, sizeof text - 1 - len);
        if (more <= 0) {
            fprintf(stderr, "tcpdump does not listen: %s\n", text);
            abort();
        }
        len += (size_t)more;
        text[len] = 0;
    }
    close(told[0]);
}

/* tcpdump lays down groups, which the root of a user namespace may not do and need not. */
int initgroups(const char *user, gid_t group) {
    (void)user;
    (void)group;
    return 0;
}

int unshare(int flags) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "unshare");
    const char *folder = getenv("SOCKDIFF_ORACLE");
    int result = real(flags);
    if (result == 0 && (flags & CLONE_NEWNET) && folder != NULL && !only_tries()) {
        watch(folder);
    }
    return result;
}
