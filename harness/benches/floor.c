/* The floor: what the scenarios of the benchmark cost when written by hand, with sockdiff's own
 * recipe and nothing else. Each case has a thread, a network namespace and descriptors of its own,
 * pinned settings, quickack routes, six raw sockets that see its packets, and after every call a
 * sentinel that tells that all of them have been seen. On the wire there are a TUN device, whose
 * far end plays the peer, and one packet socket in place of the six.
 *
 *     floor SCENARIO COUNT CPUS [NAME=VALUE]...
 *
 * CPUS threads work at a time, each on its own CPU. Prints the packets of the last case. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHECK(what) \
    do { \
        if ((what) < 0) { \
            perror(#what); \
            exit(1); \
        } \
    } while (0)

enum { SENTINEL = 253, TAPS = 6, PORT = 4100, CLOSED_PORT = 4200 };

struct ground {
    int sentinel, taps[TAPS], wire;
    unsigned tapped, sent, packets;
    char buffer[65600], segment[3000];
};

static int pins;
static char **pin;

/* Root's own view of /proc/sys, where a name is found faster than in the one that everybody has. */
static int view_of_settings(void) {
    int context = syscall(SYS_fsopen, "proc", 1 /* FSOPEN_CLOEXEC */);
    if (context < 0) {
        return open("/proc", O_PATH | O_CLOEXEC);
    }
    int view = -1;
    if (syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0) {
        view = syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
    }
    close(context);
    return view < 0 ? open("/proc", O_PATH | O_CLOEXEC) : view;
}

static void write_setting(int view, const char *assignment) {
    char path[256] = "sys/";
    const char *value = strchr(assignment, '=') + 1;
    size_t at = strlen(path);
    for (const char *c = assignment; *c != '='; c++) {
        path[at++] = *c == '.' ? '/' : *c;
    }
    path[at] = 0;
    int fd = openat(view, path, O_WRONLY | O_CLOEXEC);
    CHECK(fd);
    CHECK(write(fd, value, strlen(value)));
    close(fd);
}

struct request {
    char bytes[1024];
    size_t len;
    struct nlmsghdr *last;
    unsigned count;
};

static void add(struct request *r, unsigned short type, const void *data, unsigned short len) {
    struct rtattr *attribute = (struct rtattr *)(r->bytes + r->len);
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(len);
    memcpy(RTA_DATA(attribute), data, len);
    r->len += RTA_SPACE(len);
    r->last->nlmsg_len = r->bytes + r->len - (char *)r->last;
}

static void message(struct request *r, int type, int flags, const void *head, size_t len) {
    r->last = (struct nlmsghdr *)(r->bytes + r->len);
    r->last->nlmsg_type = type;
    r->last->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    r->last->nlmsg_seq = ++r->count;
    memcpy(NLMSG_DATA(r->last), head, len);
    r->len += NLMSG_SPACE(len);
    r->last->nlmsg_len = NLMSG_LENGTH(len);
}

static void quickack(struct request *r) {
    struct {
        struct rtattr head;
        unsigned value;
    } metric = {{RTA_LENGTH(sizeof(unsigned)), RTAX_QUICKACK}, 1};
    add(r, RTA_METRICS, &metric, sizeof metric);
}

static void route(struct request *r, int type, int flags, int family, const char *to, int bits) {
    struct rtmsg head = {.rtm_family = family,
                         .rtm_dst_len = bits,
                         .rtm_table = RT_TABLE_LOCAL,
                         .rtm_protocol = RTPROT_KERNEL,
                         .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_LOCAL};
    char address[16];
    unsigned size = family == AF_INET ? 4 : 16, link = 1;
    inet_pton(family, to, address);
    message(r, type, flags, &head, sizeof head);
    add(r, RTA_DST, address, size);
    add(r, RTA_OIF, &link, sizeof link);
    if (type == RTM_NEWROUTE) {
        if (family == AF_INET) {
            inet_pton(family, "127.0.0.1", address);
            add(r, RTA_PREFSRC, address, size);
        }
        quickack(r);
    }
}

static void link_up(struct request *r, unsigned link) {
    struct ifinfomsg up = {.ifi_index = link, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    message(r, RTM_NEWLINK, 0, &up, sizeof up);
}

/* Only the last request is acknowledged, and whatever is refused. */
static void carry_out(struct request *r) {
    r->last->nlmsg_flags |= NLM_F_ACK;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd);
    CHECK(send(fd, r->bytes, r->len, 0));
    for (unsigned answered = 0; answered < r->count;) {
        char answer[1024];
        CHECK(recv(fd, answer, sizeof answer, 0));
        struct nlmsghdr *head = (struct nlmsghdr *)answer;
        struct nlmsgerr *refused = NLMSG_DATA(head);
        answered = head->nlmsg_seq;
        if (head->nlmsg_type == NLMSG_ERROR && refused->error != 0) {
            fprintf(stderr, "request %u: %s\n", answered, strerror(-refused->error));
            exit(1);
        }
    }
    close(fd);
}

static void bring_up(void) {
    struct request r = {.len = 0};
    link_up(&r, 1);
    route(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, "127.0.0.1", 32);
    route(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, "127.0.0.0", 8);
    route(&r, RTM_DELROUTE, 0, AF_INET6, "::1", 128);
    route(&r, RTM_NEWROUTE, NLM_F_CREATE, AF_INET6, "::1", 128);
    carry_out(&r);
}

/* The wire: a device that goes with its namespace, without IPv6 and without a queue. */
static int open_wire(int view) {
    write_setting(view, "net.ipv6.conf.default.disable_ipv6=1");
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    CHECK(tun);
    struct ifreq ask = {.ifr_name = "wire", .ifr_flags = IFF_TUN | IFF_NO_PI};
    CHECK(ioctl(tun, TUNSETIFF, &ask));
    CHECK(ioctl(tun, TUNSETPERSIST, 1));
    unsigned link = if_nametoindex("wire"), flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
    int here = inet_addr("192.0.2.1"), net = inet_addr("192.0.2.0");
    struct request r = {.len = 0};
    struct tcmsg queue = {.tcm_ifindex = link, .tcm_parent = ~0U};
    message(&r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &queue, sizeof queue);
    add(&r, TCA_KIND, "noqueue", sizeof "noqueue");
    link_up(&r, link);
    struct ifaddrmsg address = {AF_INET, 24, 0, 0, link};
    message(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &address, sizeof address);
    add(&r, IFA_LOCAL, &here, sizeof here);
    add(&r, IFA_ADDRESS, &here, sizeof here);
    add(&r, IFA_FLAGS, &flags, sizeof flags);
    struct rtmsg head = {AF_INET, 24, 0, 0, RT_TABLE_MAIN, RTPROT_KERNEL, RT_SCOPE_LINK, 1, 0};
    message(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
    add(&r, RTA_DST, &net, sizeof net);
    add(&r, RTA_OIF, &link, sizeof link);
    add(&r, RTA_PREFSRC, &here, sizeof here);
    quickack(&r);
    carry_out(&r);
    return tun;
}

static void set(int fd, int level, int name, int value) {
    CHECK(setsockopt(fd, level, name, &value, sizeof value));
}

/* What a tap has in common, whatever its family. */
static void prepare(int tap) {
    CHECK(tap);
    set(tap, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    int size = 8 << 20;
    if (setsockopt(tap, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        set(tap, SOL_SOCKET, SO_RCVBUF, size);
    }
}

/* Sees what comes in by lo, before any firewall, but no sentinels. */
static int tap_on_lo(void) {
    int tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(tap);
    set(tap, SOL_PACKET, 23 /* PACKET_IGNORE_OUTGOING */, 1);
    struct sockaddr_ll lo = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1};
    CHECK(bind(tap, (void *)&lo, sizeof lo));
    struct sock_filter keep_out[] = {
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},        {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 4 << 4},  {BPF_LD | BPF_B | BPF_ABS, 0, 0, 9},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SENTINEL}, {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, ~0U}};
    struct sock_fprog program = {sizeof keep_out / sizeof *keep_out, keep_out};
    CHECK(setsockopt(tap, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    return tap;
}

static void open_ground(struct ground *g, int has_wire) {
    static const int protocols[TAPS] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
                                        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6};
    CHECK(syscall(SYS_close_range, 3, ~0U, 2 /* CLOSE_RANGE_UNSHARE */));
    CHECK(unshare(CLONE_NEWNET));
    bring_up();
    int view = view_of_settings();
    for (int i = 0; i < pins; i++) {
        write_setting(view, pin[i]);
    }
    g->wire = has_wire ? open_wire(view) : -1;
    close(view);
    g->tapped = has_wire ? 1 : TAPS;
    for (unsigned i = 0; i < g->tapped; i++) {
        int domain = i < 3 ? AF_INET : AF_INET6, type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
        g->taps[i] = has_wire ? tap_on_lo() : socket(domain, type, protocols[i]);
        prepare(g->taps[i]);
        if (domain == AF_INET6) {
            set(g->taps[i], IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
            set(g->taps[i], IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        }
    }
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    g->sentinel = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, SENTINEL);
    CHECK(g->sentinel);
    CHECK(bind(g->sentinel, (void *)&here, sizeof here));
    CHECK(connect(g->sentinel, (void *)&here, sizeof here));
    g->sent = g->packets = 0;
}

static void cross(struct ground *g) {
    char packet[128];
    unsigned number = ++g->sent;
    CHECK(send(g->sentinel, &number, sizeof number, 0));
    for (;;) {
        ssize_t len = recv(g->sentinel, packet, sizeof packet, 0);
        if (len == 24 && memcmp(packet + 20, &number, sizeof number) == 0) {
            return;
        }
        struct pollfd back = {.fd = g->sentinel, .events = POLLIN};
        if (len < 0 && poll(&back, 1, 200) == 0) {
            fprintf(stderr, "the sentinel is lost\n");
            exit(1);
        }
    }
}

/* Takes what one socket has seen. */
static void take(struct ground *g, int tap) {
    char control[256];
    struct sockaddr_in6 from;
    struct iovec vector = {g->buffer, sizeof g->buffer};
    struct msghdr head = {&from, sizeof from, &vector, 1, control, sizeof control, 0};
    int any = 0;
    while (recvmsg(tap, &head, 0) >= 0) {
        head = (struct msghdr){&from, sizeof from, &vector, 1, control, sizeof control, 0};
        g->packets++;
        any = 1;
    }
    unsigned values[9] = {0};
    socklen_t len = sizeof values;
    if (any && getsockopt(tap, SOL_SOCKET, 55 /* SO_MEMINFO */, values, &len) == 0 &&
        values[8] > 0) {
        fprintf(stderr, "packets were lost\n");
        exit(1);
    }
}

/* Takes what has been seen until a sentinel comes back alone. */
static void settle(struct ground *g) {
    for (unsigned before = ~0U; before != g->packets;) {
        before = g->packets;
        cross(g);
        for (unsigned i = 0; i < g->tapped; i++) {
            take(g, g->taps[i]);
        }
        while (g->wire >= 0 && read(g->wire, g->segment, sizeof g->segment) > 0) {
            g->packets++;
        }
    }
}

static struct sockaddr_in at(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static char data[65536];
#define STEP(call) ((void)(call), settle(g))

/* What `given: established` means. */
static void establish(struct ground *g, int *client, int *server, int *conn) {
    struct sockaddr_in to = at(PORT);
    STEP(*server = socket(AF_INET, SOCK_STREAM, 0));
    STEP(bind(*server, (void *)&to, sizeof to));
    STEP(listen(*server, 8));
    STEP(*client = socket(AF_INET, SOCK_STREAM, 0));
    STEP(connect(*client, (void *)&to, sizeof to));
    STEP(*conn = accept(*server, NULL, NULL));
}

static unsigned short sum(const void *bytes, unsigned len, unsigned long sum) {
    for (const unsigned short *word = bytes; len > 1; len -= 2) {
        sum += *word++;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum;
}

/* Puts a segment without options and data on the wire, from the peer. */
static void inject(struct ground *g, unsigned char flags, unsigned seq, unsigned ack, int port) {
    struct {
        struct iphdr ip;
        struct tcphdr tcp;
    } packet = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP}};
    packet.ip.tot_len = htons(sizeof packet);
    packet.ip.saddr = inet_addr("192.0.2.2");
    packet.ip.daddr = inet_addr("192.0.2.1");
    packet.ip.check = sum(&packet.ip, sizeof packet.ip, 0);
    packet.tcp.source = htons(7001);
    packet.tcp.dest = port;
    packet.tcp.seq = htonl(seq);
    packet.tcp.ack_seq = htonl(ack);
    packet.tcp.doff = 5;
    packet.tcp.window = htons(65535);
    packet.tcp.th_flags = flags;
    unsigned pseudo = htons(IPPROTO_TCP) + htons(sizeof packet.tcp);
    pseudo += sum(&packet.ip.saddr, 8, 0) ^ 0xffff;
    packet.tcp.check = sum(&packet.tcp, sizeof packet.tcp, pseudo);
    CHECK(write(g->wire, &packet, sizeof packet));
    settle(g);
}

/* A handshake with the scripted peer, data, its acknowledgment, and a close. */
static void on_the_wire(struct ground *g) {
    int client, peer_seq = 1000000;
    struct sockaddr_in to = at(7001);
    to.sin_addr.s_addr = inet_addr("192.0.2.2");
    STEP(client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    STEP(connect(client, (void *)&to, sizeof to));
    struct tcphdr syn = *(struct tcphdr *)(g->segment + sizeof(struct iphdr));
    unsigned seq = ntohl(syn.seq) + 1;
    inject(g, TH_SYN | TH_ACK, peer_seq, seq, syn.source);
    STEP(send(client, data, 10, 0));
    inject(g, TH_ACK, peer_seq + 1, seq + 10, syn.source);
    STEP(close(client));
}

static void scenario(struct ground *g, const char *name) {
    int client = -1, server = -1, conn = -1;
    struct sockaddr_in closed = at(CLOSED_PORT);
    if (strcmp(name, "closed-port") == 0) {
        STEP(client = socket(AF_INET, SOCK_STREAM, 0));
        STEP(connect(client, (void *)&closed, sizeof closed));
        STEP(recv(client, data, 256, 0));
        return;
    }
    if (strcmp(name, "udp-closed-port") == 0) {
        STEP(client = socket(AF_INET, SOCK_DGRAM, 0));
        STEP(connect(client, (void *)&closed, sizeof closed));
        STEP(send(client, data, 4, 0));
        STEP(recv(client, data, 256, MSG_DONTWAIT));
        return;
    }
    if (g->wire >= 0) {
        on_the_wire(g);
        return;
    }
    establish(g, &client, &server, &conn);
    if (strcmp(name, "close-unread") == 0) {
        STEP(send(client, data, 256, 0));
        STEP(recv(conn, data, 128, 0));
        STEP(close(conn));
        STEP(recv(client, data, 256, 0));
        STEP(recv(client, data, 256, 0));
    } else if (strcmp(name, "two-writes") == 0) {
        STEP(close(conn));
        STEP(send(client, data, 256, 0));
        STEP(send(client, data, 256, 0));
        STEP(recv(client, data, 256, 0));
    } else if (strcmp(name, "linger0") == 0) {
        struct linger now = {1, 0};
        STEP(setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now));
        STEP(close(client));
        STEP(recv(conn, data, 256, 0));
        STEP(recv(conn, data, 256, 0));
    } else if (strcmp(name, "half-close") == 0) {
        STEP(shutdown(client, SHUT_WR));
        STEP(recv(conn, data, 256, 0));
        STEP(send(conn, data, 10, 0));
        STEP(recv(client, data, 256, 0));
        STEP(close(conn));
        STEP(recv(client, data, 256, 0));
    } else {
        fprintf(stderr, "unknown scenario %s\n", name);
        exit(2);
    }
}

static const char *wanted;
static int left, last_packets;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A thread of its own for each case, which takes its namespace and descriptors along at its end. */
static void *one(void *place) {
    struct ground *g = place;
    open_ground(g, strcmp(wanted, "wire") == 0);
    scenario(g, wanted);
    settle(g);
    return NULL;
}

static void *worker(void *number) {
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET((long)number, &cpu);
    sched_setaffinity(0, sizeof cpu, &cpu);
    struct ground *g = malloc(sizeof *g);
    for (;;) {
        pthread_mutex_lock(&lock);
        int more = left > 0;
        left -= more;
        pthread_mutex_unlock(&lock);
        if (!more) {
            break;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, one, g) != 0) {
            exit(1);
        }
        pthread_join(thread, NULL);
        last_packets = g->packets;
    }
    free(g);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "floor SCENARIO COUNT CPUS [NAME=VALUE]...\n");
        return 2;
    }
    wanted = argv[1];
    left = atoi(argv[2]);
    long cpus = atoi(argv[3]);
    pins = argc - 4;
    pin = argv + 4;
    signal(SIGPIPE, SIG_IGN);
    pthread_t threads[64];
    for (long n = 0; n < cpus && n < 64; n++) {
        pthread_create(&threads[n], NULL, worker, (void *)n);
    }
    for (long n = 0; n < cpus && n < 64; n++) {
        pthread_join(threads[n], NULL);
    }
    printf("%d packets\n", last_packets);
    return 0;
}
