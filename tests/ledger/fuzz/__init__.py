"""Fuzzing of every parser of the ledger: ``python -m tests.ledger.fuzz NAME SECONDS``.

Without a name, each in turn. What was found is in the file that libFuzzer names.
"""
