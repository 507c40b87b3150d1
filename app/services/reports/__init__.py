"""Read reports as lists, files and single reports, and store reviews."""
