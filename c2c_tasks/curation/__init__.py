"""Choosing what is worth keeping: functions before they are run, cases and programs after."""
