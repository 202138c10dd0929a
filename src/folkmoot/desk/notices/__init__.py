"""What needs a person now, and telling them of it by e-mail and chat."""
