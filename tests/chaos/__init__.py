"""Fault bench (``make chaos``): simulated days of the real service under faults.

Replicas are killed, frozen, disconnected and given wrong clocks. Afterwards the invariants must
hold. Each world has replicas of ``serve``, its own Postgres and the sandbox's servers. TCP proxies
connect each replica with them. Only the wall clock of the replicas is shifted; Postgres uses the
machine's.
"""
