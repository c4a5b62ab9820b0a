"""Case2Code ETL: from code dumps to training data for inductive reasoning."""

__version__ = "0.1.0"
