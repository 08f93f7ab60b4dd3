"""The laptop cloud and what plays the outside world there: the sample judge and the demo."""
