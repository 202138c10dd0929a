"""A post before it goes out: what was written, what the checker said, who signed exactly what."""
