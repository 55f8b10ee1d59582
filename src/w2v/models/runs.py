"""Runs of a model: what is said before one begins, and how one is repeated."""

import logging
from typing import Any

from w2v import callbacks as hooks
from w2v.training import epoch

logger = logging.getLogger(__name__)


def warn_of_the_unusual(model: Any, end: float) -> None:
    """Log what is legal in the next run of a model, and surprising."""
    if model.hs and model.negative:
        logger.warning(
            "Both hierarchical softmax and negative sampling are activated. "
            "The model learns from both; set hs=0 or negative=0 for one of them."
        )
    if model.alpha > model.min_alpha_yet_reached and model.trained_epochs:
        logger.warning(
            "Effective 'alpha' higher than previous training cycles: %g after %g",
            model.alpha,
            model.min_alpha_yet_reached,
        )
    if model.alpha < end:
        logger.warning("the learning rate will rise, from alpha=%g to %g", model.alpha, end)


class StopAfter(hooks.CallbackAny2Vec):
    """Ends a run where the one it repeats was ended."""

    def __init__(self, epochs: int) -> None:
        self._left = epochs

    def on_epoch_begin(self, model: Any) -> None:
        if self._left == 0:
            raise epoch.StopTraining("as many epochs as the model had")
        self._left -= 1
