"""Certificates that live as long as a test, made by the openssl command."""

import pathlib
import subprocess
import tempfile


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True, timeout=60)


class Authority:
    """A CA with a folder of its own for what it signs."""

    def __init__(self, name):
        self._folder = tempfile.TemporaryDirectory(prefix="cistern-ca-")
        self.folder = pathlib.Path(self._folder.name)
        self.ca = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        _openssl("req", "-x509", *self._new_key(self._key), "-out", self.ca, "-days", 30,
                 "-subj", f"/CN={name}")

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    def issue(self, name):
        """Rows of a tls table: cert, key and ca. Replaces the files of an earlier call, each whole."""
        cert, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        new_cert, new_key = (path.with_suffix(path.suffix + ".new") for path in (cert, key))
        _openssl("req", *self._new_key(new_key), "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key,
                 "-CAcreateserial", "-days", 30, "-out", new_cert)
        new_key.rename(key)
        new_cert.rename(cert)
        return {"cert": str(cert), "key": str(key), "ca": str(self.ca)}

    def remove(self):
        self._folder.cleanup()
