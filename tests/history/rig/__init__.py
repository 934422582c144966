"""What makes a history: a cluster, its truth, the load, and what goes wrong meanwhile."""
