"""Servers for the tests of the guest's calls: sockets of this machine, frames and heads written out byte by byte."""
import contextlib
import socket
import struct
import threading

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, PADDED = 1, 4, 8


@contextlib.contextmanager
def listening(serve):
    """Serves each connection in turn with serve(connection); gives the port, and a list that counts connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def run():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            with connection, contextlib.suppress(OSError):
                serve(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], connections
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def exactly(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def field(name, value, indexed=False):
    """A header field whose name is written out; an indexed one gets the number 62 of the dynamic table."""
    return bytes([0x40 if indexed else 0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


STATUS_200, INDEXED = b"\x88", b"\xbe"
TYPE = field("content-type", "application/grpc")


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


class HTTP2:
    """One connection: respond(self, stream, body) is called for each request."""

    def __init__(self, respond):
        self.respond = respond

    def send(self, kind, flags, stream, payload=b""):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        self.connection.sendall(head + payload)

    def answer(self, stream, body, trailers=field("grpc-status", "0"), piece=16384):
        self.send(HEADERS, END_HEADERS, stream, STATUS_200 + TYPE)
        for at in range(0, len(body), piece):
            self.send(DATA, 0, stream, body[at:at + piece])
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, trailers)

    def frame(self):
        head = exactly(self.connection, 9)
        payload = exactly(self.connection, int.from_bytes(head[:3], "big"))
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    def __call__(self, connection):
        self.connection = connection
        exactly(connection, 24)
        self.send(SETTINGS, 0, 0)
        bodies = {}
        while True:
            kind, flags, stream, payload = self.frame()
            if kind == SETTINGS and not flags & 1:
                self.send(SETTINGS, 1, 0)
            if kind == DATA and payload:
                bodies[stream] = bodies.get(stream, b"") + payload
                step = struct.pack(">I", len(payload))
                self.send(WINDOW, 0, 0, step)
                self.send(WINDOW, 0, stream, step)
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                self.respond(self, stream, bodies.pop(stream, b""))


class HTTP1:
    """One connection: respond(head, body) gives the bytes of an answer; None at the end closes the connection."""

    def __init__(self, respond):
        self.respond = respond

    def __call__(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                part = connection.recv(65536)
                if not part:
                    return
                data += part
            head, _, data = data.partition(b"\r\n\r\n")
            length = int(next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))[16:])
            data += exactly(connection, length - len(data))
            for part in self.respond(head, data[:length]):
                if part is None:
                    return
                connection.sendall(part)
            data = data[length:]
