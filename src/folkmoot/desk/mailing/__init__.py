"""Posts by e-mail: who asked for them, one row for each recipient, and handing each over once."""
