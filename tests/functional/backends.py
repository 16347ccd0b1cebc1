"""The servers behind Drover: each does with a connection as its test says."""

import contextlib
import json
import os
import socket
import struct
import threading

from harness import free_port, parse_headers, read_chunks, read_head


class Request:
    def __init__(self, line, headers, body, raw_head):
        self.method, self.target, self.version = line.split(" ")
        self.pairs = headers
        self.headers = dict(headers)
        self.body = body
        self.raw_head = raw_head
        self.trailers = []


class Connection:
    """A connection, as the backend sees it."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number  # of the backend's connections, from 1
        self.file = sock.makefile("rb")

    def read_request(self, body=True):
        """None at the end of the connection."""
        head = read_head(self.file.read)
        if not head.endswith(b"\r\n\r\n"):
            return None
        lines = head[:-4].split(b"\r\n")
        request = Request(lines[0].decode(), parse_headers(lines[1:]), b"",
                          head)
        if body:
            request.body = self.read_body(request)
        return request

    def read_body(self, request):
        if request.headers.get("transfer-encoding") == "chunked":
            body, request.trailers = read_chunks(self.file)
            return body
        return self.file.read(int(request.headers.get("content-length", 0)))

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def reply(self, body=b"ok", status="200 OK", headers=""):
        body = body.encode() if isinstance(body, str) else body
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
                  f"{headers}\r\n".encode() + body)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.file.close()
        self.sock.close()


def echo(connection):
    """Answers each request with a JSON description of the request."""
    while (request := connection.read_request()) is not None:
        connection.reply(json.dumps({
            "method": request.method,
            "target": request.target,
            "headers": request.pairs,
            "body": len(request.body),
            "connection": connection.number,
        }), headers="Content-Type: application/json\r\n")


@contextlib.contextmanager
def deaf(host="127.0.0.1", port=0):
    """The address of a listener with a full queue: connections never come
    up."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield "%s:%d" % listener.getsockname()


class Backend:
    """A server whose every connection is given to handle(connection).

    host: an address of IPv4 or IPv6, or the path of a unix socket."""

    def __init__(self, handle=echo, backlog=128, port=None,
                 host="127.0.0.1"):
        self.handle = handle
        self.backlog = backlog
        self.host = host
        self.port = port or free_port()
        self.connections = 0
        self.lock = threading.Lock()
        self.open = set()
        self.start()

    @property
    def address(self):
        if self.host.startswith("/"):
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def _bind(self):
        if self.host.startswith("/"):
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.host)
            os.chmod(self.host, 0o666)  # for a Drover that became nobody
            return
        self.listener = socket.socket(
            socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))

    def start(self):
        self._bind()
        self.listener.listen(self.backlog)
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.open.add(sock)
                connection = Connection(sock, self.connections)
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        try:
            self.handle(connection)
        except (OSError, ValueError, AssertionError):
            pass  # the peer has gone, or the test is over
        finally:
            with self.lock:
                self.open.discard(connection.sock)
            try:
                connection.file.close()
                connection.sock.close()
            except OSError:
                pass

    def stop(self):
        """Refuses new connections and closes the existing ones."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
