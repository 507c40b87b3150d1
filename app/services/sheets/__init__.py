"""Tables for people: XLSX files, and texts that a spreadsheet must not read as a formula."""
