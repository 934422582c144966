"""A cluster of cistern processes with a configuration made for one test."""

import os
import tempfile

from harness.node import Node
from harness.waiting import eventually


def binary():
    """The program under test: ctest says where it is."""
    return os.environ["CISTERN_BIN"]


class Cluster:
    """Nodes a, b, c, ... that know each other.

    groups:   a list of [[group]] tables
    server, cluster: rows for these tables on every node, instead of the harness's
    members:  {"a": {"a": {}, "b": {"weight": 9}}}: node a's own list of members, with rows of its
              own; who is not named lists everybody
    nodes:    {"a": {"server": {...}}}: rows for one node only
    """

    def __init__(self, names=("a", "b", "c"), groups=(), server=None, cluster=None, members=None,
                 nodes=None, program=None):
        self._folder = tempfile.TemporaryDirectory(prefix="cistern-")
        self.nodes = [Node(name, program or binary(), self._folder.name) for name in names]
        self.by_name = {node.name: node for node in self.nodes}
        self._rows = {}  # of each node's configuration, but for its members
        self._listed = {}
        for node in self.nodes:
            listed = (members or {}).get(node.name, {name: {} for name in names})
            self._configure(node, listed, list(groups), server or {}, cluster or {},
                            (nodes or {}).get(node.name, {}))

    def __getitem__(self, index):
        return self.nodes[index] if isinstance(index, int) else self.by_name[index]

    def __iter__(self):
        return iter(self.nodes)

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            eventually(node.is_ready, f"node {node.name} is ready")
        return self

    def stop(self):
        """SIGTERM to all that run; the exit codes by name."""
        running = [node for node in self.nodes if node.process and node.process.is_running()]
        return {node.name: node.stop() for node in running}

    def release(self):
        """Ends what still runs and removes every trace."""
        for node in self.nodes:
            node.release()
        self._folder.cleanup()

    def logs(self):
        return "\n".join(f"--- {node.name}\n{node.process.log()}"
                         for node in self.nodes if node.process)

    def total(self, group, counter):
        return sum(node.stats(group)[counter] for node in self.nodes)

    def owner_of(self, group, key):
        """The node that owns `key`, which must be cold and known to the backend; it is cold again
        afterwards. Only an owner loads, so its count of loads tells."""
        before = {node.name: node.stats(group)["local_loads"] for node in self.nodes}
        self.nodes[0].ask("GET", key)
        loaded = [node for node in self.nodes
                  if node.stats(group)["local_loads"] > before[node.name]]
        assert len(loaded) == 1, f"{key} was loaded by {[node.name for node in loaded]}"
        self.nodes[0].ask("DEL", key)
        return loaded[0]

    def rewrite(self, node, **tables):
        """Writes `node`'s configuration anew, with other rows in these tables, for itself only."""
        groups, server, cluster, own = self._rows[node.name]
        own = {**own, **{name: {**own.get(name, {}), **rows} for name, rows in tables.items()}}
        self._configure(node, self._listed[node.name], groups, server, cluster, own)

    def regroup(self, node, groups):
        """... with other groups."""
        _, *rows = self._rows[node.name]
        self._configure(node, self._listed[node.name], list(groups), *rows)

    def list_members(self, node, members):
        """Writes `node`'s configuration anew with another list of members, as `members` above."""
        self._configure(node, members, *self._rows[node.name])

    def _configure(self, node, listed, *rows):
        self._rows[node.name] = rows
        self._listed[node.name] = listed
        members = [self.by_name[name].member() | own for name, own in listed.items()]
        node.configure(self._config(node, members, *rows))

    @staticmethod
    def _config(node, listed, groups, server, cluster, own):
        config = {
            "node": {"name": node.name},
            "server": {"listen": [node.address, node.unix_address], "workers": 2,
                       "memory": "256MiB"},
            "admin": {"listen": node.admin_address},
            "log": {"level": "info"},
            "cluster": {"listen": node.peer_address, "secret": "of the system tests"},
        }
        if groups:
            config["group"] = groups
        config["server"].update(server)
        config["cluster"].update(cluster)
        config["cluster"]["nodes"] = listed
        for table, rows in own.items():
            if isinstance(rows, dict):
                config.setdefault(table, {}).update(rows)
            else:
                config[table] = rows
        return config
