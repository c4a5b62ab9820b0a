"""Releases: data files, card, audit and manifest, and the protocol that publishes them.

A release is a folder of plain files below a target (``file://`` or ``s3://``). It exists for
readers once its manifest does, and never changes from then on.
"""
