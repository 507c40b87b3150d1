"""Local far ends of the service: an Avito, a DeepSeek and an SMTP server, spoken to over real HTTP
and SMTP.

Used by the demo, by the `sandbox` command and, with their fault switches, as the tests' simulators.
Nothing here imports the rest of the app: like the real systems, these know the service only by what
arrives over the wire.
"""
