"""Who: organisations, their members, the roles members hold, and signing in."""
