"""The error for data whose gold answer cannot be read."""


class BadGroundTruth(ValueError):
    """The data's ground truth is not what its data_source promises."""
