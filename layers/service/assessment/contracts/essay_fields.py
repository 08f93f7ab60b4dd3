"""Fields of results and reports whose entries are by essay id, at any depth."""

from __future__ import annotations

BY_ESSAY = frozenset(
    {
        "essay_flags",
        "masked_passages",
        "primary_grades",
        "refined_grades",
        "grade_probabilities",
        "set_probabilities",
        "grade_sets",
        "calibrated_sets",
        "confidence_labels",
        "confidence_scores",
        "pass_probabilities",
        "further_comparisons",
    }
)
"""Elsewhere a key is a word of ours, or a grade, which has a name of the caller's choosing."""
