"""The fault-injection suite of the publisher: ``python -m tests.faults``.

Each run is a scenario drawn from a seed: posts are written and signed, workers are real processes
that die by SIGKILL or stand still at a chosen step, channels lose answers, lie and refuse, people
press stops and take posts back in between. At the end the channels' own stores are held against
what was signed and what the desk says of it.
"""
