"""The fault bench (``make chaos``): simulated days of the real service, killed, frozen, cut off and
misled, and what must hold after them.

Each world has replicas of ``serve``, a Postgres of its own and the sandbox's far ends. TCP proxies
stand between a replica and everything that it talks to. Only the wall clock of the replicas is
shifted; Postgres keeps the machine's.
"""
