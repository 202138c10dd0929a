"""Faults of the stores that keep the record, injected; each kind with planted bugs to be found.

``python -m tests.record_faults`` runs the short form, ``--long`` the long one. Words after it
choose drills by how their names begin.
"""
