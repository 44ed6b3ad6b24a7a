"""Pure functions from what was observed to what it contradicts. No input, no output, no clock."""
