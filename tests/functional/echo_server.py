"""A quick backend of its own process: echo_server.py PORT FILE

Answers each request with what it is, framed as X-Framing says, and writes
what it saw to FILE, a JSON line each, flushed when it gets SIGTERM.
"""

import asyncio
import hashlib
import json
import signal
import sys


class Echo(asyncio.Protocol):
    out = None

    def connection_made(self, transport):
        self.transport = transport
        self.data = bytearray()

    def data_received(self, data):
        self.data += data
        while self.take():
            pass

    def take(self):
        """Takes a request off the front; False: incomplete."""
        end = self.data.find(b"\r\n\r\n")
        if end == -1:
            return False
        lines = self.data[:end].decode("latin-1").split("\r\n")
        pairs = [line.split(":", 1) for line in lines[1:]]
        pairs = [(n.lower(), v.strip(" \t")) for n, v in pairs]
        headers = dict(pairs)
        got = self.body(headers, end + 4)
        if got is None:
            return False
        body, end = got
        del self.data[:end]
        method, target, _ = lines[0].split(" ")
        seen = {"method": method, "target": target, "headers": pairs,
                "body": hashlib.sha256(body).hexdigest()}
        self.out.write(json.dumps(seen) + "\n")
        self.answer(method, headers, seen)
        return True

    def body(self, headers, at):
        if "transfer-encoding" not in headers:
            end = at + int(headers.get("content-length", 0))
            return (bytes(self.data[at:end]), end) if end <= len(
                self.data) else None
        body = bytearray()
        while (eol := self.data.find(b"\r\n", at)) != -1:
            size = int(self.data[at:eol], 16)
            if eol + 2 + size + 2 > len(self.data):
                return None
            body += self.data[eol + 2:eol + 2 + size]
            at = eol + 2 + size + 2
            if size == 0:
                return bytes(body), at
        return None

    def answer(self, method, headers, seen):
        framing = headers.get("x-framing", "length")
        text = f"{method} {seen['target']} {seen['body']}\n".encode("latin-1")
        body = text * int(headers.get("x-times", 1))
        status = {"204": "204 No Content",
                  "304": "304 Not Modified"}.get(framing, "200 Fine")
        head = (f"HTTP/1.1 {status}\r\nX-Id: {headers.get('x-id')}\r\n"
                "Set-Cookie: a=1\r\nX-Empty:\r\nx-Odd_Name.~!: \xe9\tx, y\r\n"
                "Set-Cookie: b=2\r\nETag: W/\"x\"\r\n"
                "Content-Type: text/plain\r\n")
        if framing == "length":
            head += f"Content-Length: {len(body)}\r\n"
        elif framing == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            body = in_chunks(body)
        elif framing == "close":
            head += "Connection: close\r\n"
        if method == "HEAD" or framing in ("204", "304"):
            body = b""
        self.transport.write(head.encode("latin-1") + b"\r\n" + body)
        if framing == "close":
            self.transport.close()


def in_chunks(body):
    out, at, size = bytearray(), 0, 1
    while at < len(body):
        piece = body[at:at + size]
        out += b"%X;i=\"%d\"\r\n%s\r\n" % (len(piece), at, piece)
        at += size
        size = size * 3 + 1
    return bytes(out) + b"0\r\n\r\n"


async def main(port, path):
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    with open(path, "w", encoding="ascii") as Echo.out:
        await loop.create_server(Echo, "127.0.0.1", port, backlog=1024)
        await over.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
