"""Tables of the room retention."""
