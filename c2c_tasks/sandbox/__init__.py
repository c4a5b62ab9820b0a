"""Functions run here: untrusted code in, validated outcomes out.

The image holds `runner`, `child` and what they import; they need Python's standard library and
`c2c_tasks.literals` alone. All else here is the host's side.
"""
