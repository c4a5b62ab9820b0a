"""Training rows: prompts that show cases, and the program as the answer."""
