"""Promotes a candidate: `turnout.Client.promote`. Each step is decided by what there is."""

from turnout.client.promotion.driver import Promoter
from turnout.client.promotion.errors import (
    CandidateError,
    ChangedError,
    PromotionError,
    PromotionRefusedError,
    TakenBackError,
    UnderWayError,
)
from turnout.client.promotion.stage import Stage
from turnout.client.promotion.terms import Change, Progress, Promoted, Prospect, Terms

__all__ = [
    "CandidateError",
    "Change",
    "ChangedError",
    "Progress",
    "Promoted",
    "Promoter",
    "PromotionError",
    "PromotionRefusedError",
    "Prospect",
    "Stage",
    "TakenBackError",
    "Terms",
    "UnderWayError",
]
