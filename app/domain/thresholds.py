"""Scores at which a report counts as bad or good. Scores are 0 to 100."""

BAD_BELOW = 50
"""A report with a lower score is bad."""
GOOD_FROM = 80
"""A report with this score or a higher one may be a good example in a mail."""
ENOUGH_REPORTS = 5
"""The number of reports from which a mean or a share of a group is shown."""
