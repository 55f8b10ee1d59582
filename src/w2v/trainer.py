"""Where pickles made before `w2v.training` find what a model's history is made of; nothing of ours imports it."""

from w2v.training.epoch import EpochRecord
from w2v.training.epoch import Progress as Reached

__all__ = ["EpochRecord", "Reached"]
