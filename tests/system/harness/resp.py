"""A RESP client that shows what is on the wire: what it sends is exactly what was asked for."""

import socket


class ReplyError(Exception):
    """An error reply. It is returned, not raised, so that tests can look at it."""

    def __eq__(self, other):
        return isinstance(other, ReplyError) and str(self) == str(other)

    __hash__ = Exception.__hash__


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def encode(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in map(as_bytes, words):
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


def connect(address, timeout_s):
    """`address`: "host:port" or "unix:/path"."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        connection.connect(address[len("unix:") :])
        return connection
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Client:
    """One connection. `ask` is one request and its reply; send/read are halves of a pipeline."""

    def __init__(self, address, timeout_s=30):
        self.socket = connect(address, timeout_s)
        self._input = self.socket.makefile("rb", buffering=1 << 16)

    def ask(self, *words):
        self.send(*words)
        return self.read()

    def send(self, *words):
        self.socket.sendall(encode(*words))

    def send_raw(self, data):
        self.socket.sendall(data)

    def pipeline(self, requests):
        """Sends all requests in one go, then returns all replies."""
        self.socket.sendall(b"".join(encode(*words) for words in requests))
        return [self.read() for _ in requests]

    def read(self):
        """One reply: bytes, int, None, list, dict, or ReplyError."""
        line = self._input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has closed the connection")
        kind, rest = line[:1], line[1:-2]
        return self._READERS[kind](self, rest)

    def is_closed_by_server(self):
        try:
            return self._input.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self._input.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _bulk(self, rest):
        length = int(rest)
        if length < 0:
            return None
        value = self._input.read(length + 2)
        if len(value) != length + 2:
            raise ConnectionError("the server has closed the connection inside a value")
        return value[:-2]

    def _array(self, rest):
        return None if rest == b"-1" else [self.read() for _ in range(int(rest))]

    def _map(self, rest):
        return {self.read(): self.read() for _ in range(int(rest))}

    _READERS = {
        b"+": lambda self, rest: rest,
        b"-": lambda self, rest: ReplyError(rest.decode(errors="replace")),
        b":": lambda self, rest: int(rest),
        b"$": _bulk,
        b"*": _array,
        b"%": _map,
        b"~": _array,
        b">": _array,
        b"_": lambda self, rest: None,
        b"#": lambda self, rest: rest == b"t",
        b",": lambda self, rest: float(rest),
        b"(": lambda self, rest: int(rest),
        b"=": lambda self, rest: self._bulk(rest)[4:],
    }
