"""Local servers in place of Avito, DeepSeek and SMTP, reached over real HTTP and SMTP.

The demo, the `sandbox` command and the tests use them; the tests use their fault switches. Nothing
here imports the rest of the app. As with the real systems, only requests connect them to the
service.
"""
