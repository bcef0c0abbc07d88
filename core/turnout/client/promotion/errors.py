"""How a promotion may end other than well. Each message is one sentence for people."""


class PromotionError(RuntimeError):
    """A promotion that did not come to its end."""


class PromotionRefusedError(PromotionError):
    """It does not begin: nothing was written."""


class CandidateError(PromotionError):
    """Which version to promote is not clear, or it is none of the policy's: nothing was written."""


class ChangedError(PromotionError):
    """Somebody else has changed what it is about. Nothing of theirs was overwritten, and it has not ended."""


class UnderWayError(PromotionError):
    """Something did not come in time. It has not ended: promoting again goes on from what is there."""


class TakenBackError(PromotionError):
    """The primary did not get ready as what the candidate is, or the candidate failed: all is as before."""
