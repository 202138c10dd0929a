"""Where the rooms meet: settings, addresses, the pages that join rooms, and the worker loop."""
