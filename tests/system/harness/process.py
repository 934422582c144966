"""A child process with its log in a file."""

import os
import pathlib
import signal
import subprocess


class Process:
    def __init__(self, command, log_path, cwd=None):
        self.command = [str(word) for word in command]
        self.log_path = pathlib.Path(log_path)
        # A child that outlives a killed test would keep its port: it dies with its parent.
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd)

    @property
    def pid(self):
        return self._child.pid

    def is_running(self):
        return self._child.poll() is None

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def connections_to(self, address):
        """How many of its open files are connections that it has made there (TCP over IPv4)."""
        port = int(address.rsplit(":", 1)[1])
        rows = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        there = {f"socket:[{row[9]}]" for row in rows if int(row[2].split(":")[1], 16) == port}
        return sum(os.path.basename(os.path.realpath(file)) in there
                   for file in pathlib.Path(f"/proc/{self.pid}/fd").iterdir())

    def resident_bytes(self):
        return self._status("VmRSS")

    def most_resident_bytes(self):
        """The most that it ever had."""
        return self._status("VmHWM")

    def _status(self, row):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split(f"{row}:")[1].split()[0]) * 1024

    def log(self):
        return self.log_path.read_text(errors="replace")

    def signal(self, number):
        """To a process that has ended by itself: an error that shows how."""
        if not self.is_running():
            raise AssertionError(f"{' '.join(self.command)} has ended with exit code "
                                 f"{self._child.returncode}; its log ends in:\n{self.log()[-2000:]}")
        os.kill(self._child.pid, number)

    def signal_if_running(self, number):
        """It may end at any time."""
        if self.is_running():
            os.kill(self._child.pid, number)

    def wait(self, timeout_s):
        """The exit code; killed and -SIGKILL when it does not end in time."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def stop(self, timeout_s=30):
        """SIGTERM, then its exit code."""
        if self.is_running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        if self.is_running():
            self._child.kill()
        return self._child.wait()
