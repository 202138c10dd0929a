"""The guidance a body holds itself to, on pages, and the periods of its calendar."""
