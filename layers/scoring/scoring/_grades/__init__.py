"""Grades from anchors: models, smoothers and the anchors' health."""
