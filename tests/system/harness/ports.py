"""Ports that are free and stay so until their server takes them."""

import socket


class ReservedPort:
    """A port of 127.0.0.1 that nobody else is given.

    The socket is bound and never listens: with SO_REUSEADDR on both sides the server may bind the
    same port and listen, while the kernel gives it to no other socket that asks for any port.
    """

    def __init__(self):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.number}"

    def release(self):
        self._socket.close()
