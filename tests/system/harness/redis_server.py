"""A real redis-server that keeps nothing on disk."""

import pathlib
import signal
import tempfile

from harness.ports import ReservedPort
from harness.process import Process
from harness.resp import Client, ReplyError
from harness.waiting import eventually


class RedisServer:
    def __init__(self, *options):
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._port = ReservedPort()
        self.address = self._port.address
        self._options = options
        self.start()

    def start(self):
        """Also again, after kill(): at the same address, with nothing in it."""
        self._process = Process(
            ["redis-server", "--bind", "127.0.0.1", "--port", self._port.number, "--save", "",
             "--appendonly", "no", "--dir", self._folder.name, *self._options],
            pathlib.Path(self._folder.name) / "log")
        eventually(self._answers, "redis-server answers PING")

    def kill(self):
        self._process.kill()

    def pause(self):
        self._process.signal(signal.SIGSTOP)

    def resume(self):
        self._process.signal(signal.SIGCONT)

    def client(self):
        return Client(self.address)

    def fill(self, values):
        """SETs all of `values` (a dict) in one pipeline."""
        with self.client() as client:
            client.pipeline([("SET", key, value) for key, value in values.items()])

    def reset_counters(self):
        with self.client() as client:
            client.ask("CONFIG", "RESETSTAT")

    def keys_read(self):
        """How many keys were looked up by readers since the counters were reset."""
        info = self.info()
        return int(info["keyspace_hits"]) + int(info["keyspace_misses"])

    def info(self):
        with self.client() as client:
            text = client.ask("INFO", "all").decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def stop(self):
        self._process.kill()
        self._port.release()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _answers(self):
        assert self._process.is_running(), self._process.log()
        try:
            with self.client() as client:
                # A server with a password is up too.
                reply = client.ask("PING")
                return reply == b"PONG" or isinstance(reply, ReplyError)
        except OSError:
            return False
