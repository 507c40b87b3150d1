"""The error of an answer that cannot be graded."""


class VerdictError(ValueError):
    """The model's answer is unusable. The Russian message can be sent back to the model."""
