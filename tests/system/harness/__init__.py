"""Real processes for the system tests: cistern nodes, redis-server, and backends that misbehave."""
