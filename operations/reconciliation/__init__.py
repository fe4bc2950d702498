"""Whether every click of a range of minutes is accounted for."""
