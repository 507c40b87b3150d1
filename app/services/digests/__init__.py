"""The figures that a mail, a day's page and the summary show."""
