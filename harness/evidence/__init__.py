"""Evidence that lasts: outcomes that were seen once, and count as long as nothing changes."""
