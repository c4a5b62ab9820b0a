"""The stand-in of a model's endpoint, for evaluations too."""

from tests.inputs.conftest import stand_in

__all__ = ["stand_in"]
