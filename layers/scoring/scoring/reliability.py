"""Reliability of the abilities: what share of their variance is not error."""

from __future__ import annotations

import numpy as np

from scoring.errors import InvalidSettingError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring._result import Fit


def model_reliability(fit: Fit) -> float:
    r"""Return the reliability that the model itself claims.

    :math:`1 - \overline{se^2} / prior\_sd^2`, the share of the prior variance that the
    comparisons have removed. It is right when the prior standard deviation is; whether the judge
    follows the model at all is for :func:`scoring.audit.prequential_audit` to say.

    Parameters
    ----------
    fit : Fit
        A fit with ``estimator="map"``.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior.
    """
    if fit.prior_sd is None:
        raise InvalidSettingError(
            "fit", f"model reliability needs a prior; {fit.estimator!r} has none, use map"
        )
    return float(1.0 - np.mean(fit.standard_error**2) / fit.prior_sd**2)
