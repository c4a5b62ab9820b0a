"""Functions run here: untrusted code in, validated outcomes out.

The sandbox image holds `runner` and the modules that it imports, and Python's standard library
alone; all other modules are the host's.
"""
