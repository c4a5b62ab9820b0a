"""`python -m c2c_tasks.cli`: the command without its script."""

from c2c_tasks.cli import main

main()
