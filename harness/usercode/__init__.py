"""The user's own code: what Miri said of it, explained, and Miri asked about it."""
