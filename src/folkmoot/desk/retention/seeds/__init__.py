"""Schedules that are proposed to a body, as data: see :mod:`..seeding`."""
