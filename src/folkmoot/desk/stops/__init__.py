"""The kill switch: who stopped what, since when, and what may go out all the same."""
