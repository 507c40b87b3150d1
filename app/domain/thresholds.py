"""Scores from which on a report counts as bad or good."""

BAD_BELOW = 50
"""A report with a lower score is bad. Scores are 0 to 100."""
GOOD_FROM = 80
"""A report with this score or a higher one may be shown as a good example."""
