"""A small name server, and a gateway that asks only this server."""

import os
import random
import socket
import struct
import subprocess
import threading

from harness import free_port

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN = 2, 3
TTL = 600  # Docker's TTL for its containers


def loopback(count):
    """Addresses 127.x.y.1 ... that no other scenario gets, and a port that is
    free on all of them."""
    port = free_port()
    net = f"127.{1 + port % 250}.{port // 250}"
    return [f"{net}.{i + 1}" for i in range(count)], port


UDP_MAX = 512  # RFC 1035 section 2.3.4
TRUNCATED = 0x0200


class NameServer:
    """Answers for `zone`, name: addresses; a name that is not in it does not
    exist. `broken`: "silent", or what each type is answered with instead;
    `late`: the types whose answers come after the others'. An answer that UDP
    has no room for comes over TCP, shuffled each time."""

    def __init__(self, host):
        self.host = host
        self.zone = {}
        self.broken = None
        self.late = ()
        self.queries = []  # (name, type), in order of arrival
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 53))
        self.tcp = socket.create_server((host, 53))
        self.is_over = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    def stop(self):
        self.is_over = True
        self._send(b"", (self.host, 53))
        self.thread.join()
        self.sock.close()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()

    def asked(self, kind=A):
        return sum(k == kind for _, k in self.queries)

    def _serve(self):
        while True:
            data, peer = self.sock.recvfrom(4096)
            if self.is_over:
                return
            kind, reply = self._answer(data)
            if reply and len(reply) > UDP_MAX:
                reply = self._cut(data, reply)
            if reply and kind in self.late:
                threading.Timer(0.1, self._send, (reply, peer)).start()
            elif reply:
                self._send(reply, peer)

    def _serve_tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_conn, args=(conn,),
                             daemon=True).start()

    def _serve_conn(self, conn):
        with conn, conn.makefile("rb") as file:
            while len(size := file.read(2)) == 2:
                _, reply = self._answer(file.read(struct.unpack(">H", size)[0]))
                if reply:
                    conn.sendall(struct.pack(">H", len(reply)) + reply)

    @staticmethod
    def _cut(data, reply):
        """No record fits: the head and the question alone."""
        flags, = struct.unpack(">H", reply[2:4])
        end = data.index(b"\0", 12) + 5
        return (reply[:2] + struct.pack(">HHHHH", flags | TRUNCATED, 1, 0, 0, 0)
                + data[12:end])

    def _send(self, reply, peer):
        try:
            self.sock.sendto(reply, peer)
        except OSError:
            pass  # the test is over

    def _answer(self, data):
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        question = data[12:at + 5]
        self.queries.append((name, kind))
        broken = self.broken
        if broken == "silent":
            return kind, None
        records, code = [], 0
        if broken and kind in broken:
            code = broken[kind]
        elif name not in self.zone:
            code = NXDOMAIN
        else:
            family = socket.AF_INET if kind == A else socket.AF_INET6
            records = [socket.inet_pton(family, a) for a in self.zone[name]
                       if (":" in a) == (kind == AAAA)]
            random.shuffle(records)
        head = struct.pack(">2sHHHHH", data[:2], 0x8580 | code, 1,
                           len(records), 0, 0)
        return kind, head + question + b"".join(
            struct.pack(">HHHIH", 0xc00c, kind, 1, TTL, len(r)) + r
            for r in records)


class ResolvConf:
    """/etc/resolv.conf for one gateway: a file of the test's, in a mount
    namespace of its own."""

    # As root; or as root of a namespace that anybody may have.
    WAYS = (["unshare", "-m"], ["unshare", "-r", "-m"])
    MOUNT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'

    def __init__(self, place, *hosts):
        self.path = os.path.join(place, "resolv.conf")
        self.write(*hosts)

    def write(self, *hosts):
        # In place: the mount is of the file, not of its name.
        with open(self.path, "w", encoding="ascii") as f:
            f.write("".join(f"nameserver {h}\n" for h in hosts))
        os.chmod(self.path, 0o644)

    def launcher(self):
        """A command prefix that mounts the file; None: not allowed here."""
        for way in self.WAYS:
            argv = [*way, "sh", "-c", self.MOUNT, self.path]
            if subprocess.run([*argv, "true"], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return argv
        return None
