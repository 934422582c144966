"""The works of bench/side_by_side, each with what our CPU time an operation may be, at most, as a
part of the first server's."""

from dataclasses import dataclass

MIB = 1 << 20
KEY_BYTES = 16


@dataclass(frozen=True)
class Work:
    name: str
    load: str  # what it is, without the pipeline
    pipeline: int
    at_most: float | None = None
    verb: str = "get"  # blast's --work
    keys: int = 1_000_000
    value_size: int = 32
    memory_mib: int = 1024
    servers: tuple = ("redis", "memcached", "cistern")
    server_cores: tuple = (0,)
    load_cores: tuple = (1,)

    @property
    def setting(self):
        """Works that agree in this are measured with the same servers, filled once."""
        evicts = self.verb == "insert"
        return (evicts, self.keys, self.value_size, self.memory_mib, self.servers,
                self.server_cores, self.load_cores)

    @property
    def filled(self):
        """How many keys are written before: all that are read; where inserts shall evict, more than
        anybody has room for."""
        everything = self.memory_mib * MIB // (KEY_BYTES + self.value_size)
        return everything if self.verb == "insert" else self.keys


def _depths(name, load, at_most, **rest):
    return [Work(f"{name}-p{depth}", load, depth, ratio, **rest)
            for depth, ratio in at_most.items()]


WORKS = [
    *_depths("get", "GET 32 B, 1 M keys", {1: 0.85, 16: 0.31, 64: 0.18}),
    *_depths("mget", "MGET of 20", {1: 0.42}, verb="mget"),
    *_depths("mix", "90/10 GET/SET 32 B", {16: 0.38}, verb="mix"),
    *_depths("get-10m", "GET 32 B, 10 M keys", {1: None, 16: 0.29, 64: 0.18},
             keys=10_000_000, memory_mib=4096),
    *_depths("get-1k", "GET 1 KiB", {16: 0.40}, value_size=1024, memory_mib=2048),
    *_depths("get-16k", "GET 16 KiB", {16: 0.42}, keys=50_000, value_size=16 << 10,
             memory_mib=2048),
    *_depths("insert", "SET 32 B that evicts", {16: 0.5}, verb="insert", memory_mib=128),
    *_depths("forward", "GET 32 B at a node that does not own it", {16: 0.29},
             servers=("nutcracker", "cistern-forward", "cistern")),
    *_depths("two-workers", "GET 32 B, two workers against one", {16: 1.10},
             servers=("cistern", "cistern-two-workers"), server_cores=(0, 1), load_cores=(0, 1)),
]
