"""Create, render and deliver the mails of the daily report."""
