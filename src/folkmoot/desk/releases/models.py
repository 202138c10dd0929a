"""Tables of the room releases."""
