"""One scenario of the benchmark as people script it today: Python's sockets, and the packets by
tcpdump or by scapy. Prints the packets; fails when it sees too few. Needs a `lo` of its own.

    scripted.py tcpdump|scapy SCENARIO
"""

import contextlib
import socket
import struct
import subprocess
import sys
import tempfile

PORT = 4100
CLOSED_PORT = 4200
# What the scenario sends at least: without the quickack route some acknowledgments go with data.
PACKETS = {
    "closed-port": 2,
    "close-unread": 6,
    "two-writes": 6,
    "linger0": 4,
    "half-close": 8,
    "udp-closed-port": 2,
}


def established():
    server = socket.create_server(("127.0.0.1", PORT), backlog=8)
    client = socket.create_connection(("127.0.0.1", PORT))
    return server, client, server.accept()[0]


def scenario(name):
    quiet = contextlib.suppress(OSError)
    if name in ("closed-port", "udp-closed-port"):
        kind = socket.SOCK_STREAM if name == "closed-port" else socket.SOCK_DGRAM
        with quiet, socket.socket(socket.AF_INET, kind) as client:
            client.connect(("127.0.0.1", CLOSED_PORT))
            client.send(b"1234")
            client.recv(256)
        return
    server, client, conn = established()
    if name == "close-unread":
        client.send(bytes(256))
        conn.recv(128)
        conn.close()
    elif name == "two-writes":
        conn.close()
        for _ in range(2):
            with quiet:
                client.send(bytes(256))
    elif name == "linger0":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    elif name == "half-close":
        client.shutdown(socket.SHUT_WR)
        conn.recv(256)
        conn.send(bytes(10))
        client.recv(256)
        conn.close()
    for end in (client, conn):
        with quiet:
            end.recv(256)


def by_tcpdump(name):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        command = ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-Z", "root",
               "-s", "256", "-B", "4096"]
        dump = subprocess.Popen([*command, "-w", file.name], stderr=subprocess.PIPE, text=True)
        while "listening on" not in dump.stderr.readline():
            if dump.poll() is not None:
                sys.exit("tcpdump does not listen")
        scenario(name)
        # The usual script sleeps here; asking until they are there is the fastest that can be.
        while True:
            read = ["tcpdump", "-n", "-r", file.name]
            seen = subprocess.run(read, capture_output=True, text=True).stdout.splitlines()
            if len(seen) >= PACKETS[name]:
                break
        dump.terminate()
        dump.communicate()
        return seen


def by_scapy(name):
    from scapy.all import ICMP, TCP, UDP, AsyncSniffer, conf

    conf.verb = 0
    sniffer = AsyncSniffer(iface="lo", lfilter=lambda p: any(k in p for k in (TCP, UDP, ICMP)),
                           started_callback=lambda: scenario(name), count=2 * PACKETS[name],
                           timeout=5)
    sniffer.start()
    sniffer.join()
    # It sees each packet on its way out and on its way in.
    return [packet.summary() for packet in sniffer.results[::2]]


if __name__ == "__main__":
    tool, wanted = sys.argv[1:]
    packets = by_tcpdump(wanted) if tool == "tcpdump" else by_scapy(wanted)
    print("\n".join(packets))
    if len(packets) < PACKETS[wanted]:
        sys.exit(f"{len(packets)} packets of {PACKETS[wanted]}")
