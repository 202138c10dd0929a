"""Folkmoot: listen, speak and consult in public, keep to the code, and prove it.

Two wings. The *library* (``guidance``, ``check``, ``channels``, ``ledger``) holds the engines:
plain Python that knows no Django, no database and no screen. The *desk* (``folkmoot.desk``) is the
application that gives the engines people, pages and state. The desk imports the library; nothing
imports the desk.
"""

__version__ = "0.1.0"
