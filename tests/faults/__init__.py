"""The instrument: a fault made for every outside call that a batch makes."""
