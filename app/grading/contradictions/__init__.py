"""Detection of prices, sizes and years that contradict the listing or the company's facts."""
