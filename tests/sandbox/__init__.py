"""The local servers match the known facts of Avito, DeepSeek and SMTP, and each switch works."""
