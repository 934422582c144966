"""The [[group]] tables that the tests use."""


def redis_group(backend, name="users", prefix="", **rows):
    """Filled from a redis-server, a FakeRedis or a proxy in front of one."""
    return {"name": name, "prefix": prefix, **rows,
            "backend": {"type": "redis", "address": backend.address, "timeout": "20s"}}


def sqlite_group(path, name="countries", prefix="country:", **rows):
    return {"name": name, "prefix": prefix, "strip_prefix": True, **rows,
            "backend": {"type": "sqlite", "path": str(path),
                        "query": "SELECT body FROM countries WHERE code = ?1", "timeout": "20s"}}


def plain_group(name="plain", prefix="", **rows):
    """No backend: filled by SET."""
    return {"name": name, "prefix": prefix, **rows, "backend": {"type": "none"}}
