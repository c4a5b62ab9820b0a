"""Each module measures one thing against its baselines, in one run.

Run one with ``python -m benchmarks.NAME``; ``--quick`` takes under a minute.
"""
