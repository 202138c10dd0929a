"""Releases: what is handed out of the record, and who asked."""
