"""A value says which key it belongs to, which version it is, and whether it is whole."""

import zlib


def encode(key, version, size=0):
    """At least `size` bytes."""
    head = f"{key}|{version}|".encode()
    body = head + b"." * max(0, size - len(head) - 9)
    return b"%b|%08x" % (body, zlib.crc32(body))


def decode(key, value):
    """(version, None), or (None, what is wrong with it)."""
    body, _, checksum = value.rpartition(b"|")
    if checksum != b"%08x" % zlib.crc32(body):
        return None, f"a broken value {value[:80]!r}"
    of_key, version, _ = body.split(b"|", 2)
    if of_key.decode() != key:
        return None, f"the value of another key: {value[:80]!r}"
    return int(version), None
